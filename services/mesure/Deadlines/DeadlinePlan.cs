using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;

namespace Jafer.Mesures.Deadlines;

/// <summary>
/// The deadlines of a mesure after its acts, written with them by one statement: what is no longer waited for goes, what is new
/// comes, and what is due at another time than before will be told again.
/// </summary>
internal sealed class DeadlinePlan : IAppended
{
    // That of many would be planned anew each time: its generic plan looks dearer than one made for a single mesure.
    private const string ReplaceOne = """
        with gone as (
            delete from deadlines d where d.mesure_id = $1
                and not exists (select from unnest($2, $4) as p (kind, due_at) where p.kind = d.kind and p.due_at = d.due_at))
        insert into deadlines (mesure_id, kind, must_act, due_at)
        select $1, p.kind, p.must_act, p.due_at from unnest($2, $3, $4) as p (kind, must_act, due_at)
        on conflict (mesure_id, kind, due_at) do nothing
        """;

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

    NpgsqlBatchCommand IAppended.ToInsert() => Inserts.With(ReplaceOne, [Inserts.Value(MesureId), .. Parameters(Deadlines)]);

    /// <summary>Writes the plans of many mesures by one statement, in the transaction that is open.</summary>
    public static async Task WriteAsync(NpgsqlConnection connection, IReadOnlyList<DeadlinePlan> plans, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Replace, connection);
        List<Deadline> deadlines = [.. plans.SelectMany(p => p.Deadlines)];
        command.Parameters.Add(Inserts.Value<Guid[]>([.. plans.Select(p => p.MesureId)]));
        command.Parameters.Add(Inserts.Value<Guid[]>([.. deadlines.Select(d => d.MesureId)]));
        command.Parameters.AddRange(Parameters(deadlines));
        await command.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlParameter[] Parameters(IReadOnlyList<Deadline> deadlines) =>
    [
        Inserts.Value<string[]>([.. deadlines.Select(d => d.Kind.ToCode())]),
        Inserts.Value<string[]>([.. deadlines.Select(d => d.MustAct.ToCode())]),
        Inserts.Value<DateTimeOffset[]>([.. deadlines.Select(d => d.DueAt)]),
    ];
}
