namespace Jafer.Mesures.Tests.Domain;

/// <summary>
/// What an attacker computes who knows linear relations between counts and some of the counts: the most that an unknown one can be, none
/// being below zero. Unknown counts fall apart into groups that no relation joins; each is a linear program with one first phase.
/// </summary>
internal sealed class SimplexAttack
{
    private readonly Dictionary<string, double> _known = new(StringComparer.Ordinal);
    private readonly List<(List<(string Name, double By)> Terms, double Right)> _relations = [];
    private readonly Dictionary<string, Group> _groups = new(StringComparer.Ordinal);
    private int _slacks;

    /// <summary>Somebody tells a count.</summary>
    public void Know(string name, double value) => _known[name] = value;

    /// <summary>The terms make the number.</summary>
    public void Equal(double right, params IEnumerable<(string Name, double By)> terms) => _relations.Add(([.. terms], right));

    /// <summary>The terms make the number or less.</summary>
    public void AtMost(double right, params IEnumerable<(string Name, double By)> terms) => Equal(right, [.. terms, ($"slack {_slacks++}", 1)]);

    /// <summary>The most that a count can be; not sought beyond <paramref name="enough"/>.</summary>
    public double Most(string name, double enough)
    {
        if (_known.TryGetValue(name, out var told))
        {
            return told;
        }

        if (_groups.Count == 0)
        {
            Divide();
        }

        // In no relation: anything agrees.
        return _groups.TryGetValue(name, out var group) ? group.Most(name, enough) : double.PositiveInfinity;
    }

    private void Divide()
    {
        var root = new Dictionary<string, string>(StringComparer.Ordinal);
        string Root(string of)
        {
            while (root.TryGetValue(of, out var up) && up != of)
            {
                of = up;
            }

            return of;
        }

        var open = _relations.Select(r => (Terms: r.Terms.Where(t => !_known.ContainsKey(t.Name)).GroupBy(t => t.Name).Select(g => (Name: g.Key, By: g.Sum(t => t.By))).Where(t => t.By != 0).ToArray(),
            Right: r.Right - r.Terms.Sum(t => t.By * _known.GetValueOrDefault(t.Name)))).Where(r => r.Terms.Length > 0).ToList();
        foreach (var (terms, _) in open)
        {
            foreach (var (name, _) in terms)
            {
                root.TryAdd(name, name);
                root[Root(name)] = Root(terms[0].Name);
            }
        }

        foreach (var relations in open.GroupBy(r => Root(r.Terms[0].Name)))
        {
            var group = new Group([.. relations]);
            foreach (var name in relations.SelectMany(r => r.Terms.Select(t => t.Name)))
            {
                _groups[name] = group;
            }
        }
    }

    private sealed class Group
    {
        private const double Tiny = 1e-7;

        private readonly Dictionary<string, int> _columns = new(StringComparer.Ordinal);
        private readonly int _count;
        private double[][] _rows;
        private int[] _basis;

        public Group(List<((string Name, double By)[] Terms, double Right)> relations)
        {
            foreach (var (name, _) in relations.SelectMany(r => r.Terms))
            {
                _columns.TryAdd(name, _columns.Count);
            }

            _count = _columns.Count;
            _rows = [.. relations.Select(r =>
            {
                var row = new double[_count + 1];
                var sign = r.Right < 0 ? -1 : 1;
                foreach (var (name, by) in r.Terms)
                {
                    row[_columns[name]] = by * sign;
                }

                row[_count] = r.Right * sign;
                return row;
            })];
            _basis = [.. _rows.Select(_ => -1)];
            FirstPhase();
        }

        /// <summary>From where the last question left off: every place on the way agrees with all relations.</summary>
        public double Most(string name, double enough)
        {
            var target = new double[_count + 1];
            target[_columns[name]] = -1;
            if (Array.IndexOf(_basis, _columns[name]) is >= 0 and var at)
            {
                for (var j = 0; j <= _count; j++)
                {
                    target[j] += _rows[at][j];
                }
            }

            return Run(target, enough) ? target[_count] : double.PositiveInfinity;
        }

        // Artificial columns stand in the basis as -1 and never come back, so that they need not be kept.
        private void FirstPhase()
        {
            var cost = new double[_count + 1];
            foreach (var row in _rows)
            {
                for (var j = 0; j <= _count; j++)
                {
                    cost[j] -= row[j];
                }
            }

            Run(cost, double.PositiveInfinity);
            if (cost[_count] < -1e-5)
            {
                throw new InvalidOperationException("what is told contradicts itself");
            }

            for (var i = 0; i < _rows.Length; i++)
            {
                if (_basis[i] < 0 && Array.FindIndex(_rows[i], 0, _count, v => Math.Abs(v) > Tiny) is >= 0 and var column)
                {
                    Pivot([], i, column);
                }
            }

            // What is left of them follows from the others.
            var kept = Enumerable.Range(0, _rows.Length).Where(i => _basis[i] >= 0).ToArray();
            (_rows, _basis) = ([.. kept.Select(i => _rows[i])], [.. kept.Select(i => _basis[i])]);
        }

        private bool Run(double[] cost, double enough)
        {
            for (var step = 0; cost[_count] < enough - Tiny; step++)
            {
                // The steepest way; after many steps the first one, which cannot go round in circles.
                var enter = -1;
                for (var j = 0; j < _count; j++)
                {
                    if (cost[j] < -Tiny && (enter < 0 || (step < 5000 && cost[j] < cost[enter])))
                    {
                        enter = j;
                    }
                }

                if (enter < 0)
                {
                    return true;
                }

                var leave = -1;
                for (var i = 0; i < _rows.Length; i++)
                {
                    if (_rows[i][enter] > Tiny)
                    {
                        var ratio = leave < 0 ? -1 : Ratio(i) - Ratio(leave);
                        if (ratio < -1e-9 || (ratio < 1e-9 && _basis[i] < _basis[leave]))
                        {
                            leave = i;
                        }
                    }
                }

                if (leave < 0)
                {
                    return false;
                }

                Pivot(cost, leave, enter);
                double Ratio(int i) => _rows[i][_count] / _rows[i][enter];
            }

            return true;
        }

        private void Pivot(double[] cost, int row, int column)
        {
            var pivot = _rows[row];
            var by = pivot[column];
            for (var j = 0; j <= _count; j++)
            {
                pivot[j] /= by;
            }

            foreach (var other in cost.Length > 0 ? _rows.Append(cost) : _rows)
            {
                var factor = other[column];
                if (other == pivot || Math.Abs(factor) < 1e-12)
                {
                    continue;
                }

                for (var j = 0; j <= _count; j++)
                {
                    other[j] -= factor * pivot[j];
                }
            }

            _basis[row] = column;
        }
    }
}
