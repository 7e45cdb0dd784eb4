using System.Text.RegularExpressions;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Espaces;

/// <summary>What can be wrong with the parts of an espace, whoever sends them. Every violation is recorded.</summary>
internal static partial class EspaceChecks
{
    /// <summary>Longest name.</summary>
    public const int MaxName = 200;

    /// <summary>Longest alert text.</summary>
    public const int MaxAlert = 500;

    private const int MaxParts = 50;
    private const int MaxId = 100;
    private const int MaxMinutes = 720;

    [GeneratedRegex(@"\A[a-z]{2,3}\z")]
    private static partial Regex LanguageCode();

    /// <summary>
    /// Agréments: of the espace's département, their validity without overlap, the lieux that they name there. What is held as
    /// it stands was checked when it was said; silence may have made two of them valid on the same day since. Of one that is recorded alone
    /// the path is its own.
    /// </summary>
    public static void Agrements(
        FieldChecks check, string path, IReadOnlyList<Proto.Agrement> agrements, IReadOnlySet<string> lieux, string departement,
        Geography geography, DateOnly today, HeldParts held, Proto.Agrement? alone = null)
    {
        check.That(agrements.Count <= MaxParts, path, "must have at most 50 entries");
        var known = held.Find(agrements);
        var stated = new List<(Domain.Agrement Agrement, bool Held)>();
        foreach (var (i, agrement) in agrements.Take(MaxParts).Index())
        {
            var at = alone is null ? $"{path}[{i}]" : path;
            var whole = known[i] is { } same ? ImportChecks.ToDomain(same) : Agrement(check, at, agrement, departement, geography);
            for (var l = 0; l < agrement.LieuExternalIds.Count; l++)
                check.That(lieux.Contains(agrement.LieuExternalIds[l]), $"{at}.lieu_external_ids[{l}]", "is not one of the lieux");
            // A file still open may lie beside the agrément that it is to renew.
            if (whole.State == AgrementState.Refuse || (whole.State == AgrementState.Demande && !(today >= whole.GrantedBySilenceOn)))
                continue;
            check.That(
                !stated.Exists(s => whole.Collides(s.Agrement) && !(s.Held && known[i] is not null)), at,
                whole.State == AgrementState.Demande
                    ? "silence granted it on days of an agrément before it: record it as REPUTE_ACQUIS from the day after that one"
                    : "its validity overlaps that of an agrément before it");
            stated.Add((whole, known[i] is not null));
        }
    }

    private static Domain.Agrement Agrement(FieldChecks check, string at, Proto.Agrement agrement, string departement, Geography geography)
    {
        check.Text($"{at}.number", agrement.Number, MaxId);
        Departement(check, $"{at}.departement", agrement.Departement, geography);
        check.That(
            agrement.Departement == departement || !geography.Departements.Contains(departement) || !geography.Departements.Contains(agrement.Departement),
            $"{at}.departement", "must be that of the espace: each préfet decides for his département");
        var state = check.Known($"{at}.state", agrement.State);
        var request = check.OptionalDate($"{at}.request_date", agrement.RequestDate);
        var start = check.OptionalDate($"{at}.start_date", agrement.StartDate);
        var end = check.OptionalDate($"{at}.end_date", agrement.EndDate);
        check.That(!(start > end), $"{at}.end_date", "must not lie before start_date");
        var decision = check.OptionalDate($"{at}.decision_date", agrement.DecisionDate);
        check.That(!(request > decision), $"{at}.decision_date", "must not lie before request_date");
        check.OptionalDate($"{at}.list_entry_date", agrement.ListEntryDate);
        var whole = new Domain.Agrement("", "", state, request, start, end) { DecisionDate = decision, LieuExternalIds = agrement.LieuExternalIds };
        check.That(!whole.RefusedTooLate, $"{at}.decision_date", "silence had granted the agrément before: record its withdrawal");
        check.That(!(request > start), $"{at}.start_date", "must not lie before request_date");
        switch (state)
        {
            case AgrementState.Demande:
                check.That(agrement.RequestDate is not null, $"{at}.request_date", "is required in this state");
                goto case AgrementState.Refuse;
            case AgrementState.Refuse:
                check.That(agrement.StartDate is null, $"{at}.start_date", "must be absent in this state");
                check.That(agrement.EndDate is null, $"{at}.end_date", "must be absent in this state");
                break;
            case AgrementState.Accorde:
                check.That(agrement.StartDate is not null, $"{at}.start_date", "is required in this state");
                break;
            case AgrementState.ReputeAcquis:
                check.That(agrement.StartDate is not null || agrement.RequestDate is not null, $"{at}.request_date", "is required in this state unless start_date is given");
                check.That(request > start || !(start < whole.GrantedBySilenceOn), $"{at}.start_date", "must not lie before two months of silence have passed since request_date");
                break;
            case AgrementState.Retire or AgrementState.Suspendu:
                check.That(agrement.EndDate is not null, $"{at}.end_date", "is required in this state");
                break;
        }
        return whole;
    }

