namespace Jafer.Mesures.Domain.Survey;

/// <summary>A column of tables that are published together.</summary>
/// <param name="Code">Code of the figure.</param>
/// <param name="Whole">Code of the column of which it is a part; null for none.</param>
/// <param name="Set">Name of the set of parts that adds up to the whole; null for a part that stands for itself ("dont").</param>
/// <param name="NationOnly">Whether only the nation tells it.</param>
internal sealed record DisclosureColumn(string Code, string? Whole = null, string? Set = null, bool NationOnly = false);

/// <summary>A row of a table, such as a département.</summary>
/// <param name="Code">Code; the order of the codes decides between rows that serve equally.</param>
/// <param name="Values">A count for each column, 0 or more; null where none is told anyway.</param>
/// <param name="Whole">Whether it is withheld whole: so few mesures stand behind it that its larger counts tell of them too.</param>
internal sealed record DisclosureRow(string Code, IReadOnlyList<long?> Values, bool Whole = false);

/// <summary>What is withheld.</summary>
/// <param name="Nation">For each column whether the nation keeps it.</param>
/// <param name="Rows">The same for each row, by its code.</param>
internal sealed record DisclosureResult(IReadOnlyList<bool> Nation, IReadOnlyDictionary<string, IReadOnlyList<bool>> Rows);

/// <summary>
/// Which cells of the nation and its départements are withheld, so that no count of one to four can be computed or bounded within one
/// to four from all that is told. Small cells are withheld (primary suppression), then others (secondary suppression) until each small
/// cell has a witness: another table of whole counts that agrees with everything that is told, keeps every withheld count from
/// falling to zero where it is none, and has five or more in that cell. Whatever can be computed from what is told holds in that table too, so
/// that no arithmetic, bounds included, can exclude it. A row that is withheld whole has such witnesses for every count.
/// Source: Hundepool et al., Statistical Disclosure Control, 2012, chapter 4; witnesses are the moves along cycles of Cox, 1980, of
/// which Fischetti and Salazar, 2001, choose the least; here the first that costs the fewest cells.
/// </summary>
internal sealed class Disclosure
{
    private const int Never = 1_000_000;

    private readonly IReadOnlyList<DisclosureColumn> _columns;
    private readonly DisclosureRow[] _rows;
    private readonly int _nation;
    private readonly List<int> _parent = [];
    private readonly List<int[][]> _sets = [];
    private readonly List<int[]?> _siblings = [];
    private readonly List<bool> _nationOnly = [];
    private readonly long[,] _value;
    private readonly bool[,] _absent;
    private readonly bool[,] _hidden;
    private readonly bool[] _whole;
    private readonly bool[] _untold;
    private readonly bool[] _loose;
    private readonly long[,] _y;
    private readonly HashSet<(int Row, int Column)> _pending = [];
    private bool _nationMayHide = true;

