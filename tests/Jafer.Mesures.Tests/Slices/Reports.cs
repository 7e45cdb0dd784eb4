using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Mesure.V1;
using Jafer.Testing;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Items as the software of an espace reports them.</summary>
internal static class Reports
{
    public const string Source = "planning";

    /// <summary>When the first item happened; each one a minute after the other.</summary>
    public static DateTimeOffset Start { get; } = new(2026, 4, 1, 8, 0, 0, TimeSpan.Zero);

    public static IntakeService.IntakeServiceClient Intake(this ServiceHost host, Guid? gestionnaire = null) => new(host.Channel("espace", gestionnaire ?? Gestionnaire));

    /// <summary>An item of a mesure: its external id is the end of the mesure's id and its sequence.</summary>
    public static StatusItem Item(string mesureId, long sequence, Action<StatusItem> what)
    {
        var item = new StatusItem
        {
            SourceSystem = Source,
            ExternalId = $"{mesureId[^12..]}/{sequence}",
            Sequence = sequence,
            MesureId = mesureId,
            OccurredTime = Timestamp.FromDateTimeOffset(Start.AddMinutes(sequence)),
        };
        what(item);
        return item;
    }

    public static void Acknowledged(StatusItem item) => item.Acknowledged = new();

    public static void ChargeTaken(StatusItem item) => item.ChargeTaken = new();

    public static void Attempt(StatusItem item) => item.Contact = new() { PartyRole = PartyRole.Hote, Outcome = ContactOutcome.NotReached };

    public static void Reached(StatusItem item) => item.Contact = new() { PartyRole = PartyRole.Visiteur, Outcome = ContactOutcome.Reached };

    public static void Interview(StatusItem item) => item.Interview = new() { PartyRole = PartyRole.Visiteur };

    public static void Incident(StatusItem item) => item.DifficultyReported = new() { Reason = DifficultyReason.Incident };

    public static void Closed(StatusItem item) => item.Closed = new() { Reason = ClosureReason.InterruptionAbsenceVisiteur };

    public static Action<StatusItem> Scheduled(string name, DateTimeOffset? start = null) => item =>
        item.RencontreScheduled = new() { ExternalRencontreId = name, StartTime = Timestamp.FromDateTimeOffset(start ?? Start), DurationMinutes = 60 };

    public static Action<StatusItem> NotHeld(string name) => item =>
        item.RencontreOutcome = new() { ExternalRencontreId = name, Outcome = RencontreOutcome.VisiteurAbsent };

    public static Action<StatusItem> Held(string name, string childId) => item =>
        item.RencontreOutcome = new() { ExternalRencontreId = name, Outcome = RencontreOutcome.Held, VisiteurPresent = true, PresentChildIds = { childId } };

    public static ReportStatusRequest Report(params IEnumerable<StatusItem> items) => new() { Items = { items }, RequestId = NewId() };

    public static IEnumerable<IntakeResult> Words(this IEnumerable<ItemResult> results) => results.Select(r => r.Result);

    /// <summary>What the life of an espace with a mesure may be, from its receipt on; always possible in this order.</summary>
    public static List<StatusItem> TrueHistory(Random random, string mesureId, string childId)
    {
        var acts = new List<Action<StatusItem>> { Acknowledged };
        Some(Attempt, 3);
        acts.Add(ChargeTaken);
        Some(Attempt, 3);
        acts.Add(Reached);
        Some(Interview, 3);
        for (var n = random.Next(0, 8); n > 0; n--)
        {
            var name = $"{mesureId[^12..]}/r{n}";
            acts.Add(Scheduled(name, Start.AddHours(-3 * n)));
            Some(Incident, 2);
            acts.Add(random.Next(3) == 0 ? NotHeld(name) : Held(name, childId));
            Some(Attempt, 2);
        }

        if (acts.Count > 12 && random.Next(2) == 0)
        {
            acts.Add(Closed);
        }

        return [.. acts.Select((act, i) => Item(mesureId, i + 1, act))];

        void Some(Action<StatusItem> act, int fewerThan) => acts.AddRange(Enumerable.Repeat(act, random.Next(fewerThan)));
    }
}
