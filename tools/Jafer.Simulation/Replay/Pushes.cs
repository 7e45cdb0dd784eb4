namespace Jafer.Simulation.Replay;

/// <summary>Something that an espace's software tells.</summary>
/// <param name="Life">The mesure.</param>
/// <param name="Step">Position of the step among those of the mesure.</param>
/// <param name="Sequence">Its number among what is told of the mesure, from 1.</param>
internal readonly record struct Told(Life Life, int Step, int Sequence);

/// <summary>
/// What the software of a gestionnaire pushes: everything in the order in which it happened, but one in ten late, one in twenty once more, and
/// each batch shuffled. The same seed gives the same disorder.
/// </summary>
internal static class Pushes
{
    private const int MostOfABatch = 500;

    /// <summary>Whether a step is told to the intake; the others are acts of their own.</summary>
    public static bool IsTold(StepKind kind) => kind is not (StepKind.Transmit or StepKind.Register or StepKind.CloseByCourt);

    /// <summary>The batches of a gestionnaire, in the order in which they are pushed.</summary>
    /// <param name="lives">Its mesures.</param>
    /// <param name="draw">Random numbers of the replay.</param>
    public static List<Told[]> Of(IEnumerable<Life> lives, Draw draw)
    {
        var told = new List<(DateTimeOffset At, Told Told)>();
        foreach (var life in lives)
        {
            var sequence = 0;
            for (var i = 0; i < life.Steps.Count; i++)
            {
                if (IsTold(life.Steps[i].Kind))
                    told.Add((life.Steps[i].At, new(life, i, ++sequence)));
            }
        }
        told.Sort((a, b) => (a.At, a.Told.Life.Number, a.Told.Sequence).CompareTo((b.At, b.Told.Life.Number, b.Told.Sequence)));

        // Few items make small batches, so that what is late comes in another one.
        var batch = Math.Clamp(told.Count / 8, 5, MostOfABatch);
        var pushed = new List<(double At, Told Told)>();
        for (var i = 0; i < told.Count; i++)
        {
            var (life, step, _) = told[i].Told;
            var at = i + (draw.Chance(0.1, Habits.Late, life.Number, step) ? 2 * batch * draw.Unit(Habits.LateBy, life.Number, step) : 0);
            pushed.Add((at, told[i].Told));
            if (draw.Chance(0.05, Habits.Twice, life.Number, step))
                pushed.Add((at + 1 + (2 * batch * draw.Unit(Habits.TwiceBy, life.Number, step)), told[i].Told));
        }
        return
        [
            .. pushed.OrderBy(p => p.At).ThenBy(p => p.Told.Life.Number).ThenBy(p => p.Told.Sequence).Select(p => p.Told).Chunk(batch)
                .Select(b => b.OrderBy(t => draw.Unit(Habits.Shuffled, t.Life.Number, t.Sequence)).ToArray()),
        ];
    }
}
