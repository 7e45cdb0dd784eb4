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
    private const string Replace = """
        with gone as (delete from deadlines where mesure_id = $1 and kind <> all($2))
        insert into deadlines as d (mesure_id, kind, must_act, due_at)
        select $1, p.kind, p.must_act, p.due_at from unnest($2, $3, $4) as p (kind, must_act, due_at)
        on conflict (mesure_id, kind) do update set must_act = excluded.must_act, due_at = excluded.due_at, raised_at = null
        where d.due_at <> excluded.due_at
        """;

    public required Guid MesureId { get; init; }

    /// <summary>All that run.</summary>
    public required IReadOnlyList<Deadline> Deadlines { get; init; }

    NpgsqlBatchCommand IAppended.ToInsert() => new(Replace)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = MesureId },
            new NpgsqlParameter<string[]> { TypedValue = [.. Deadlines.Select(d => d.Kind.ToCode())] },
            new NpgsqlParameter<string[]> { TypedValue = [.. Deadlines.Select(d => d.MustAct.ToCode())] },
            new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. Deadlines.Select(d => d.DueAt)] },
        },
    };
}
