using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Espaces;

/// <summary>From checked messages to the rows of an espace: each call replaces one part of it.</summary>
internal static class EspaceParts
{
    /// <summary>Replaces the agréments; the latest stands first.</summary>
    public static void Apply(EspaceRow row, IEnumerable<Proto.Agrement> agrements)
    {
        var latestFirst = agrements.OrderByDescending(a => ImportChecks.ToDate(a.StartDate) ?? ImportChecks.ToDate(a.RequestDate) ?? DateOnly.MinValue);
        Merge(row.Agrements, latestFirst, a => a.Position, (_, position) => position,
            (a, position) => Set(new AgrementRow
            {
                EspaceId = row.Id,
                Position = position,
                Number = "",
                Departement = "",
                State = a.State,
                RequestDate = null,
                StartDate = null,
                EndDate = null,
            }, a),
            (existing, a, _) => Set(existing, a));

        static AgrementRow Set(AgrementRow row, Proto.Agrement a)
        {
            (row.Number, row.Departement, row.State) = (Said(a.Number), a.Departement, a.State);
            (row.RequestDate, row.StartDate, row.EndDate) = (ImportChecks.ToDate(a.RequestDate), ImportChecks.ToDate(a.StartDate), ImportChecks.ToDate(a.EndDate));
            (row.DecisionDate, row.ListEntryDate) = (ImportChecks.ToDate(a.DecisionDate), ImportChecks.ToDate(a.ListEntryDate));
            row.LieuExternalIds = Sorted(a.LieuExternalIds);
            return row;
        }
    }

    /// <summary>Replaces the lieux.</summary>
    public static void Apply(EspaceRow row, IEnumerable<Lieu> lieux, Geography geography) => Merge(
        row.Lieux, lieux, l => l.ExternalId, (l, _) => l.ExternalId,
        (l, position) => Set(new LieuRow
        {
            Id = StableIds.Lieu(row.Id, l.ExternalId),
            EspaceId = row.Id,
            Position = position,
            ExternalId = l.ExternalId,
            Name = l.Name,
            AddressLine = l.AddressLine,
            CommuneInsee = l.CommuneInsee,
            Latitude = l.Latitude,
            Longitude = l.Longitude,
            WheelchairAccessible = l.WheelchairAccessible,
            SeparateEntrances = l.SeparateEntrances,
        }, l, position, geography),
        (existing, l, position) => Set(existing, l, position, geography));

    /// <summary>Creates or replaces modalités, their waits apart.</summary>
    /// <param name="row">The espace.</param>
    /// <param name="modalites">The modalités.</param>
    /// <param name="removeOthers">Whether those not given are removed.</param>
    public static void Apply(EspaceRow row, IEnumerable<ModaliteOfferte> modalites, bool removeOthers) => Merge(
        row.Modalites, modalites, m => m.Modalite, (m, _) => m.Modalite,
        (m, _) => Set(new ModaliteRow
        {
            EspaceId = row.Id,
            Modalite = m.Modalite,
            State = m.State,
            CapacityFamilies = m.CapacityFamilies,
            SlotsPerWeek = m.SlotsPerWeek,
            MinAge = m.MinAge,
            MaxAge = m.MaxAge,
            AcceptedSituations = [],
            ProtectionOrderAccepted = m.ProtectionOrderAccepted,
        }, m),
        (existing, m, _) => Set(existing, m), removeOthers);