    /// <summary>Lieux lie in the département of their espace, but for those that are held elsewhere.</summary>
    public static void LieuxWithin(FieldChecks check, string path, IReadOnlyList<Lieu> lieux, string departement, Geography geography, HeldParts held)
    {
        foreach (var (i, lieu) in lieux.Take(MaxParts).Index())
        {
            check.That(
                !geography.CommuneNames.ContainsKey(lieu.CommuneInsee) || !geography.Departements.Contains(departement)
                    || Geography.DepartementOf(lieu.CommuneInsee) == departement || held.Has(lieu),
                $"{path}[{i}].commune_insee", "must lie in the département of the espace");
        }
    }

    /// <summary>Lieux.</summary>
    public static void Lieux(FieldChecks check, string path, IReadOnlyList<Lieu> lieux, Geography geography)
    {
        check.That(lieux.Count is >= 1 and <= MaxParts, path, "must have 1 to 50 entries");
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, lieu) in lieux.Take(MaxParts).Index())
        {
            var at = $"{path}[{i}]";
            Id(check, $"{at}.external_id", lieu.ExternalId, ids);
            check.Text($"{at}.name", lieu.Name, MaxName, required: true);
            check.Text($"{at}.address_line", lieu.AddressLine, MaxName);
            check.That(geography.CommuneNames.ContainsKey(lieu.CommuneInsee), $"{at}.commune_insee", "is not a known commune");
            check.That(lieu.Latitude is >= -90 and <= 90, $"{at}.latitude", "must be from -90 to 90");
            check.That(lieu.Longitude is >= -180 and <= 180, $"{at}.longitude", "must be from -180 to 180");
            Each(check, $"{at}.accessibilites", lieu.Accessibilites);
            check.That(lieu.Dessertes.Count <= MaxParts, $"{at}.dessertes", "must have at most 50 entries");
            foreach (var (d, desserte) in lieu.Dessertes.Take(MaxParts).Index())
            {
                check.Known($"{at}.dessertes[{d}].mode", desserte.Mode);
                check.Text($"{at}.dessertes[{d}].line", desserte.Line, 40);
                check.Text($"{at}.dessertes[{d}].stop", desserte.Stop, 100, required: true);
                check.Range($"{at}.dessertes[{d}].walk_minutes", desserte.WalkMinutes, 0, 60);
            }
        }
    }

    /// <summary>Modalités.</summary>
    public static void Modalites(FieldChecks check, string path, IReadOnlyList<ModaliteOfferte> modalites, DateOnly today)
    {
        check.That(modalites.Count <= MaxParts, path, "must have at most 50 entries");
        var seen = new HashSet<Modalite>();
        foreach (var (i, modalite) in modalites.Take(MaxParts).Index())
        {
            var at = $"{path}[{i}]";
            check.Known($"{at}.modalite", modalite.Modalite);
            check.That(seen.Add(modalite.Modalite), $"{at}.modalite", "stands twice");
            check.Known($"{at}.state", modalite.State);
            check.Range($"{at}.capacity_families", modalite.CapacityFamilies, 0, 500);
            check.Range($"{at}.slots_per_week", modalite.SlotsPerWeek, 0, 2000);
            check.Range($"{at}.min_age", modalite.MinAge, 0, 17);
            check.That(modalite.MaxAge >= modalite.MinAge && modalite.MaxAge <= 17, $"{at}.max_age", "must be from min_age to 17");
            for (var s = 0; s < modalite.AcceptedSituations.Count; s++)
                check.Known($"{at}.accepted_situations[{s}]", modalite.AcceptedSituations[s]);
            Further(check, at, modalite);
            if (modalite.FreePlaces is { } places)
            {
                check.Range($"{at}.free_places.count", places.Count, 0, DeclaredPlaces.Most);
                check.That(check.Date($"{at}.free_places.as_of_date", places.AsOfDate) <= today, $"{at}.free_places.as_of_date", "must not lie in the future");
            }
            if (modalite.DeclaredWait is not { } wait)
                continue;
            check.Range($"{at}.declared_wait.days", wait.Days, 0, Wait.MaxDays);
            check.That(check.Date($"{at}.declared_wait.as_of_date", wait.AsOfDate) <= today, $"{at}.declared_wait.as_of_date", "must not lie in the future");
        }
    }

    /// <summary>How families are received; absent is nothing said.</summary>
    public static void Accueil(FieldChecks check, string path, Accueil? accueil, Geography geography)
    {
        if (accueil is null)
            return;
        check.That(accueil.Languages.Count <= MaxParts, $"{path}.languages", "must have at most 50 entries");
        foreach (var (i, language) in accueil.Languages.Take(MaxParts).Index())
            check.That(LanguageCode().IsMatch(language), $"{path}.languages[{i}]", "must be an ISO 639 code of two or three lower case letters");
        check.That(accueil.Entretiens.Count <= MaxParts, $"{path}.entretiens", "must have at most 50 entries");
        foreach (var (i, entretien) in accueil.Entretiens.Take(MaxParts).Index())
        {
            check.Known($"{path}.entretiens[{i}].party", entretien.Party);
            check.Range($"{path}.entretiens[{i}].minutes", entretien.Minutes, 5, 480);
            check.Range($"{path}.entretiens[{i}].lead_days", entretien.LeadDays, 0, 365);
        }
        check.KnownOrUnspecified($"{path}.premier_contact", accueil.PremierContact);
        check.Range($"{path}.contact_deadline_days", accueil.ContactDeadlineDays, 0, 365);
        Each(check, $"{path}.documents", accueil.Documents);
        check.Range($"{path}.absences_before_referral", accueil.AbsencesBeforeReferral, 0, 20);
        check.Range($"{path}.participation_fee_cents", accueil.ParticipationFeeCents, 0, 100_000);
        check.That(accueil.Exclusions.Count <= 10, $"{path}.exclusions", "must have at most 10 entries");
        foreach (var (i, exclusion) in accueil.Exclusions.Take(10).Index())
            check.Text($"{path}.exclusions[{i}]", exclusion, MaxName, required: true);
        if (accueil.Reglement is { } reglement)
        {
            check.Text($"{path}.reglement.version", reglement.Version, 40);
            check.That(
                reglement.Uri.Length == 0 || (reglement.Uri.Length <= 2000 && Uri.TryCreate(reglement.Uri, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps),
                $"{path}.reglement.uri", "must be an https address");
            check.OptionalDate($"{path}.reglement.start_date", reglement.StartDate);
        }
        check.That(accueil.CourtCodes.Count <= 200, $"{path}.court_codes", "must have at most 200 entries");
        foreach (var (i, code) in accueil.CourtCodes.Take(200).Index())
            check.That(geography.CourtDepartements.ContainsKey(code), $"{path}.court_codes[{i}]", "is not a known court");
        check.That(accueil.CourAppelNames.Count <= 50, $"{path}.cour_appel_names", "must have at most 50 entries");
        foreach (var (i, name) in accueil.CourAppelNames.Take(50).Index())
            check.That(geography.CoursAppel.ContainsKey(name), $"{path}.cour_appel_names[{i}]", "is not a known cour d'appel");
        check.That(accueil.CommuneInsees.Count <= 2000, $"{path}.commune_insees", "must have at most 2000 entries");
        foreach (var (i, insee) in accueil.CommuneInsees.Take(2000).Index())
            check.That(geography.CommuneNames.ContainsKey(insee), $"{path}.commune_insees[{i}]", "is not a known commune");
    }

    /// <summary>Opening schedule; each lieu that it names must be there, each modalité offered. What is held as it stands stays.</summary>
    public static void Ouvertures(
        FieldChecks check, string path, IReadOnlyList<Ouverture> ouvertures, IReadOnlySet<string> lieux, IReadOnlySet<Modalite> offered, HeldParts held)
    {
        check.That(ouvertures.Count <= MaxParts, path, "must have at most 50 entries");
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, ouverture) in ouvertures.Take(MaxParts).Index())
        {
            var at = $"{path}[{i}]";
            Id(check, $"{at}.external_id", ouverture.ExternalId, ids);
            check.That(lieux.Contains(ouverture.LieuExternalId), $"{at}.lieu_external_id", "is not one of the lieux");
            check.Text($"{at}.rrule", ouverture.Rrule, MaxName);
            var first = check.Date($"{at}.start_date", ouverture.StartDate);
            if (first != default && !Recurrence.TryParse(ouverture.Rrule, first, out _, out var error))
                check.Add($"{at}.rrule", error);
            var start = Minute(check, $"{at}.start_time", ouverture.StartTime);
            var end = Minute(check, $"{at}.end_time", ouverture.EndTime);
            check.That(!(end <= start), $"{at}.end_time", "must lie after start_time");
            Each(check, $"{at}.modalites", ouverture.Modalites);
            check.Range($"{at}.slot_minutes", ouverture.SlotMinutes, 5, MaxMinutes);
            if (!held.Has(ouverture))
            {
                // A modalité that could not be read may be the one.
                for (var m = 0; m < Math.Min(ouverture.Modalites.Count, MaxParts); m++)
                {
                    var known = ouverture.Modalites[m] != Modalite.Unspecified && Enum.IsDefined(ouverture.Modalites[m]);
                    check.That(!known || offered.Contains(ouverture.Modalites[m]) || offered.Contains(Modalite.Unspecified), $"{at}.modalites[{m}]", "is not offered by the espace");
                }
                check.That(!(ouverture.SlotMinutes > end - start) || end <= start, $"{at}.slot_minutes", "must not be longer than the opening");
            }
            check.Range($"{at}.families", ouverture.Families, 1, 500);
            check.KnownOrUnspecified($"{at}.school_holidays", ouverture.SchoolHolidays);
        }
    }

    /// <summary>Exceptional closures; a lieu that one names must be there.</summary>
    public static void Fermetures(FieldChecks check, string path, IReadOnlyList<Fermeture> fermetures, IReadOnlySet<string> lieux)
    {
        check.That(fermetures.Count <= 200, path, "must have at most 200 entries");
        foreach (var (i, fermeture) in fermetures.Take(200).Index())
        {
            var at = $"{path}[{i}]";
            var start = check.Date($"{at}.start_date", fermeture.StartDate);
            var end = check.Date($"{at}.end_date", fermeture.EndDate);
            check.That(end >= start || fermeture.EndDate is null, $"{at}.end_date", "must not lie before start_date");
            check.KnownOrUnspecified($"{at}.reason", fermeture.Reason);
            check.That(fermeture.LieuExternalId.Length == 0 || lieux.Contains(fermeture.LieuExternalId), $"{at}.lieu_external_id", "is not one of the lieux");
        }
    }

    /// <summary>A département that the reference data know.</summary>
    public static void Departement(FieldChecks check, string path, string code, Geography geography) =>
        check.That(geography.Departements.Contains(code), path, "is not a known département");

    /// <summary>An identifier of a source, given once.</summary>
    public static void Id(FieldChecks check, string path, string id, HashSet<string>? seen)
    {
        check.Text(path, id, MaxId, required: true);
        check.That(seen?.Add(id) ?? true, path, "stands twice");
    }

    private static void Further(FieldChecks check, string at, ModaliteOfferte modalite)
    {
        check.Range($"{at}.funded_capacity_families", modalite.FundedCapacityFamilies, 0, 500);
        check.OptionalDate($"{at}.reopening_date", modalite.ReopeningDate);
        check.That(
            modalite.ReopeningDate is null || modalite.State is ModaliteState.Complete or ModaliteState.Fermee,
            $"{at}.reopening_date", "must be absent unless the state is COMPLETE or FERMEE");
        check.Range($"{at}.max_siblings", modalite.MaxSiblings, 0, 20);
        Length(check, $"{at}.min_rencontre_minutes", modalite.MinRencontreMinutes);
        Length(check, $"{at}.max_rencontre_minutes", modalite.MaxRencontreMinutes);
        check.That(
            modalite.MaxRencontreMinutes == 0 || modalite.MinRencontreMinutes <= modalite.MaxRencontreMinutes,
            $"{at}.max_rencontre_minutes", "must not be less than min_rencontre_minutes");
        check.That(modalite.Periodicities.Count <= MaxParts, $"{at}.periodicities", "must have at most 50 entries");
        foreach (var (i, periodicity) in modalite.Periodicities.Take(MaxParts).Index())
        {
            check.Range($"{at}.periodicities[{i}].rencontre_count", periodicity.RencontreCount, 1, 31);
            check.Range($"{at}.periodicities[{i}].interval_count", periodicity.IntervalCount, 1, 12);
            check.Known($"{at}.periodicities[{i}].unit", periodicity.Unit);
        }
        Each(check, $"{at}.accepted_publics", modalite.AcceptedPublics);
        check.KnownOrUnspecified($"{at}.mode_accueil", modalite.ModeAccueil);
        if (modalite.HasWaitingFamilies)
            check.Range($"{at}.waiting_families", modalite.WaitingFamilies, 0, 5000);
        check.Range($"{at}.staff_present", modalite.StaffPresent, 0, 100);
        Each(check, $"{at}.vif_amenagements", modalite.VifAmenagements);
        check.That(
            modalite.VifAmenagements.Count == 0 || modalite.ProtectionOrderAccepted || modalite.AcceptedSituations.Contains(SituationParticuliere.ViolencesIntrafamiliales),
            $"{at}.vif_amenagements", "must be empty unless accepted_situations has VIOLENCES_INTRAFAMILIALES or protection_order_accepted is set");
        check.OptionalDate($"{at}.next_estimated_date", modalite.NextEstimatedDate);
    }

    private static void Length(FieldChecks check, string path, int minutes) =>
        check.That(minutes == 0 || minutes is >= 5 and <= MaxMinutes, path, "must be 0 or from 5 to 720");

    private static int? Minute(FieldChecks check, string path, TimeOfDay? time)
    {
        if (time is null)
        {
            check.Add(path, "is required");
            return null;
        }
        if (time.Hours is >= 0 and <= 23 && time.Minutes is >= 0 and <= 59 || time is { Hours: 24, Minutes: 0 })
            return time.Hours * 60 + time.Minutes;
        check.Add(path, "must be a time from 00:00 to 24:00");
        return null;
    }

    private static void Each<T>(FieldChecks check, string path, IReadOnlyList<T> values)
        where T : struct, Enum
    {
        check.That(values.Count <= MaxParts, path, "must have at most 50 entries");
        for (var i = 0; i < Math.Min(values.Count, MaxParts); i++)
            check.Known($"{path}[{i}]", values[i]);
    }
}
