using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;

namespace Jafer.Mesures.Deadlines;

/// <summary>
/// The deadlines of a mesure after its acts, written with them by one statement, which serves many mesures too: what is no longer
/// waited for goes, what is new comes, and what is due at another time than before will be told again.
/// </summary>
internal sealed class DeadlinePlan : IAppended
{
    private const string Replace = """
        with gone as (
            delete from deadlines d where d.mesure_id = any($1)
                and not exists (
                    select from unnest($2, $3, $5) as p (mesure_id, kind, due_at) where p.mesure_id = d.mesure_id and p.kind = d.kind and p.due_at = d.due_at))
        insert into deadlines (mesure_id, kind, must_act, due_at)
        select p.mesure_id, p.kind, p.must_act, p.due_at from unnest($2, $3, $4, $5) as p (mesure_id, kind, must_act, due_at)
        where not exists (select from deadlines k where k.mesure_id = p.mesure_id and k.kind = p.kind and k.due_at = p.due_at)
        order by p.mesure_id, p.kind, p.due_at
        on conflict (mesure_id, kind, due_at) do nothing
        """;

    public required Guid MesureId { get; init; }

    /// <summary>All that run.</summary>
    public required IReadOnlyList<Deadline> Deadlines { get; init; }

    /// <summary>The plan of a mesure, which is told when its next deadline is due.</summary>
    /// <param name="mesure">The mesure after its acts.</param>
    /// <param name="difficulties">Its difficulties that are not answered, at least, where they are asked for.</param>
    /// <param name="interviews">Its booked interviews, at least, where they are asked for.</param>
    public static DeadlinePlan Of(Mesure mesure, IEnumerable<Difficulty> difficulties, IEnumerable<Interview> interviews)
    {
        var deadlines = DeadlineTable.Of(mesure, difficulties, interviews);
        mesure.NextDueAt = deadlines.Count == 0 ? DeadlineTable.Never : deadlines[0].DueAt;
        mesure.DeadlinesVersion = DeadlineTable.Version;
        return new DeadlinePlan { MesureId = mesure.Id, Deadlines = deadlines };
    }

    NpgsqlBatchCommand IAppended.ToInsert()
    {
        var command = new NpgsqlBatchCommand(Replace);
        command.Parameters.AddRange(Parameters([this]));
        return command;
    }

    /// <summary>Writes the plans of many mesures by one statement, in the transaction that is open.</summary>
    public static async Task WriteAsync(NpgsqlConnection connection, IReadOnlyList<DeadlinePlan> plans, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Replace, connection);
        command.Parameters.AddRange(Parameters(plans));
        await command.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlParameter[] Parameters(IReadOnlyList<DeadlinePlan> plans)
    {
        var rows = plans.SelectMany(p => p.Deadlines, (plan, deadline) => (plan.MesureId, Deadline: deadline)).ToList();
        return
        [
            new NpgsqlParameter<Guid[]> { TypedValue = [.. plans.Select(p => p.MesureId)] },
            new NpgsqlParameter<Guid[]> { TypedValue = [.. rows.Select(r => r.MesureId)] },
            new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(r => r.Deadline.Kind.ToCode())] },
            new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(r => r.Deadline.MustAct.ToCode())] },
            new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. rows.Select(r => r.Deadline.DueAt)] },
        ];
    }
}
