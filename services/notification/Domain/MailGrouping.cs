namespace Jafer.Notifications.Domain;

/// <summary>Something that waits to be told to one person.</summary>
/// <param name="DeliveryId">What waits.</param>
/// <param name="SubjectId">What it is about: the mesure, the espace, the enquiry or the organisation.</param>
/// <param name="Kind">What happened to it: type of the event, and code of the deadline.</param>
/// <param name="Urgent">Whether it must be looked at at once.</param>
/// <param name="DueAt">When it is due.</param>
/// <param name="MailId">The mail that it belongs to, when an attempt was made; null before.</param>
internal readonly record struct Waiting(Guid DeliveryId, Guid SubjectId, string Kind, bool Urgent, DateTimeOffset DueAt, Guid? MailId = null);

/// <summary>Something that the person was told of late.</summary>
/// <param name="SubjectId">What it was about.</param>
/// <param name="Kind">What had happened to it.</param>
/// <param name="Urgent">Whether it was urgent.</param>
/// <param name="At">When the mail server took it.</param>
internal readonly record struct Told(Guid SubjectId, string Kind, bool Urgent, DateTimeOffset At);

/// <summary>The next mail of a person.</summary>
/// <param name="Deliveries">What it tells; empty when nothing is due.</param>
/// <param name="MailId">The mail, when an attempt was made at it already; null for a new one.</param>
/// <param name="NextAt">When the next is due if this one tells nothing; null when nothing waits.</param>
internal sealed record NextMail(IReadOnlyList<Guid> Deliveries, Guid? MailId, DateTimeOffset? NextAt);

/// <summary>
/// What goes together in one mail: a person gets at most one mail on a subject within the window. The first goes when it is due
/// and takes along whatever else waits for the person; what comes later on the same subject is held until the window is over.
/// Urgent things wait for no window but that of their own kind: a second of the same is held, another kind is news.
/// </summary>
internal static class MailGrouping
{
    /// <summary>More than that in one mail nobody reads.</summary>
    public const int MostLines = 100;

    /// <summary>Chooses the next mail of a person.</summary>
    /// <param name="waiting">All that waits for the person: what is urgent, then the rest, the oldest first.</param>
    /// <param name="told">What the person was told within the window.</param>
    /// <param name="now">Now.</param>
    /// <param name="window">How long the window is.</param>
    public static NextMail Next(IReadOnlyList<Waiting> waiting, IReadOnlyList<Told> told, DateTimeOffset now, TimeSpan window)
    {
        // A mail that was begun stays the same mail, whatever came since: its id is how a mailbox knows it again.
        var begun = waiting.Where(w => w.MailId is not null).GroupBy(w => w.MailId).FirstOrDefault(m => m.Any(w => ReadyAt(w, told, window) <= now));
        if (begun is not null)
        {
            return new NextMail([.. begun.Select(w => w.DeliveryId)], begun.Key, null);
        }

        var due = waiting.Where(w => w.MailId is null && ReadyAt(w, told, window) <= now).Select(w => w.SubjectId).ToHashSet();
        if (due.Count == 0)
        {
            return new NextMail([], null, waiting.Select(w => (DateTimeOffset?)ReadyAt(w, told, window)).Min());
        }

        var held = told.Where(t => t.At > now - window).Select(t => t.SubjectId).ToHashSet();
        return new NextMail(
            [
                .. waiting.Where(w => w.MailId is null && (due.Contains(w.SubjectId) || !held.Contains(w.SubjectId)))
                    .OrderByDescending(w => w.Urgent).Take(MostLines).Select(w => w.DeliveryId),
            ],
            null,
            null);
    }

    private static DateTimeOffset ReadyAt(Waiting waiting, IReadOnlyList<Told> told, TimeSpan window)
    {
        var before = told.Where(t => t.SubjectId == waiting.SubjectId && (!waiting.Urgent || (t.Urgent && t.Kind == waiting.Kind))).Select(t => t.At + window).ToList();
        return before.Count == 0 || before.Max() < waiting.DueAt ? waiting.DueAt : before.Max();
    }
}