    private Disclosure(IReadOnlyList<DisclosureColumn> columns, IReadOnlyList<long?> nation, IEnumerable<DisclosureRow> rows)
    {
        _columns = columns;
        _rows = [.. rows.OrderBy(r => r.Code, StringComparer.Ordinal)];
        _nation = _rows.Length;
        var index = columns.Select((c, i) => (c.Code, i)).ToDictionary(c => c.Code, c => c.i);
        var values = _rows.Select(r => r.Values.Select(v => v ?? 0).ToList()).Append([.. nation.Select(v => v ?? 0)]).ToArray();
        foreach (var column in columns)
        {
            _parent.Add(column.Whole is { } whole && index.TryGetValue(whole, out var at) ? at : -1);
            _nationOnly.Add(column.NationOnly);
        }

        // A column that is never told and makes a set add up: what is in the whole and in none of its parts can be small as well.
        int Add(bool nationOnly, int parent, Func<List<long>, long> value)
        {
            _parent.Add(parent);
            _nationOnly.Add(nationOnly);
            foreach (var row in values)
            {
                row.Add(value(row));
            }

            return _parent.Count - 1;
        }

        var sets = new List<(int Whole, int[] Parts)>();
        foreach (var set in Enumerable.Range(0, columns.Count).Where(c => _parent[c] >= 0).GroupBy(c => (Whole: _parent[c], Set: columns[c].Set ?? $" {columns[c].Code}")))
        {
            int[] parts = [.. set];
            var whole = set.Key.Whole;
            var nationOnly = parts.All(p => _nationOnly[p]);
            if (values.Skip(nationOnly ? _nation : 0).Any(row => row[whole] > parts.Sum(p => row[p])))
            {
                parts = [.. parts, Add(nationOnly, whole, row => Math.Max(0, row[whole] - set.Sum(p => row[p])))];
            }

            sets.Add((whole, parts));
        }

        var count = _parent.Count;
        _sets.AddRange(Enumerable.Range(0, count).Select(c => sets.Where(s => s.Whole == c).Select(s => s.Parts).ToArray()));
        _siblings.AddRange(Enumerable.Range(0, count).Select(c => sets.Find(s => s.Parts?.Contains(c) == true).Parts));
        _value = new long[_nation + 1, count];
        _absent = new bool[_nation + 1, count];
        _hidden = new bool[_nation + 1, count];
        _whole = new bool[_nation + 1];
        _untold = new bool[count];
        _loose = new bool[count];
        for (var r = 0; r <= _nation; r++)
        {
            for (var c = 0; c < count; c++)
            {
                _value[r, c] = values[r][c];
                _absent[r, c] = c < columns.Count && (r == _nation ? nation[c] : _rows[r].Values[c]) is null;
                // Nobody tells what is left of a set.
                _hidden[r, c] = c >= columns.Count;
            }
        }

        _y = (long[,])_value.Clone();
    }

    private int Count => _parent.Count;

    /// <summary>Says what is withheld. The same for the same tables, in whatever order their rows come.</summary>
    /// <param name="columns">Columns. Counts only: amounts and hours tell of no family and are left out by the caller.</param>
    /// <param name="nation">
    /// The nation's count for each column. It is the sum of the rows, or more by what nobody knows: what was counted elsewhere or imputed.
    /// </param>
    /// <param name="rows">Rows.</param>
    public static DisclosureResult Protect(IReadOnlyList<DisclosureColumn> columns, IReadOnlyList<long?> nation, IEnumerable<DisclosureRow> rows)
    {
        var table = new Disclosure(columns, nation, rows);
        table.ProtectNation();
        table.ProtectRows();
        return table.Result();
    }

    private void ProtectNation()
    {
        // The nation by itself, so that it does not matter which rows stand beside it: the same year is shown again a year later.
        Primary(_nation);
        foreach (var c in Small(_nation).Where(c => !TryProtect(_nation, c, [-1])).ToArray())
        {
            HideColumnsOf(c, _nation);
        }

        _nationMayHide = false;
    }

    private void ProtectRows()
    {
        for (var r = 0; r < _nation; r++)
        {
            if (_rows[r].Whole)
            {
                HideRow(r);
            }

            Primary(r);
        }

        // Where the nation's small cells are shifted, the rows must be able to follow.
        foreach (var c in Small(_nation).Where(c => !_nationOnly[c] && _nation > 0 && !TryProtect(_nation, c, Others(_nation))).ToArray())
        {
            HideColumnsOf(c, _nation - 1);
        }

        // Wholly withheld rows last: they have only each other, and any row that is added serves the others as well.
        foreach (var r in Enumerable.Range(0, _nation).OrderBy(r => _whole[r]))
        {
            foreach (var c in Secret(r).ToArray())
            {
                // So many more than there are that neither they nor that they are few can be known.
                var goal = Math.Max(SmallCells.Least, _rows[r].Whole ? _value[r, c] + SmallCells.Least - 1 : 0);
                if (!TryProtect(r, c, Others(r), goal) && !ProtectBySets(r, c, goal) && !ProtectByWholeRows(r, c, goal))
                {
                    HideColumnsOf(c, _nation - 1);
                }
            }
        }
    }

