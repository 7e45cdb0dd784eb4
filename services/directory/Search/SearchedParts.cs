using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Espaces;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Search;

/// <summary>What is read of an espace, of today or of a day gone by, before it is made ready to be searched.</summary>
internal sealed record SearchedParts(
    Guid Id, Guid GestionnaireId, string Name, string Departement, bool Fictive, EspaceState State, string AlertText, string[] Languages, bool Interpreter,
    bool PrecariousnessSupport, string[] Exclusions, string[] Courts, string[] Communes)
{
    public List<Proto.Lieu> Lieux { get; } = [];

    public List<(Period Days, string[] Lieux, bool BySilence)> Agrements { get; } = [];

    public List<(DateOnly From, DateOnly To, string Lieu)> Fermetures { get; } = [];

    public List<Ouverture> Ouvertures { get; } = [];

    public List<ModaliteParts> Modalites { get; } = [];

    public List<(Modalite Modalite, bool Transmitted, FollowedMesure Mesure)> Received { get; } = [];

    public List<(Modalite Modalite, HeldPlace Place)> Held { get; } = [];

    /// <summary>What was held of an espace, put together from its documents.</summary>
    /// <param name="id">The espace.</param>
    /// <param name="espace">Its documents in one.</param>
    /// <param name="confirmed">Day on which each modalité was last said or confirmed.</param>
    /// <param name="geography">Names of communes.</param>
    public static SearchedParts Of(Guid id, Espace espace, IReadOnlyDictionary<Modalite, DateOnly> confirmed, Geography geography)
    {
        var accueil = espace.Accueil ?? new();
        var parts = new SearchedParts(
            id, Guid.Parse(espace.GestionnaireId), espace.Name, espace.Departement, espace.Fictive, espace.State, espace.AlertText, [.. accueil.Languages],
            accueil.InterpreterOnRequest, accueil.PrecariousnessSupport, [.. accueil.Exclusions], geography.CourtsOf(accueil.CourtCodes, accueil.CourAppelNames), [.. accueil.CommuneInsees]);
        parts.Lieux.AddRange(espace.Lieux.Select(l => l.Complete(id, geography)));
        foreach (var agrement in espace.Agrements)
        {
            if (ImportChecks.ToDomain(agrement).Validity is { } days)
                parts.Agrements.Add((days, [.. agrement.LieuExternalIds], agrement.State == AgrementState.Demande));
        }
        parts.Fermetures.AddRange(espace.Fermetures
            .Select(f => (From: ImportChecks.ToDate(f.StartDate)!.Value, To: ImportChecks.ToDate(f.EndDate)!.Value, Lieu: f.LieuExternalId))
            .OrderBy(f => f.From).ThenBy(f => f.To));
        parts.Ouvertures.AddRange(espace.Ouvertures);
        parts.Modalites.AddRange(espace.Modalites.Select(m => new ModaliteParts
        {
            Modalite = m.Modalite,
            State = m.State,
            MinAge = m.MinAge,
            MaxAge = m.MaxAge,
            Situations = SearchedEspace.Bits(m.AcceptedSituations),
            ProtectionOrder = m.ProtectionOrderAccepted,
            SlotsPerWeek = m.SlotsPerWeek,
            Wait = m.DeclaredWait?.ToDomain(),
            WaitSource = m.DeclaredWait?.Source ?? FigureSource.Unspecified,
            ReopensOn = ImportChecks.ToDate(m.ReopeningDate),
            MaxSiblings = m.MaxSiblings,
            MinMinutes = m.MinRencontreMinutes,
            MaxMinutes = m.MaxRencontreMinutes,
            Frequencies = [.. m.Periodicities.Select(p => Frequency.Of(p.RencontreCount, p.IntervalCount, p.Unit))],
            Publics = SearchedEspace.Bits(m.AcceptedPublics),
            WaitingFamilies = m.HasWaitingFamilies ? m.WaitingFamilies : null,
            ConfirmedOn = confirmed.TryGetValue(m.Modalite, out var day) ? day : null,
            Places = m.FreePlaces?.ToDomain(),
        }));
        return parts;
    }

    /// <summary>The espace, ready to be searched.</summary>
    /// <param name="travel">Numbers the communes of its lieux.</param>
    /// <param name="calendar">School holidays, for its opening schedule.</param>
    /// <param name="forecasts">What became of past forecasts.</param>
    public SearchedEspace Build(TravelCache travel, SchoolCalendar calendar, PastForecasts forecasts)
    {
        var positions = new Dictionary<string, int>(Lieux.Count, StringComparer.Ordinal);
        for (var i = 0; i < Lieux.Count && i < EspaceFacts.MaxLieux; i++)
            positions.Add(Lieux[i].ExternalId, i);
        var facts = new EspaceFacts
        {
            Id = Id,
            Departement = Departement,
            State = State,
            Agrements = [.. Agrements.Select(a => new AgrementFacts(a.Days, Bits(a.Lieux)) { BySilence = a.BySilence })],
            Lieux = [.. Lieux.Select(l => new LieuFacts(travel.NumberOf(l.CommuneInsee), AccessOf(l)))],
            Closures = [.. Fermetures.Select(f => new Closure(f.From, f.To, Bits(f.Lieu.Length == 0 ? [] : [f.Lieu])))],
            Languages = Array.ConvertAll(Languages, LanguageCodes.Of),
            Interpreter = Interpreter,
            PrecariousnessSupport = PrecariousnessSupport,
            Courts = Courts,
            Communes = Communes,
        };
        var timetable = Ouvertures.Count == 0 ? null : new Timetable([.. Ouvertures], [.. Lieux.Select(l => (l.ExternalId, l.CommuneInsee))], calendar);
        return new SearchedEspace(
            facts, Id.ToString(), Name, Fictive, AlertText, Exclusions, GestionnaireId, [.. Lieux],
            [.. Modalites.Select(m => new Offer
            {
                Espace = facts,
                Modalite = m.Modalite,
                State = m.State,
                MinAge = m.MinAge,
                MaxAge = m.MaxAge,
                Situations = m.Situations,
                ProtectionOrder = m.ProtectionOrder,
                SlotsPerWeek = m.SlotsPerWeek,
                Timetable = timetable,
                Wait = m.Wait,
                WaitSource = m.WaitSource,
                ReopensOn = m.ReopensOn,
                MaxSiblings = m.MaxSiblings,
                MinMinutes = m.MinMinutes,
                MaxMinutes = m.MaxMinutes,
                Frequencies = m.Frequencies,
                Publics = m.Publics,
                WaitingFamilies = m.WaitingFamilies,
                Places = m.Places,
                Held = [.. Held.Where(h => h.Modalite == m.Modalite).Select(h => h.Place)],
                ConfirmedOn = m.ConfirmedOn,
                ReceivedOn = [.. Received.Where(r => r.Modalite == m.Modalite).Select(r => r.Mesure.TransmittedOn)],
                Followed = [.. Received.Where(r => r.Modalite == m.Modalite && r.Transmitted).Select(r => r.Mesure)],
                Beside = [.. Received.Where(r => r.Modalite == m.Modalite && !r.Transmitted).Select(r => r.Mesure)],
                Forecasts = forecasts,
            })]);

        // No lieu named: all of them.
        ulong Bits(string[] lieux) => lieux.Length == 0
            ? ulong.MaxValue
            : lieux.Aggregate(0UL, (bits, id) => positions.TryGetValue(id, out var i) ? bits | 1UL << i : bits);
    }

    /// <summary>How far back what came is read, in days: who began then may have had a place two years ago, when forecasts were made that count.</summary>
    public const int ReceivedDays = 1500;

    /// <summary>What <see cref="Receive"/> reads of mesure_receptions, in its order.</summary>
    public const string ReceivedColumns = """
        r.modalite, r.received_on, r.transmitted, r.first_held_on, r.closed_on, r.steps_known, r.contacted_on, r.scheduled_on, r.planned_on, r.juridiction_id,
        r.placed_on, r.rencontres_per_year, r.duration_months, r.term_on, r.revised_on, r.revised_months, r.revised_term_on
        """;

    /// <summary>What is read of a mesure that came: modalité, day, whether a court transmitted it, its steps and terms.</summary>
    /// <param name="row">A row of mesure_receptions.</param>
    /// <param name="first">Position of the first of <see cref="ReceivedColumns"/>.</param>
    public void Receive(NpgsqlDataReader row, int first)
    {
        Received.Add((ProtoConversions.FromCode<Modalite>(row.GetString(first)), row.GetBoolean(first + 2), new FollowedMesure(DayAt(1), DayAt(3), DayAt(4))
        {
            StepsKnown = row.GetBoolean(first + 5),
            ContactedOn = DayAt(6),
            ScheduledOn = DayAt(7),
            PlannedOn = DayAt(8),
            JuridictionId = row.IsDBNull(first + 9) ? Guid.Empty : row.GetGuid(first + 9),
            PlacedOn = DayAt(10),
            Terms = new(FigureAt(11), FigureAt(12), DayAt(13)) { RevisedOn = DayAt(14), RevisedMonths = FigureAt(15), RevisedTermOn = DayAt(16) },
        }));

        int DayAt(int column) => row.IsDBNull(first + column) ? 0 : row.GetFieldValue<DateOnly>(first + column).DayNumber;
        int FigureAt(int column) => row.IsDBNull(first + column) ? 0 : row.GetInt32(first + column);
    }

    private static LieuAccess AccessOf(Proto.Lieu lieu)
    {
        var access = (lieu.WheelchairAccessible ? LieuAccess.Wheelchair : 0)
            | (lieu.SeparateEntrances || lieu.StaggeredArrivals ? LieuAccess.ParentsApart : 0)
            | (lieu.Dessertes.Any(d => d.WalkMinutes <= LieuFacts.LongestWalk) ? LieuAccess.WithoutCar : 0);
        foreach (var accessibilite in lieu.Accessibilites)
        {
            access |= accessibilite switch
            {
                Accessibilite.SanitairesAdaptes => LieuAccess.AdaptedToilets,
                Accessibilite.BoucleMagnetique => LieuAccess.InductionLoop,
                Accessibilite.GuidageVisuel => LieuAccess.VisualGuidance,
                Accessibilite.StationnementReserve => LieuAccess.ReservedParking,
                _ => LieuAccess.None,
            };
        }
        var described = access != 0 || lieu.OutdoorArea || lieu.CarPark || lieu.Dessertes.Count > 0 || lieu.Accessibilites.Count > 0;
        return described ? access | LieuAccess.Described : LieuAccess.None;
    }
}

/// <summary>What is read of one modalité of an espace.</summary>
internal sealed record ModaliteParts
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

    public required DateOnly? ReopensOn { get; init; }

    public required int MaxSiblings { get; init; }

    public required int MinMinutes { get; init; }

    public required int MaxMinutes { get; init; }

    public required Frequency[] Frequencies { get; init; }

    public required uint Publics { get; init; }

    public required int? WaitingFamilies { get; init; }

    public required DateOnly? ConfirmedOn { get; init; }

    public required DeclaredPlaces? Places { get; init; }
}
