using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Search;

/// <summary>
/// Reads changed espaces by plain commands, part by part in the order of their ids: 20,000 of them in about a second, and
/// nothing stays in memory but what is searched.
/// </summary>
internal sealed class SnapshotReader(NpgsqlConnection connection, Geography geography, long since)
{
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Frequency> _frequencies = new(StringComparer.Ordinal);

    /// <summary>The espaces changed after a revision.</summary>
    public async Task<IReadOnlyCollection<SearchedEspace>> ReadAsync(CancellationToken ct)
    {
        var espaces = new Dictionary<Guid, Parts>();
        await EachAsync("""
            select e.id, e.gestionnaire_id, e.name, e.departement, e.fictive, e.state, e.alert_text
            from espaces e where e.revision > $1
            """, r => espaces.Add(r.GetGuid(0), new Parts(r.GetGuid(0), r.GetGuid(1), r.GetString(2), Text(r, 3), r.GetBoolean(4), Code<EspaceState>(r, 5), Text(r, 6))), ct);
        if (espaces.Count == 0)
            return [];

        await EachAsync("""
            select l.espace_id, l.id, l.external_id, l.name, l.address_line, l.commune_insee, l.latitude, l.longitude, l.wheelchair_accessible,
                l.separate_entrances
            from lieux l join espaces e on e.id = l.espace_id where e.revision > $1 order by l.espace_id, l.position
            """, r => espaces[r.GetGuid(0)].Lieux.Add(Lieu(r)), ct);
        await EachAsync("""
            select a.espace_id, a.state, a.request_date, a.start_date, a.end_date
            from agrements a join espaces e on e.id = a.espace_id where e.revision > $1
            """, r => Add(espaces[r.GetGuid(0)].Agrements, new Domain.Agrement("", "", Code<AgrementState>(r, 1), Day(r, 2), Day(r, 3), Day(r, 4))), ct);
        await EachAsync("""
            select m.espace_id, m.modalite, m.state, m.min_age, m.max_age, m.accepted_situations, m.protection_order_accepted, m.slots_per_week,
                m.wait_days, m.wait_as_of, m.wait_source
            from modalites m join espaces e on e.id = m.espace_id where e.revision > $1
            """, r => espaces[r.GetGuid(0)].Modalites.Add(Modalite(r)), ct);
        return [.. espaces.Values.Select(Build)];
    }

    private SearchedEspace Build(Parts parts)
    {
        var positions = new Dictionary<string, int>(parts.Lieux.Count, StringComparer.Ordinal);
        for (var i = 0; i < parts.Lieux.Count && i < EspaceFacts.MaxLieux; i++)
            positions.Add(parts.Lieux[i].ExternalId, i);
        var facts = new EspaceFacts
        {
            Id = parts.Id,
            Departement = parts.Departement,
            State = parts.State,
            Agrements = [.. parts.Agrements.Select(a => new AgrementFacts(a.Days, Bits(a.Lieux)))],
            Lieux = [.. parts.Lieux.Select(l => new LieuFacts(geography.Travel.NumberOf(l.CommuneInsee), AccessOf(l)))],
        };
        return new SearchedEspace(
            facts, parts.Id.ToString(), parts.Name, parts.Fictive, parts.AlertText, [], parts.GestionnaireId, [.. parts.Lieux],
            [.. parts.Modalites.Select(m => new Offer
            {
                Espace = facts,
                Modalite = m.Modalite,
                State = m.State,
                MinAge = m.MinAge,
                MaxAge = m.MaxAge,
                Situations = m.Situations,
                ProtectionOrder = m.ProtectionOrder,
                SlotsPerWeek = m.SlotsPerWeek,
                Wait = m.Wait,
                WaitSource = m.WaitSource,
            })]);

        // No lieu named: all of them.
        ulong Bits(string[] lieux) => lieux.Length == 0
            ? ulong.MaxValue
            : lieux.Aggregate(0UL, (bits, id) => positions.TryGetValue(id, out var i) ? bits | 1UL << i : bits);
    }

    private static LieuAccess AccessOf(Proto.Lieu lieu)
    {
        var access = (lieu.WheelchairAccessible ? LieuAccess.Wheelchair : 0)
            | (lieu.SeparateEntrances || lieu.StaggeredArrivals ? LieuAccess.ParentsApart : 0)
            | (lieu.Dessertes.Any(d => d.WalkMinutes <= LieuFacts.LongestWalk) ? LieuAccess.WithoutCar : 0);
        var described = access != 0 || lieu.OutdoorArea || lieu.CarPark || lieu.Dessertes.Count > 0 || lieu.Accessibilites.Count > 0;
        return described ? access | LieuAccess.Described : LieuAccess.None;
    }

    private Proto.Lieu Lieu(NpgsqlDataReader r)
    {
        var insee = Text(r, 5);
        return new Proto.Lieu
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
            TimeZone = LocalTime.ZoneOf(insee),
        };
    }

    private static void Add(List<(Period, string[])> agrements, Domain.Agrement agrement)
    {
        if (agrement.Validity is { } days)
            agrements.Add((days, []));
    }

    private static ModaliteParts Modalite(NpgsqlDataReader r) => new()
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
    };

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

    // Texts that many espaces share are kept once.
    private string Text(NpgsqlDataReader reader, int column)
    {
        var text = reader.GetString(column);
        return _texts.TryAdd(text, text) ? text : _texts[text];
    }

    private sealed record Parts(Guid Id, Guid GestionnaireId, string Name, string Departement, bool Fictive, EspaceState State, string AlertText)
    {
        public List<Proto.Lieu> Lieux { get; } = [];

        public List<(Period Days, string[] Lieux)> Agrements { get; } = [];

        public List<ModaliteParts> Modalites { get; } = [];
    }

    private sealed record ModaliteParts
    {
        public required Modalite Modalite { get; init; }

        public required ModaliteState State { get; init; }

        public required int MinAge { get; init; }

        public required int MaxAge { get; init; }

        public required uint Situations { get; init; }

        public required bool ProtectionOrder { get; init; }

        public required int SlotsPerWeek { get; init; }

        public required Wait? Wait { get; init; }

        public required FigureSource WaitSource { get; init; }
    }
}
