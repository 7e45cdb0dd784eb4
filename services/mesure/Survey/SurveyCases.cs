using System.Globalization;
using System.Text;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain.Survey;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Secrets;
using Npgsql;
using Child = Jafer.Mesures.Domain.Child;

namespace Jafer.Mesures.Survey;

/// <summary>Reads what the survey looks at in mesures, a portion of them at a time.</summary>
internal static class SurveyCases
{
    private static readonly byte[] s_birth = KeyRing.Binding("children.birth_date");

    private const string Mesures = """
        select m.id, m.gestionnaire_id, coalesce(m.espace_departement, e.departement, ''), m.nature, m.origin, m.decision_nature, m.decision_legal_basis,
            m.decision_situations, m.decision_principal_situation,
            m.origin <> 'PROLONGEMENT' and coalesce((select p.closure_reason = 'TRANSFERT' from mesures p where p.id = m.predecessor_id), false),
            (case when m.nature = 'JUDICIAIRE' then m.transmitted_at else coalesce(m.acknowledged_at, m.created_at) end at time zone 'Europe/Paris')::date,
            (least(m.visiteur_contact_at, m.hote_contact_at, m.interview_at) at time zone 'Europe/Paris')::date,
            (m.first_scheduling_at at time zone 'Europe/Paris')::date,
            (m.first_planned_rencontre_at at time zone coalesce(m.espace_time_zone, 'Europe/Paris'))::date,
            (m.first_held_rencontre_at at time zone coalesce(m.espace_time_zone, 'Europe/Paris'))::date,
            (m.closed_at at time zone 'Europe/Paris')::date, m.closure_reason, m.ever_scheduled,
            coalesce(m.decision_date, (m.created_at at time zone 'Europe/Paris')::date)
        from mesures m left join espaces e on e.id = m.espace_id
        where m.id = any($1) and m.gestionnaire_id is not null and (m.nature <> 'JUDICIAIRE' or m.transmitted_at is not null)
        """;

    // Added up where they stand: of the rencontres of a year a few rows are read, and of the children who came those who came together.
    // Codes need no language to be compared.
    private const string Rencontres = """
        select mesure_id, extract(year from starts_at at time zone time_zone)::smallint, outcome collate "C", case when outcome = 'HELD' then present_child_ids end, count(*)::integer
        from rencontres where mesure_id = any($1) group by 1, 2, 3, 4
        """;

    private const string Children = "select id, birth_date, age_at_decision from children where id = any($1)";

    /// <summary>The mesures that an espace has received, of those asked for.</summary>
    /// <param name="connection">An open connection of the service's own work.</param>
    /// <param name="ids">Which mesures.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<List<SurveyCase>> ReadAsync(NpgsqlConnection connection, Guid[] ids, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(Mesures) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = ids } } },
                new NpgsqlBatchCommand(Rencontres) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = ids } } },
            },
        };
        batch.Timeout = 600;
        var cases = new List<(SurveyCase Case, DateOnly Began)>(ids.Length);
        var rencontres = new Dictionary<Guid, List<(int Year, RencontreOutcome Outcome, int Count)>>();
        var present = new Dictionary<Guid, HashSet<(int Year, Guid Child)>>();
        await using (var reader = await batch.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
            {
                cases.Add((
                    new SurveyCase
                    {
                        MesureId = reader.GetGuid(0),
                        GestionnaireId = reader.GetGuid(1),
                        Departement = reader.GetString(2),
                        Nature = ProtoConversions.FromCode<MesureNature>(reader.GetString(3)),
                        Origin = ProtoConversions.FromCode<NonJudicialOrigin>(reader.GetString(4)),
                        DecisionNature = ProtoConversions.FromCode<DecisionNature>(reader.GetString(5)),
                        LegalBasis = ProtoConversions.FromCode<LegalBasis>(reader.GetString(6)),
                        Situations = [.. reader.GetFieldValue<string[]>(7).Select(ProtoConversions.FromCode<SituationParticuliere>)],
                        PrincipalSituation = ProtoConversions.FromCode<SituationParticuliere>(reader.GetString(8)),
                        ByTransfer = reader.GetBoolean(9),
                        ReceivedOn = reader.GetFieldValue<DateOnly>(10),
                        ContactedOn = Day(reader, 11),
                        ScheduledOn = Day(reader, 12),
                        PlannedOn = Day(reader, 13),
                        HeldOn = Day(reader, 14),
                        ClosedOn = Day(reader, 15),
                        ClosureReason = ProtoConversions.FromCode<ClosureReason>(reader.GetString(16)),
                        EverScheduled = reader.GetBoolean(17),
                    },
                    reader.GetFieldValue<DateOnly>(18)));
            }

            await reader.NextResultAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                var year = reader.GetInt16(1);
                Of(rencontres, reader).Add((year, ProtoConversions.FromCode<RencontreOutcome>(reader.GetString(2)), reader.GetInt32(4)));
                if (!reader.IsDBNull(3))
                {
                    Of(present, reader).UnionWith(reader.GetFieldValue<Guid[]>(3).Select(child => ((int)year, child)));
                }
            }
        }

        var children = new Dictionary<Guid, (DateOnly? Birth, int? Age)>();
        await using (var command = new NpgsqlCommand(Children, connection) { CommandTimeout = 600 })
        {
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. present.Values.SelectMany(p => p.Select(c => c.Child)).Distinct()] });
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                children[reader.GetGuid(0)] = (reader.IsDBNull(1) ? null : Birth(reader.GetFieldValue<byte[]>(1)), reader.IsDBNull(2) ? null : reader.GetInt16(2));
            }
        }

        return [.. cases.Select(c => c.Case with
        {
            Rencontres = rencontres.GetValueOrDefault(c.Case.MesureId) ?? [],
            Children =
            [
                .. (present.GetValueOrDefault(c.Case.MesureId) ?? []).Where(p => children.ContainsKey(p.Child))
                    .Select(p => (p.Year, children[p.Child] is { Birth: { } birth } ? Child.AgeOn(c.Began, birth) : children[p.Child].Age)),
            ],
        })];

        static DateOnly? Day(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateOnly>(column);

        static T Of<T>(Dictionary<Guid, T> all, NpgsqlDataReader reader)
            where T : new()
        {
            var id = reader.GetGuid(0);
            if (!all.TryGetValue(id, out var of))
            {
                all[id] = of = new T();
            }

            return of;
        }
    }

    private static DateOnly Birth(byte[] value) =>
        DateOnly.ParseExact(Encoding.ASCII.GetString(KeyRing.Process.Open(value, s_birth)), "O", CultureInfo.InvariantCulture);
}
