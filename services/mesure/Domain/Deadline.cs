using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>A time by which somebody must have acted; stored once for each mesure, kind and time, as long as the act is missing.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class Deadline
{
    public required Guid MesureId { get; init; }

    public required DeadlineKind Kind { get; init; }

    public required Holder MustAct { get; init; }

    public required DateTimeOffset DueAt { get; init; }

    /// <summary>Whether somebody may be in danger: reminders then come by the hour.</summary>
    public bool Urgent { get; init; }

    /// <summary>When it was told that it is due; null before.</summary>
    public DateTimeOffset? RaisedAt { get; init; }

    /// <summary>When the next reminder is due; null after the last.</summary>
    public DateTimeOffset? RemindAt { get; init; }
}
