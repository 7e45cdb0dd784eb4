using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Privacy;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain.Survey;

/// <summary>The survey of one year.</summary>
[Holds(DataCategory.Statistics, Processing.Figures, Kept.Unlimited)]
internal sealed class SurveyCampaign
{
    /// <summary>Days within which nobody is reminded twice.</summary>
    public const int DaysBetweenReminders = 7;

    public required int Year { get; init; }

    public SurveyCampaignState State { get; private set; } = SurveyCampaignState.Open;

    /// <summary>Last day on which returns are expected.</summary>
    public required DateOnly DueDate { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    public DateTimeOffset? ClosedAt { get; private set; }

    public DateTimeOffset? RemindedAt { get; private set; }

    /// <summary>What everybody is told of the year, as it was when the campaign was closed; null before.</summary>
    public byte[]? Publication { get; private set; }

    public long Version { get; private set; } = 1;

    /// <summary>Whether nothing changes any more.</summary>
    public bool IsClosed => State == SurveyCampaignState.Closed;

    /// <summary>Those who have not validated are reminded.</summary>
    /// <param name="now">Now.</param>
    public void Remind(DateTimeOffset now)
    {
        RequireOpen("REMIND_SURVEY_CAMPAIGN");
        if ((RemindedAt ?? OpenedAt).DayInParis().AddDays(DaysBetweenReminders) > now.DayInParis())
        {
            throw DomainError.StateForbids(State.ToCode(), "REMIND_SURVEY_CAMPAIGN", "it was opened, or all were reminded, less than seven days ago");
        }

        RemindedAt = now;
        Version++;
    }

    /// <summary>Nothing changes any more.</summary>
    /// <param name="now">Now.</param>
    public void Close(DateTimeOffset now)
    {
        RequireOpen("CLOSE_SURVEY_CAMPAIGN");
        (State, ClosedAt) = (SurveyCampaignState.Closed, now);
        Version++;
    }

    /// <summary>Keeps what everybody is told: two answers of different times would tell more than each.</summary>
    /// <param name="publication">The public figures, as they are sent.</param>
    public void Publish(byte[] publication) => Publication = publication;

    private void RequireOpen(string act)
    {
        if (IsClosed)
        {
            throw DomainError.StateForbids(State.ToCode(), act);
        }
    }
}
