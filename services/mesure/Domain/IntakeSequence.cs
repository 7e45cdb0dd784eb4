using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>How long items may be held.</summary>
/// <param name="For">Longest time since the item was received.</param>
/// <param name="Count">Most items of one mesure and source.</param>
internal readonly record struct HoldLimits(TimeSpan For, int Count);

/// <summary>
/// The order of the items of one mesure and one source: from 1, without gap. What comes too early is held until the earlier ones
/// are there, or until a limit is reached; then it is taken past the gap.
/// </summary>
[Holds(DataCategory.Technical, Processing.Mesures, Kept.WithMesure)]
internal sealed class IntakeSequence
{
    private readonly SortedDictionary<long, IntakeItem> _ahead = [];

    public required Guid MesureId { get; init; }

    public required string SourceSystem { get; init; }

    /// <summary>The lowest sequence that was neither taken nor passed over.</summary>
    public long NextSequence { get; private set; } = 1;

    /// <summary>Counts the reports that changed anything here; 0 before the first.</summary>
    public long Version { get; private init; }

    /// <summary>Items from <see cref="NextSequence"/> on that came already, in their order; some may have been decided out of turn.</summary>
    public IEnumerable<IntakeItem> Ahead => _ahead.Values;

    /// <summary>Whether newer items were decided already: an item that comes now is late.</summary>
    public bool HasPassed(long sequence) => sequence < NextSequence;

    /// <summary>The item with a sequence not passed yet; null when it has not come.</summary>
    public IntakeItem? At(long sequence) => _ahead.GetValueOrDefault(sequence);

    /// <summary>Puts an item in its place; it must not have been passed.</summary>
    public void Add(IntakeItem item) => _ahead.Add(item.Sequence, item);

    /// <summary>
    /// Takes the next item whose turn it is; null when there is none, or the next one still waits. An item that is taken past a
    /// gap keeps how wide the gap was.
    /// </summary>
    /// <param name="now">Now.</param>
    /// <param name="limits">How long items may be held.</param>
    public IntakeItem? TakeDue(DateTimeOffset now, HoldLimits limits)
    {
        long gap = 0;
        while (_ahead.Count > 0)
        {
            var (sequence, item) = _ahead.First();
            if (sequence > NextSequence && !MayPass(now, limits))
            {
                break;
            }

            gap += sequence - NextSequence;
            NextSequence = sequence + 1;
            _ahead.Remove(sequence);
            if (item.Result == IntakeResult.Held)
            {
                item.GapBefore = gap;
                return item;
            }
        }

        return null;
    }

    private bool MayPass(DateTimeOffset now, HoldLimits limits)
    {
        var held = 0;
        foreach (var item in _ahead.Values)
        {
            if (item.Result == IntakeResult.Held && (++held > limits.Count || item.ReceivedAt + limits.For <= now))
            {
                return true;
            }
        }

        return false;
    }
}
