using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
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
        insert into deadlines (mesure_id, kind, must_act, due_at, urgent, remind_at)
        select $1, p.kind, p.must_act, p.due_at, p.urgent, p.remind_at from unnest($2, $3, $4, $5, $6) as p (kind, must_act, due_at, urgent, remind_at)
        on conflict (mesure_id, kind, due_at) do nothing
        """;

    private const string Replace = """
        with gone as (
            delete from deadlines d where d.mesure_id = any($1)
                and not exists (
                    select from unnest($2, $3, $5) as p (mesure_id, kind, due_at) where p.mesure_id = d.mesure_id and p.kind = d.kind and p.due_at = d.due_at))
        insert into deadlines (mesure_id, kind, must_act, due_at, urgent, remind_at)
        select p.mesure_id, p.kind, p.must_act, p.due_at, p.urgent, p.remind_at
        from unnest($2, $3, $4, $5, $6, $7) as p (mesure_id, kind, must_act, due_at, urgent, remind_at)
        where not exists (select from deadlines k where k.mesure_id = p.mesure_id and k.kind = p.kind and k.due_at = p.due_at)
        order by p.mesure_id, p.kind, p.due_at
        on conflict (mesure_id, kind, due_at) do nothing
        """;

    // A sweep that runs beside an act may tell what is due by the time of its end: acts take this long at most.
    private static readonly TimeSpan s_longestAct = TimeSpan.FromMinutes(10);

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

    /// <summary>
    /// Whether a deadline of a mesure may have been told by the end of the act that is at hand. Of all others nothing can be lifted:
    /// they cost no look.
    /// </summary>
    /// <param name="mesure">The mesure as its deadlines were planned last.</param>
    /// <param name="now">Now.</param>
    public static bool MayBeTold(Mesure mesure, DateTimeOffset now) => mesure.NextDueAt <= now + s_longestAct;

    /// <summary>
    /// What is told of deadlines that had been told and that a plan leaves out. Their rows stay locked: a sweep either told them
    /// before, which is seen here, or passes them by and finds them gone.
    /// </summary>
    /// <param name="db">A context with a transaction.</param>
    /// <param name="plans">The mesures that may have such deadlines, with their plans.</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<IReadOnlyList<MesureEvent>> LiftedAsync(
        MesuresDbContext db, IReadOnlyCollection<(Mesure Mesure, DeadlinePlan Plan)> plans, DateTimeOffset now, CancellationToken ct)
    {
        if (plans.Count == 0)
        {
            return [];
        }

        Guid[] ids = [.. plans.Select(p => p.Mesure.Id)];
        var until = now + s_longestAct;
        var told = await db.Deadlines
            .FromSql($"select * from deadlines where mesure_id = any({ids}) and due_at <= {until} order by mesure_id, kind, due_at for update")
            .AsNoTracking().ToListAsync(ct);
        var ofMesure = told.Where(d => d.RaisedAt is not null).ToLookup(d => d.MesureId);
        var lifted = plans.SelectMany(p => ofMesure[p.Mesure.Id]
            .Where(d => !p.Plan.Deadlines.Any(k => k.Kind == d.Kind && k.DueAt == d.DueAt)), (p, d) => (p.Mesure, Deadline: d)).ToList();
        if (lifted.Count == 0)
        {
            return [];
        }

        Guid[] concerned = [.. lifted.Select(l => l.Mesure.Id).Distinct()];
        var operators = (await db.Reminders.Where(r => concerned.Contains(r.MesureId) && r.Rung == ReminderRung.Operator)
            .Select(r => new { r.MesureId, r.Kind, r.DueAt }).ToListAsync(ct)).Select(r => (r.MesureId, r.Kind, r.DueAt)).ToHashSet();
        return
        [
            .. lifted.Select(l => MesureEvents.Lifted(
                l.Mesure, l.Deadline, DeadlineTable.Escalates(l.Deadline.Kind) || operators.Contains((l.Mesure.Id, l.Deadline.Kind, l.Deadline.DueAt)), now)),
        ];
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
        Inserts.Value<bool[]>([.. deadlines.Select(d => d.Urgent)]),
        Inserts.Value<DateTimeOffset[]>([.. deadlines.Select(d => d.RemindAt!.Value)]),
    ];
}