    /// <summary>Replaces how families are received.</summary>
    public static void Apply(EspaceRow row, Accueil? accueil)
    {
        accueil ??= new Accueil();
        var part = row.Accueil;
        part.Languages = Sorted(accueil.Languages);
        part.InterpreterOnRequest = accueil.InterpreterOnRequest;
        part.PremierContact = accueil.PremierContact;
        part.ContactDeadlineDays = accueil.ContactDeadlineDays;
        part.Documents = Codes(accueil.Documents);
        part.AbsencesBeforeReferral = accueil.AbsencesBeforeReferral;
        part.ParticipationFeeCents = accueil.ParticipationFeeCents;
        part.PrecariousnessSupport = accueil.PrecariousnessSupport;
        part.MealsPossible = accueil.MealsPossible;
        part.AnimalsAccepted = accueil.AnimalsAccepted;
        part.Exclusions = [.. accueil.Exclusions];
        // A règlement of which nothing is said is none.
        var reglement = accueil.Reglement is { } said && (Said(said.Version).Length > 0 || said.Uri.Length > 0 || said.StartDate is not null) ? said : null;
        part.ReglementVersion = reglement is null ? null : Said(reglement.Version);
        part.ReglementUri = reglement?.Uri ?? "";
        part.ReglementStartDate = ImportChecks.ToDate(reglement?.StartDate);
        part.CourtCodes = Sorted(accueil.CourtCodes);
        part.CommuneInsees = Sorted(accueil.CommuneInsees);
        part.CourAppelNames = Sorted(accueil.CourAppelNames);
        Merge(row.Entretiens, accueil.Entretiens, e => e.Position, (_, position) => position,
            (e, position) => new EntretienRow
            {
                EspaceId = row.Id,
                Position = position,
                Party = e.Party,
                Minutes = e.Minutes,
                LeadDays = e.LeadDays,
                RemotePossible = e.RemotePossible,
            },
            (existing, e, _) => (existing.Party, existing.Minutes, existing.LeadDays, existing.RemotePossible) = (e.Party, e.Minutes, e.LeadDays, e.RemotePossible));
    }

    /// <summary>Replaces the opening schedule.</summary>
    public static void Apply(EspaceRow row, IEnumerable<Ouverture> ouvertures) => Merge(
        row.Ouvertures, ouvertures, o => o.Position, (_, position) => position,
        (o, position) => Set(new OuvertureRow
        {
            EspaceId = row.Id,
            Position = position,
            ExternalId = o.ExternalId,
            LieuExternalId = o.LieuExternalId,
            Rrule = o.Rrule,
            StartDate = default,
            StartMinute = 0,
            EndMinute = 0,
            Modalites = [],
            SlotMinutes = o.SlotMinutes,
            Families = o.Families,
            SchoolHolidays = o.SchoolHolidays,
            OpenOnPublicHolidays = o.OpenOnPublicHolidays,
        }, o),
        (existing, o, _) => Set(existing, o));

    /// <summary>Replaces the exceptional closures.</summary>
    public static void Apply(EspaceRow row, IEnumerable<Fermeture> fermetures) => Merge(
        row.Fermetures, fermetures, f => f.Position, (_, position) => position,
        (f, position) => new FermetureRow
        {
            EspaceId = row.Id,
            Position = position,
            StartDate = ImportChecks.ToDate(f.StartDate)!.Value,
            EndDate = ImportChecks.ToDate(f.EndDate)!.Value,
            Reason = f.Reason,
            LieuExternalId = f.LieuExternalId,
        },
        (existing, f, _) => (existing.StartDate, existing.EndDate, existing.Reason, existing.LieuExternalId) =
            (ImportChecks.ToDate(f.StartDate)!.Value, ImportChecks.ToDate(f.EndDate)!.Value, f.Reason, f.LieuExternalId));

    /// <summary>Adds what is new, overwrites what is known by its key, removes what is no longer there.</summary>
    public static void Merge<TRow, TItem, TKey>(
        List<TRow> rows, IEnumerable<TItem> items, Func<TRow, TKey> rowKey, Func<TItem, short, TKey> itemKey,
        Func<TItem, short, TRow> create, Action<TRow, TItem, short> overwrite, bool removeOthers = true)
        where TKey : notnull
    {
        var gone = rows.ToDictionary(rowKey);
        short position = 0;
        foreach (var item in items)
        {
            if (gone.Remove(itemKey(item, position), out var row))
                overwrite(row, item, position);
            else
                rows.Add(create(item, position));
            position++;
        }
        if (removeOthers)
            rows.RemoveAll(gone.ContainsValue);
    }

