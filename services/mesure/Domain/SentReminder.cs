using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Privacy;
using Npgsql;

namespace Jafer.Mesures.Domain;

/// <summary>A reminder of a deadline that went out; stored for good.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class SentReminder : IAppended
{
    /// <summary>UUID of its event.</summary>
    public required Guid Id { get; init; }

    public required Guid MesureId { get; init; }

    public required DeadlineKind Kind { get; init; }

    /// <summary>When the deadline was due.</summary>
    public required DateTimeOffset DueAt { get; init; }

    public required Holder MustAct { get; init; }

    public required ReminderRung Rung { get; init; }

    /// <summary>Which one of its rung, from 1.</summary>
    public required int Number { get; init; }

    public required DateTimeOffset RemindedAt { get; init; }

    NpgsqlBatchCommand IAppended.ToInsert() => Inserts.With(
        "insert into reminders (id, mesure_id, kind, due_at, must_act, rung, number, reminded_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        Inserts.Value(Id), Inserts.Value(MesureId), Inserts.Value(Kind.ToCode()), Inserts.Value(DueAt), Inserts.Value(MustAct.ToCode()), Inserts.Value(Rung.ToCode()),
        Inserts.Value(Number), Inserts.Value(RemindedAt));
}
