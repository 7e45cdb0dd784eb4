using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Domain;

/// <summary>A period of days, both included; no end means for ever.</summary>
/// <param name="From">First day.</param>
/// <param name="To">Last day, included; null without end.</param>
internal readonly record struct Period(DateOnly From, DateOnly? To)
{
    /// <summary>True when the day lies in the period.</summary>
    public bool Contains(DateOnly day) => day >= From && !(day > To);

    /// <summary>True when the two periods share a day.</summary>
    public bool Overlaps(Period other) => !(From > other.To) && !(other.From > To);
}

/// <summary>
/// The agrément that the préfet of a département gives to an espace de rencontre (CASF D216-1 to D216-7). No judge may
/// designate an espace without one that is valid on the day of the decision.
/// </summary>
/// <param name="Number">Number given by the préfecture; may be empty.</param>
/// <param name="Departement">Code of the département whose préfet decides.</param>
/// <param name="State">Where the procedure stood when it was last recorded; <see cref="StateOn"/> tells it for a day.</param>
/// <param name="RequestDate">Day on which the full file reached the préfet; null when unknown.</param>
/// <param name="StartDate">First day of validity; null when there is none, or when silence gave it.</param>
/// <param name="EndDate">Last day of validity, included; null without term.</param>
internal sealed record Agrement(
    string Number,
    string Departement,
    AgrementState State,
    DateOnly? RequestDate,
    DateOnly? StartDate,
    DateOnly? EndDate)
{
    /// <summary>Day of the préfet's decision to grant, refuse, withdraw or suspend; null when unknown.</summary>
    public DateOnly? DecisionDate { get; init; }

    /// <summary>External ids of the lieux that it covers; empty: all of the espace.</summary>
    public IReadOnlyList<string> LieuExternalIds { get; init; } = [];

    /// <summary>Months of silence after which a full file is held to be granted (CASF R216-2).</summary>
    public const int MonthsOfSilence = 2;

    /// <summary>
    /// First day on which silence has granted the agrément: the day after the second month has run out, the cautious reading.
    /// Null when no full file is dated, or when the calendar ends before.
    /// </summary>
    public DateOnly? GrantedBySilenceOn => RequestDate is { Year: < 9999 } asked ? asked.SameDayAfter(MonthsOfSilence).AddDays(1) : null;

    /// <summary>
    /// True for a refusal that came after silence had granted the agrément: it refuses nothing any more. What the préfet can
    /// still do is withdraw, which is another state, with the last day of validity.
    /// </summary>
    public bool RefusedTooLate => State == AgrementState.Refuse && DecisionDate >= GrantedBySilenceOn;

    /// <summary>True when both cover the same lieu on the same day: of one place and one day there is one agrément.</summary>
    public bool Collides(Agrement other) =>
        Validity is { } mine && other.Validity is { } theirs && mine.Overlaps(theirs)
        && (LieuExternalIds.Count == 0 || other.LieuExternalIds.Count == 0 || LieuExternalIds.Intersect(other.LieuExternalIds, StringComparer.Ordinal).Any());

    /// <summary>The days on which the espace may be designated under this agrément; null when there are none.</summary>
    public Period? Validity => State switch
    {
        AgrementState.Accorde or AgrementState.ReputeAcquis or AgrementState.Retire or AgrementState.Suspendu
            when (StartDate ?? (State == AgrementState.Accorde ? null : GrantedBySilenceOn)) is { } from && !(from > EndDate) => new(from, EndDate),
        AgrementState.Demande when GrantedBySilenceOn is { } from => new(from, null),
        _ => null,
    };

    /// <summary>True when a judge may designate the espace by a decision of this day.</summary>
    public bool IsValidOn(DateOnly day) => Validity?.Contains(day) ?? false;

    /// <summary>The state on a day: silence grants what was asked, a withdrawal or suspension counts from the day after its last valid day.</summary>
    public AgrementState StateOn(DateOnly day) => State switch
    {
        AgrementState.Demande when day >= GrantedBySilenceOn => AgrementState.ReputeAcquis,
        AgrementState.Refuse when RequestDate <= day && day < DecisionDate => AgrementState.Demande,
        AgrementState.Accorde or AgrementState.ReputeAcquis when RequestDate <= day && day < Validity?.From => AgrementState.Demande,
        AgrementState.Retire or AgrementState.Suspendu when IsValidOn(day) => AgrementState.Accorde,
        _ => State,
    };

    /// <summary>
    /// The last day of an unbroken validity that includes the given day, over agréments that follow each other; null when it
    /// has no end. Callers make sure that the day itself is valid.
    /// </summary>
    public static DateOnly? ValidUntil(IReadOnlyCollection<Period> periods, DateOnly day)
    {
        var last = day;
        while (true)
        {
            var next = last;
            foreach (var period in periods)
            {
                if (!period.Contains(last) && !period.Contains(last.PlusDays(1)))
                    continue;
                if (period.To is not { } to)
                    return null;
                if (to > next)
                    next = to;
            }
            if (next == last)
                return last;
            last = next;
        }
    }
}