    /// <summary>A text of nothing but blanks says nothing: no file could hold it.</summary>
    public static string Said(string text) => string.IsNullOrWhiteSpace(text) ? "" : text;

    private static LieuRow Set(LieuRow row, Lieu lieu, short position, Geography geography)
    {
        // Nothing given is nought and nought: then the chef-lieu stands in.
        var (latitude, longitude) = lieu is { Latitude: 0, Longitude: 0 }
            ? geography.Points.GetValueOrDefault(lieu.CommuneInsee)
            : (lieu.Latitude, lieu.Longitude);
        (row.Position, row.Name, row.AddressLine, row.CommuneInsee, row.Latitude, row.Longitude) =
            (position, lieu.Name, Said(lieu.AddressLine), lieu.CommuneInsee, latitude, longitude);
        (row.WheelchairAccessible, row.SeparateEntrances, row.StaggeredArrivals, row.OutdoorArea, row.CarPark) =
            (lieu.WheelchairAccessible, lieu.SeparateEntrances, lieu.StaggeredArrivals, lieu.OutdoorArea, lieu.CarPark);
        row.Accessibilites = Codes(lieu.Accessibilites);
        Merge(row.Dessertes, lieu.Dessertes, d => d.Position, (_, at) => at,
            (d, at) => new DesserteRow { LieuId = row.Id, Position = at, Mode = d.Mode, Line = Said(d.Line), Stop = d.Stop, WalkMinutes = d.WalkMinutes },
            (existing, d, _) => (existing.Mode, existing.Line, existing.Stop, existing.WalkMinutes) = (d.Mode, Said(d.Line), d.Stop, d.WalkMinutes));
        return row;
    }

    private static ModaliteRow Set(ModaliteRow row, ModaliteOfferte m)
    {
        (row.State, row.CapacityFamilies, row.SlotsPerWeek, row.MinAge, row.MaxAge, row.ProtectionOrderAccepted) =
            (m.State, m.CapacityFamilies, m.SlotsPerWeek, m.MinAge, m.MaxAge, m.ProtectionOrderAccepted);
        (row.FundedCapacityFamilies, row.ReopeningDate, row.MaxSiblings, row.MinRencontreMinutes, row.MaxRencontreMinutes, row.ModeAccueil) =
            (m.FundedCapacityFamilies, ImportChecks.ToDate(m.ReopeningDate), m.MaxSiblings, m.MinRencontreMinutes, m.MaxRencontreMinutes, m.ModeAccueil);
        row.AcceptedSituations = Codes(m.AcceptedSituations);
        row.AcceptedPublics = Codes(m.AcceptedPublics);
        row.Periodicities = Sorted(m.Periodicities.Select(GroupDocuments.ToCode));
        row.WaitingFamilies = m.HasWaitingFamilies ? m.WaitingFamilies : null;
        row.Places = m.FreePlaces?.ToDomain();
        (row.StaffPresent, row.NextEstimatedDate) = (m.StaffPresent, ImportChecks.ToDate(m.NextEstimatedDate));
        row.VifAmenagements = Codes(m.VifAmenagements);
        return row;
    }

    private static OuvertureRow Set(OuvertureRow row, Ouverture o)
    {
        (row.ExternalId, row.LieuExternalId, row.Rrule, row.StartDate) = (o.ExternalId, o.LieuExternalId, o.Rrule, ImportChecks.ToDate(o.StartDate)!.Value);
        (row.StartMinute, row.EndMinute) = (o.StartTime.Hours * 60 + o.StartTime.Minutes, o.EndTime.Hours * 60 + o.EndTime.Minutes);
        row.Modalites = Codes(o.Modalites);
        (row.SlotMinutes, row.Families, row.SchoolHolidays, row.OpenOnPublicHolidays) = (o.SlotMinutes, o.Families, o.SchoolHolidays, o.OpenOnPublicHolidays);
        return row;
    }

    private static string[] Codes<T>(IEnumerable<T> values)
        where T : struct, Enum => [.. values.Distinct().Order().Select(v => v.ToCode())];

    private static string[] Sorted(IEnumerable<string> values) => [.. values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
