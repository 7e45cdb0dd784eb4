using System.Globalization;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Npgsql;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Search;

/// <summary>
/// Reads changed espaces by plain commands, part by part in the order of their ids: 20,000 of them in about a second, and
/// nothing stays in memory but what is searched.
/// </summary>
internal sealed class SnapshotReader(NpgsqlConnection connection, Geography geography, SchoolCalendar calendar, PastForecasts forecasts, long since, DateTimeOffset now)
{
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);

    /// <summary>The espaces changed after a revision.</summary>
    public async Task<IReadOnlyCollection<SearchedEspace>> ReadAsync(CancellationToken ct)
    {
        var espaces = new Dictionary<Guid, SearchedParts>();
        await EachAsync("""
            select e.id, e.gestionnaire_id, e.name, e.departement, e.fictive, e.state, e.alert_text, e.accueil_languages, e.accueil_interpreter_on_request,
                e.accueil_precariousness_support, e.accueil_exclusions, e.accueil_court_codes, e.accueil_commune_insees,
                e.accueil_cour_appel_names
            from espaces e where e.revision > $1
            """, r => espaces.Add(r.GetGuid(0), new SearchedParts(
                r.GetGuid(0), r.GetGuid(1), r.GetString(2), Text(r, 3), r.GetBoolean(4), Code<EspaceState>(r, 5), Text(r, 6),
                Texts(r, 7), r.GetBoolean(8), r.GetBoolean(9), Texts(r, 10), geography.CourtsOf(Texts(r, 11), Texts(r, 13)), Texts(r, 12))), ct);
        if (espaces.Count == 0)
            return [];

        var lieux = new Dictionary<Guid, Proto.Lieu>();
        await EachAsync("""
            select l.espace_id, l.id, l.external_id, l.name, l.address_line, l.commune_insee, l.latitude, l.longitude, l.wheelchair_accessible,
                l.separate_entrances, l.staggered_arrivals, l.outdoor_area, l.car_park, l.accessibilites
            from lieux l join espaces e on e.id = l.espace_id where e.revision > $1 order by l.espace_id, l.position
            """, r => espaces[r.GetGuid(0)].Lieux.Add(lieux[r.GetGuid(1)] = Lieu(r)), ct);
        await EachAsync("""
            select d.lieu_id, d.mode, d.line, d.stop, d.walk_minutes
            from dessertes d join lieux l on l.id = d.lieu_id join espaces e on e.id = l.espace_id where e.revision > $1 order by d.lieu_id, d.position
            """, r => lieux[r.GetGuid(0)].Dessertes.Add(new Desserte { Mode = Code<TransportMode>(r, 1), Line = Text(r, 2), Stop = r.GetString(3), WalkMinutes = r.GetInt32(4) }), ct);
        await EachAsync("""
            select a.espace_id, a.state, a.request_date, a.start_date, a.end_date, a.lieu_external_ids
            from agrements a join espaces e on e.id = a.espace_id where e.revision > $1
            """, r => Add(espaces[r.GetGuid(0)].Agrements, new Domain.Agrement("", "", Code<AgrementState>(r, 1), Day(r, 2), Day(r, 3), Day(r, 4)), Texts(r, 5)), ct);
        await EachAsync("""
            select f.espace_id, f.start_date, f.end_date, f.lieu_external_id
            from fermetures f join espaces e on e.id = f.espace_id where e.revision > $1 order by f.espace_id, f.start_date, f.end_date
            """, r => espaces[r.GetGuid(0)].Fermetures.Add((Day(r, 1)!.Value, Day(r, 2)!.Value, r.GetString(3))), ct);
        await EachAsync("""
            select o.espace_id, o.external_id, o.lieu_external_id, o.rrule, o.start_date, o.start_minute, o.end_minute, o.modalites, o.slot_minutes, o.families,
                o.school_holidays, o.open_on_public_holidays
            from ouvertures o join espaces e on e.id = o.espace_id where e.revision > $1 order by o.espace_id, o.position
            """, r => espaces[r.GetGuid(0)].Ouvertures.Add(Ouverture(r)), ct);
        await EachAsync("""
            select m.espace_id, m.modalite, m.state, m.min_age, m.max_age, m.accepted_situations, m.protection_order_accepted, m.slots_per_week,
                m.wait_days, m.wait_as_of, m.wait_source, m.reopening_date, m.max_siblings, m.min_rencontre_minutes, m.max_rencontre_minutes,
                m.periodicities, m.accepted_publics, m.waiting_families, g.confirmed_at,
                m.free_places, m.free_places_as_of
            from modalites m join espaces e on e.id = m.espace_id
            left join espace_groups g on g.espace_id = m.espace_id and g.espace_group = 'MODALITE' and g.key = m.modalite
            where e.revision > $1
            """, r => espaces[r.GetGuid(0)].Modalites.Add(Modalite(r)), ct);
        await EachAsync($"""
            select r.espace_id, {SearchedParts.ReceivedColumns}
            from mesure_receptions r join espaces e on e.id = r.espace_id
            where e.revision > $1 and r.received_on > current_date - {SearchedParts.ReceivedDays} order by r.espace_id, r.modalite, r.received_on
            """, r => espaces[r.GetGuid(0)].Receive(r, 1), ct);
        await EachAsync("""
            select h.espace_id, h.modalite, h.mesure_id, h.number, h.expires_at
            from place_holds h join espaces e on e.id = h.espace_id where e.revision > $1 order by h.espace_id, h.modalite, h.number
            """, r => espaces[r.GetGuid(0)].Held.Add((Code<Modalite>(r, 1), new(r.GetGuid(2), r.GetInt64(3), r.GetFieldValue<DateTimeOffset>(4)))), ct);
        foreach (var espace in espaces.Values)
            espace.Held.RemoveAll(h => h.Place.Until <= now);
        return [.. espaces.Values.Select(e => e.Build(geography.Travel, calendar, forecasts))];
    }

    private Proto.Lieu Lieu(NpgsqlDataReader r)
    {
        var insee = Text(r, 5);
        var lieu = new Proto.Lieu
        {
            LieuId = r.GetGuid(1).ToString(),
            ExternalId = r.GetString(2),
            Name = r.GetString(3),
            AddressLine = r.GetString(4),
            CommuneInsee = insee,
            CommuneName = geography.CommuneNames[insee],
            Latitude = r.GetDouble(6),
            Longitude = r.GetDouble(7),
            WheelchairAccessible = r.GetBoolean(8),
            SeparateEntrances = r.GetBoolean(9),
            StaggeredArrivals = r.GetBoolean(10),
            OutdoorArea = r.GetBoolean(11),
            CarPark = r.GetBoolean(12),
            TimeZone = Communes.ZoneOf(insee),
        };
        lieu.Accessibilites.Add(Texts(r, 13).Select(ProtoConversions.FromCode<Accessibilite>));
        return lieu;
    }

    private static void Add(List<(Period, string[], bool)> agrements, Domain.Agrement agrement, string[] lieux)
    {
        if (agrement.Validity is { } days)
            agrements.Add((days, lieux, agrement.State == AgrementState.Demande));
    }

    private Ouverture Ouverture(NpgsqlDataReader r) => new()
    {
        ExternalId = r.GetString(1),
        LieuExternalId = Text(r, 2),
        Rrule = Text(r, 3),
        StartDate = Day(r, 4).ToProto(),
        StartTime = new TimeOfDay { Hours = r.GetInt32(5) / 60, Minutes = r.GetInt32(5) % 60 },
        EndTime = new TimeOfDay { Hours = r.GetInt32(6) / 60, Minutes = r.GetInt32(6) % 60 },
        Modalites = { Texts(r, 7).Select(ProtoConversions.FromCode<Modalite>) },
        SlotMinutes = r.GetInt32(8),
        Families = r.GetInt32(9),
        SchoolHolidays = Code<SchoolHolidayRule>(r, 10),
        OpenOnPublicHolidays = r.GetBoolean(11),
    };

    private ModaliteParts Modalite(NpgsqlDataReader r) => new()
    {
        Modalite = Code<Modalite>(r, 1),
        State = Code<ModaliteState>(r, 2),
        MinAge = r.GetInt32(3),
        MaxAge = r.GetInt32(4),
        Situations = Codes<SituationParticuliere>(r, 5),
        ProtectionOrder = r.GetBoolean(6),
        SlotsPerWeek = r.GetInt32(7),
        Wait = Day(r, 9) is { } asOf ? new Wait(r.GetInt32(8), asOf) : null,
        WaitSource = r.IsDBNull(10) ? FigureSource.Unspecified : Code<FigureSource>(r, 10),
        ReopensOn = Day(r, 11),
        MaxSiblings = r.GetInt32(12),
        MinMinutes = r.GetInt32(13),
        MaxMinutes = r.GetInt32(14),
        Frequencies = Array.ConvertAll(Texts(r, 15), FrequencyOf),
        Publics = Codes<PublicAccueilli>(r, 16),
        WaitingFamilies = r.IsDBNull(17) ? null : r.GetInt32(17),
        ConfirmedOn = r.IsDBNull(18) ? null : r.GetFieldValue<DateTimeOffset>(18).DayInParis(),
        Places = Day(r, 20) is { } free ? new DeclaredPlaces(r.GetInt32(19), free) : null,
    };

    // As the database holds it: count/interval/unit, such as "2/1/MONTH".
    private static Frequency FrequencyOf(string code)
    {
        var parts = code.Split('/');
        return Frequency.Of(
            int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture), ProtoConversions.FromCode<PeriodicityUnit>(parts[2]));
    }

    private async Task EachAsync(string sql, Action<NpgsqlDataReader> read, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = since } } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            read(reader);
    }

    private static T Code<T>(NpgsqlDataReader reader, int column)
        where T : struct, Enum => ProtoConversions.FromCode<T>(reader.GetString(column));

    private static uint Codes<T>(NpgsqlDataReader reader, int column)
        where T : struct, Enum => SearchedEspace.Bits(reader.GetFieldValue<string[]>(column).Select(ProtoConversions.FromCode<T>));

    private static DateOnly? Day(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateOnly>(column);

    private string Text(NpgsqlDataReader reader, int column) => Shared(reader.GetString(column));

    private string[] Texts(NpgsqlDataReader reader, int column) =>
        reader.GetFieldValue<string[]>(column) is { Length: > 0 } texts ? Array.ConvertAll(texts, Shared) : [];

    // Texts that many espaces have are kept once.
    private string Shared(string text) => _texts.TryAdd(text, text) ? text : _texts[text];
}