    // What hardly any row has is told by none: the set of parts in which it is, then that of its whole, until the cell is safe.
    private bool ProtectBySets(int row, int column, long goal)
    {
        for (var at = column; _siblings[at] is { } set; at = _parent[at])
        {
            foreach (var part in set)
            {
                HideBelow(part);
            }

            if (TryProtect(row, column, Others(row), goal))
            {
                return true;
            }
        }

        return false;
    }

    private void HideBelow(int column)
    {
        _loose[column] = true;
        for (var r = 0; r < _nation; r++)
        {
            _hidden[r, column] = true;
        }

        foreach (var part in _sets[column].SelectMany(s => s))
        {
            HideBelow(part);
        }
    }

    // Rows are given up whole, the row itself first, then the next in order, until the cell is safe; none of them where that does not help.
    private bool ProtectByWholeRows(int row, int column, long goal)
    {
        var (hidden, whole) = ((bool[,])_hidden.Clone(), (bool[])_whole.Clone());
        HideRow(row);
        if (TryProtect(row, column, Others(row), goal))
        {
            return true;
        }

        foreach (var other in Others(row).Where(o => o != _nation && !_whole[o]).OrderByDescending(o => Tops().All(c => _nationOnly[c] || _absent[o, c] || _value[o, c] >= SmallCells.Least)))
        {
            HideRow(other);
            if (TryProtect(row, column, Others(row), goal))
            {
                return true;
            }
        }

        Array.Copy(hidden, _hidden, hidden.Length);
        whole.CopyTo(_whole, 0);
        return false;
    }

    // Whether the cell can be moved to five, or further, by moves that agree with all that is told; withholds what must be for it.
    private bool TryProtect(int row, int column, IReadOnlyList<int> partners, long goal = SmallCells.Least)
    {
        if (_untold[column])
        {
            return true;
        }

        var moved = new List<(int Row, int Column, int By)>();
        while (_y[row, column] < goal)
        {
            Move? best = null;
            foreach (var partner in partners)
            {
                // What a row gains another loses, or the nation gains with it.
                var pair = new Pair(row, partner, partner == _nation || row == _nation ? 1 : -1);
                var move = Rise(pair, column);
                if (move is not null && (best is null || move.Cost < best.Cost))
                {
                    best = move;
                }

                if (best is { Cost: 0 })
                {
                    break;
                }
            }

            if (best is null)
            {
                break;
            }

            foreach (var (r, c, by) in best.Steps)
            {
                _y[r, c] += by;
                if (!_hidden[r, c])
                {
                    _pending.Add((r, c));
                }
            }

            moved.AddRange(best.Steps);
        }

        var safe = _y[row, column] >= goal;
        foreach (var (r, c, by) in moved)
        {
            _y[r, c] -= by;
        }

        if (safe)
        {
            foreach (var (r, c) in _pending)
            {
                _hidden[r, c] = true;
            }
        }

        _pending.Clear();
        return safe;
    }

    // One more in a column: its parts follow, and either a sibling has one less or the whole one more, and so on upwards.
    private Move? Rise(Pair pair, int column) => Shift(pair, column, 1) is { } own ? Balance(pair, column, own) : null;

    private Move? Balance(Pair pair, int column, Move sofar)
    {
        Move? best = null;
        if (_siblings[column] is not { } siblings)
        {
            return sofar;
        }

        var at = Array.IndexOf(siblings, column);
        for (var i = 1; i < siblings.Length; i++)
        {
            best = Move.Cheaper(best, sofar.With(Shift(pair, siblings[(at + i) % siblings.Length], -1)));
            if (best is { Cost: 0 })
            {
                return best;
            }
        }

        var whole = _parent[column];
        var above = sofar.With(Single(pair, whole, 1));
        foreach (var set in _sets[whole].Where(s => s != siblings))
        {
            above = above?.With(ShiftOne(pair, set, 1));
        }

        return above is null ? best : Move.Cheaper(best, Balance(pair, whole, above));
    }

    // A change of a column and of one part of each of its sets.
    private Move? Shift(Pair pair, int column, int by)
    {
        var move = Single(pair, column, by);
        foreach (var set in _sets[column])
        {
            move = move?.With(ShiftOne(pair, set, by));
        }

        return move;
    }

