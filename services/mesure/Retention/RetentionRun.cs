using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Retention;

/// <summary>A run that applies the rules to all mesures. It keeps how far it came, so that any replica goes on with it.</summary>
[Holds(DataCategory.Technical, Processing.Accountability, Kept.Unlimited)]
internal sealed class RetentionRun
{
    public required Guid Id { get; init; }

    /// <summary>Whether it only counts.</summary>
    public required bool DryRun { get; init; }

    /// <summary>Which night began it; null for one that was ordered.</summary>
    public DateOnly? Night { get; init; }

    /// <summary>The rules apply to what was due then.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>Code of the rule that it is at.</summary>
    public required string Rule { get; set; }

    /// <summary>The mesure with which it dealt last by that rule.</summary>
    public Guid AfterMesureId { get; set; }

    /// <summary>When it was told that no run was finished since this one.</summary>
    public DateTimeOffset? OverdueToldAt { get; set; }

    /// <summary>Open mesures of which nothing was told for as long as content is kept.</summary>
    public long Stale { get; set; }
}

/// <summary>What a run did by one rule; of a dry run, what it would do.</summary>
[Holds(DataCategory.Statistics, Processing.Accountability, Kept.Unlimited)]
internal sealed class RetentionCount
{
    public required Guid RunId { get; init; }

    public required string Rule { get; init; }

    public long Due { get; set; }

    public long Erased { get; set; }

    public long Held { get; set; }

    public long Failed { get; set; }

    public DateTimeOffset? OldestAt { get; set; }
}

/// <summary>While it holds, nothing of the mesure is erased. Who placed it stands in the access journal.</summary>
[Holds(DataCategory.CaseLife, Processing.Accountability, Kept.WithMesure)]
internal sealed class LegalHold
{
    public required Guid Id { get; init; }

    public required Guid MesureId { get; init; }

    public required LegalHoldReason Reason { get; init; }

    /// <summary>Number of the file that asks for it.</summary>
    public required string Reference { get; init; }

    /// <summary>Last day on which it holds; null until it is lifted.</summary>
    public DateOnly? UntilDate { get; init; }

    public required Guid OrganisationId { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? LiftedAt { get; set; }
}
