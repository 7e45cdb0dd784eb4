using Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Domain;

/// <summary>What the directory itself can answer to the question whether an espace has room.</summary>
/// <param name="Answer">The answer.</param>
/// <param name="Wait">Days until a first rencontre, while that figure is fresh.</param>
/// <param name="WaitingFamilies">Families waiting, as last said.</param>
/// <param name="FreshUntil">Last day on which the data behind it count as fresh.</param>
internal readonly record struct KnownCapacity(CapacityAnswer Answer, int? Wait, int? WaitingFamilies, DateOnly FreshUntil);

/// <summary>Answers whether an espace has room, from what the directory knows of it.</summary>
internal static class CapacityAnswers
{
    /// <summary>Days on which the espace is waited for.</summary>
    public const int PendingDays = 7;

    /// <summary>Days for which the espace's own answer holds, and the most for which the directory's does: as long as a wait is fresh.</summary>
    public const int AnswerDays = 30;

    /// <summary>The answer; null when what the espace last said is too old to answer for it.</summary>
    /// <param name="espace">The espace.</param>
    /// <param name="offer">What it says of the modalité; null when it does not know it.</param>
    /// <param name="offers">What it says of every modalité.</param>
    /// <param name="needs">What the mesure asks.</param>
    public static KnownCapacity? Of(EspaceFacts espace, Offer? offer, IReadOnlyCollection<Offer> offers, MesureNeeds needs)
    {
        var today = needs.Today;
        if (offer is null)
        {
            // What is not listed is not offered as long as somebody looked at the list in time.
            return offers.Max(o => o.ConfirmedOn) is { } heard && !Freshness.IsStaleOn(EspaceGroup.Modalite, heard, today)
                ? new(CapacityAnswer.NoCapacity, null, null, Earlier(Freshness.FreshUntil(EspaceGroup.Modalite, heard), today.PlusDays(AnswerDays)))
                : null;
        }
        if (offer.ConfirmedOn is not { } confirmed || Freshness.IsStaleOn(EspaceGroup.Modalite, confirmed, today))
            return null;
        var status = Standing.Status(offer, today);
        if (status == CapacityStatus.Unconfirmed)
            return null;

        int? wait = null;
        var until = Earlier(Freshness.FreshUntil(EspaceGroup.Modalite, confirmed), today.PlusDays(AnswerDays));
        // A no until it reopens holds no longer than that.
        if (Standing.ReopensOn(offer, today) is { } reopens)
            until = Earlier(until, reopens.AddDays(-1));
        if (offer.Wait is { } declared && !declared.IsStaleOn(today))
            (wait, until) = (declared.Days, Earlier(until, Freshness.FreshUntil(EspaceGroup.Attente, declared.AsOf)));
        var answer = DesignationRules.Findings(espace, offer, needs).Count > 0 || status is CapacityStatus.Full or CapacityStatus.ClosedUntil
            ? CapacityAnswer.NoCapacity
            : DesignationRules.Unknown(offer, System.Numerics.BitOperations.TrailingZeroCount(DesignationRules.SuitableLieux(espace, needs)), needs).Count > 0
                ? CapacityAnswer.AssessmentRequired
                : status == CapacityStatus.WaitingList ? CapacityAnswer.WaitingList : CapacityAnswer.HasCapacity;
        return new(answer, answer == CapacityAnswer.NoCapacity ? null : wait, offer.WaitingFamilies, until);
    }

    /// <summary>Where an enquiry stands at an instant.</summary>
    /// <param name="answered">Whether there is an answer.</param>
    /// <param name="expiresAt">Until when one is waited for.</param>
    /// <param name="now">The instant.</param>
    public static EnquiryState StateOf(bool answered, DateTimeOffset expiresAt, DateTimeOffset now) =>
        answered ? EnquiryState.Answered : now >= expiresAt ? EnquiryState.Expired : EnquiryState.Pending;

    private static DateOnly Earlier(DateOnly a, DateOnly b) => a < b ? a : b;
}