    private Move? ShiftOne(Pair pair, int[] set, int by)
    {
        Move? best = null;
        foreach (var part in set)
        {
            best = Move.Cheaper(best, Shift(pair, part, by));
            if (best is { Cost: 0 })
            {
                break;
            }
        }

        return best;
    }

    private Move? Single(Pair pair, int column, int by)
    {
        var cost = 0;
        var steps = new List<(int, int, int)>(2);
        foreach (var (row, change) in (ReadOnlySpan<(int, int)>)[(pair.Row, by), (pair.Partner, by * pair.Sign)])
        {
            if (row < 0 || (_nationOnly[column] && row != _nation))
            {
                continue;
            }

            cost += CostOf(row, column, change);
            steps.Add((row, column, change));
        }

        return cost >= Never ? null : new Move(cost, steps);
    }

    // How many cells a change of one withholds anew: never what is in them, so that the choice tells nothing of it.
    private int CostOf(int row, int column, int by)
    {
        var least = _whole[row] || _loose[column] || column >= _columns.Count || _value[row, column] == 0 ? 0 : 1;
        if (_absent[row, column] || _y[row, column] + by < least)
        {
            return Never;
        }

        if (_hidden[row, column] || _pending.Contains((row, column)))
        {
            return 0;
        }

        if (row == _nation && !_nationMayHide)
        {
            return Never;
        }

        // A zero is told, unless nothing else helps.
        return _value[row, column] == 0 ? 1000 : 1;
    }

    private void Primary(int row)
    {
        foreach (var c in Small(row).ToArray())
        {
            _hidden[row, c] = true;
        }
    }

    private void HideRow(int row)
    {
        _whole[row] = true;
        for (var c = 0; c < Count; c++)
        {
            _hidden[row, c] = true;
        }
    }

    // Nothing at all is told of a whole and its parts, by the rows up to the last. Where the nation tells it still,
    // any single row could have all of it.
    private void HideColumnsOf(int column, int last)
    {
        var top = Top(column);
        for (var c = 0; c < Count; c++)
        {
            if (Top(c) != top)
            {
                continue;
            }

            _untold[c] = true;
            for (var r = 0; r <= last; r++)
            {
                _hidden[r, c] = true;
            }
        }

        int Top(int of)
        {
            while (_parent[of] >= 0)
            {
                of = _parent[of];
            }

            return of;
        }
    }

    private bool IsSmall(int row, int column) => !_absent[row, column] && SmallCells.IsSmall(_value[row, column]) && (row == _nation || !_nationOnly[column]);

    private IEnumerable<int> Secret(int row) => Enumerable.Range(0, Count).Where(c => IsSmall(row, c) || (_rows[row].Whole && c < _columns.Count && _value[row, c] > 0));

    private IEnumerable<int> Small(int row) => Enumerable.Range(0, Count).Where(c => IsSmall(row, c));

    private IEnumerable<int> Tops() => Enumerable.Range(0, Count).Where(c => _parent[c] < 0);

    // The other rows, from the next in order on, and the nation last.
    private int[] Others(int row) => row == _nation
        ? [.. Enumerable.Range(0, _nation)]
        : [.. Enumerable.Range(1, _nation - 1).Select(i => (row + i) % _nation), _nation];

    private DisclosureResult Result() => new(
        [.. _columns.Select((_, c) => _hidden[_nation, c])],
        _rows.Select((row, r) => (row.Code, Withheld: (IReadOnlyList<bool>)[.. _columns.Select((_, c) => _hidden[r, c])])).ToDictionary(r => r.Code, r => r.Withheld));

    // Two rows of which the second changes by Sign times what the first does; Partner is -1 where the first stands alone.
    private readonly record struct Pair(int Row, int Partner, int Sign);

    private sealed record Move(int Cost, List<(int Row, int Column, int By)> Steps)
    {
        public static Move? Cheaper(Move? a, Move? b) => a is null || b?.Cost < a.Cost ? b : a;

        public Move? With(Move? other) => other is null ? null : new(Cost + other.Cost, [.. Steps, .. other.Steps]);
    }
}
