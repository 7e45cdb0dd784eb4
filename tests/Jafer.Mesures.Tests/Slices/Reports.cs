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

    public static Action<StatusItem> Returned(string name) => item => item.RemiseReturn = new() { ExternalRencontreId = name, Outcome = RencontreOutcome.Held };

    public static Action<StatusItem> Confirmed(string name, PartyRole by = PartyRole.Hote) => item =>
        item.RencontreConfirmed = new() { ExternalRencontreId = name, PartyRole = by };

    public static Action<StatusItem> Cancelled(string name) => item =>
        item.RencontreCancelled = new() { ExternalRencontreId = name, Outcome = RencontreOutcome.CancelledByHote };

    public static Action<StatusItem> Moved(string name, DateTimeOffset start) => item =>
        item.RencontreMoved = new() { ExternalRencontreId = name, Planned = new() { StartTime = Timestamp.FromDateTimeOffset(start), DurationMinutes = 60 } };

    public static Action<StatusItem> InterviewBooked(PartyRole with, DateTimeOffset start) => item =>
        item.InterviewBooked = new() { PartyRole = with, StartTime = Timestamp.FromDateTimeOffset(start), DurationMinutes = 45 };

    public static void InterviewCancelled(StatusItem item) =>
        item.InterviewCancelled = new() { PartyRole = PartyRole.Visiteur, Reason = InterviewReleaseReason.PartyCancelled };

    public static void Suspended(StatusItem item) => item.Suspended = new() { Reason = DifficultyReason.Incident };

    public static void Resumed(StatusItem item) => item.Resumed = new();

    public static void Danger(StatusItem item) => item.DifficultyReported = new() { Reason = DifficultyReason.Danger };

    /// <summary>That somebody outside was told of the difficulty that an earlier item brought.</summary>
    public static Action<StatusItem> Alerted(string mesureId, long sequence) => item => item.ExternalAlert = new()
    {
        ExternalDifficultyId = $"{mesureId[^12..]}/{sequence}",
        Recipient = ExternalAlertRecipient.Parquet,
        Kind = ExternalAlertKind.Signalement,
    };

    public static void ClosureProposed(StatusItem item) => item.ClosureProposed = new() { Reason = ClosureReason.SansSuiteRefusHote };

    public static void Reopened(StatusItem item) => item.Reopened = new() { Comment = "Erreur." };

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
        Maybe(InterviewBooked(PartyRole.Visiteur, Start.AddDays(2)), InterviewCancelled);
        Maybe(InterviewBooked(PartyRole.Visiteur, Start.AddDays(3)));
        Maybe(ClosureProposed);
        Some(Interview, 3);
        var rencontres = random.Next(0, 8);
        for (var n = rencontres; n > 0; n--)
        {
            var (name, past, ahead) = ($"{mesureId[^12..]}/r{n}", Start.AddHours(-3 * n), Start.AddDays(n));
            switch (random.Next(4))
            {
                case 0:
                    acts.AddRange([Remise(name, past), Held(name, childId), Returned(name)]);
                    break;
                case 1:
                    acts.Add(Scheduled(name, ahead));
                    Maybe(Confirmed(name));
                    Maybe(Moved(name, ahead.AddHours(2)));
                    Maybe(Confirmed(name, PartyRole.Visiteur));
                    acts.Add(Cancelled(name));
                    break;
                case 2:
                    acts.AddRange([Scheduled(name, ahead), Moved(name, past), Held(name, childId)]);
                    break;
                default:
                    acts.Add(Scheduled(name, past));
                    Maybe(Suspended, Attempt, Resumed);
                    Some(Incident, 2);
                    acts.Add(random.Next(3) == 0 ? NotHeld(name) : Held(name, childId));
                    break;
            }

            Some(Attempt, 2);
        }

        if (random.Next(3) == 0)
        {
            acts.AddRange([Danger, Alerted(mesureId, acts.Count + 1)]);
        }

        if (rencontres > 0 && random.Next(2) == 0)
        {
            acts.Add(Closed);
            Maybe(Reopened, Incident);
        }

        return [.. acts.Select((act, i) => Item(mesureId, i + 1, act))];

        void Maybe(params Action<StatusItem>[] some) => acts.AddRange(random.Next(2) == 0 ? some : []);

        static Action<StatusItem> Remise(string name, DateTimeOffset start) => item =>
        {
            Scheduled(name, start)(item);
            item.RencontreScheduled.ReturnTime = Timestamp.FromDateTimeOffset(start.AddHours(2));
        };

        void Some(Action<StatusItem> act, int fewerThan) => acts.AddRange(Enumerable.Repeat(act, random.Next(fewerThan)));
    }
}
