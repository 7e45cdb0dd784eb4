using System.Text.RegularExpressions;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Contacts;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults.Grpc;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Espaces;

/// <summary>Everything that can be wrong with an import, found at once.</summary>
internal static partial class ImportChecks
{
    private const int MaxEspaces = 50;
    private const int MaxParts = 50;
    private const int MaxName = 200;
    private const int MaxId = 100;

    [GeneratedRegex(@"\A[a-z0-9-]{1,40}\z")]
    private static partial Regex SourceName();

    /// <summary>Checks a request and returns its request id.</summary>
    /// <param name="request">The request.</param>
    /// <param name="geography">Communes and départements.</param>
    /// <param name="today">The latest date that is today somewhere in France.</param>
    public static Guid Check(ImportEspacesRequest request, Geography geography, DateOnly today)
    {
        var check = new FieldChecks();
        check.That(SourceName().IsMatch(request.Source), "source", "must be 1 to 40 lower case letters, digits and hyphens");
        check.That(request.Espaces.Count is >= 1 and <= MaxEspaces, "espaces", "must have 1 to 50 entries");
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var gestionnaires = new Dictionary<string, GestionnaireImport>(StringComparer.Ordinal);
        foreach (var (i, espace) in request.Espaces.Take(MaxEspaces).Index())
        {
            var path = $"espaces[{i}]";
            Id(check, $"{path}.external_id", espace.ExternalId, ids);
            CheckGestionnaire(check, $"{path}.gestionnaire", espace.Gestionnaire, gestionnaires);
            check.Text($"{path}.name", espace.Name, MaxName, required: true);
            CheckDepartement(check, $"{path}.departement", espace.Departement, geography);
            check.Known($"{path}.state", espace.State);
            check.Text($"{path}.alert_text", espace.AlertText, 500);
            CheckAgrements(check, $"{path}.agrements", espace, geography);
            CheckLieux(check, $"{path}.lieux", espace, geography);
            CheckModalites(check, $"{path}.modalites", espace, today);
        }
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return requestId;
    }

    /// <summary>The agrément of a checked import.</summary>
    public static Domain.Agrement ToDomain(Proto.Agrement agrement) => new(
        agrement.Number, agrement.Departement, agrement.State,
        ToDate(agrement.RequestDate), ToDate(agrement.StartDate), ToDate(agrement.EndDate));

    /// <summary>The date of a checked message; null stays null.</summary>
    public static DateOnly? ToDate(Date? date) => date is null ? null : new DateOnly(date.Year, date.Month, date.Day);

    private static void CheckGestionnaire(
        FieldChecks check, string path, GestionnaireImport? gestionnaire, Dictionary<string, GestionnaireImport> known)
    {
        if (gestionnaire is null)
        {
            check.Add(path, "is required");
            return;
        }
        Id(check, $"{path}.external_id", gestionnaire.ExternalId, null);
        if (!known.TryAdd(gestionnaire.ExternalId, gestionnaire))
            check.That(known[gestionnaire.ExternalId].Equals(gestionnaire), path, "differs from the same gestionnaire earlier in the request");
        check.Text($"{path}.name", gestionnaire.Name, MaxName, required: true);
        check.That(Siret.IsValid(gestionnaire.Siret), $"{path}.siret", "must be a SIRET of 14 digits with a valid key");
        ContactChecks.Check(check, $"{path}.contacts", gestionnaire.Contacts);
    }

    private static void CheckAgrements(FieldChecks check, string path, EspaceImport espace, Geography geography)
    {
        check.That(espace.Agrements.Count <= MaxParts, path, "must have at most 50 entries");
        var stated = new List<Period>();
        foreach (var (i, agrement) in espace.Agrements.Take(MaxParts).Index())
        {
            var at = $"{path}[{i}]";
            check.Text($"{at}.number", agrement.Number, MaxId);
            CheckDepartement(check, $"{at}.departement", agrement.Departement, geography);
            var state = check.Known($"{at}.state", agrement.State);
            var request = check.OptionalDate($"{at}.request_date", agrement.RequestDate);
            var start = check.OptionalDate($"{at}.start_date", agrement.StartDate);
            var end = check.OptionalDate($"{at}.end_date", agrement.EndDate);
            check.That(!(start > end), $"{at}.end_date", "must not lie before start_date");
            check.That(!(request > start), $"{at}.start_date", "must not lie before request_date");
            switch (state)
            {
                case AgrementState.Demande:
                    check.That(agrement.RequestDate is not null, $"{at}.request_date", "is required in this state");
                    goto case AgrementState.Refuse;
                case AgrementState.Refuse:
                    check.That(agrement.StartDate is null, $"{at}.start_date", "must be absent in this state");
                    check.That(agrement.EndDate is null, $"{at}.end_date", "must be absent in this state");
                    continue;
                case AgrementState.Accorde:
                    check.That(agrement.StartDate is not null, $"{at}.start_date", "is required in this state");
                    break;
                case AgrementState.ReputeAcquis:
                    check.That(agrement.StartDate is not null || agrement.RequestDate is not null, $"{at}.request_date", "is required in this state unless start_date is given");
                    break;
                case AgrementState.Retire:
                    check.That(agrement.EndDate is not null, $"{at}.end_date", "is required in this state");
                    break;
            }
            if (new Domain.Agrement("", "", state, request, start, end).Validity is not { } validity)
                continue;
            check.That(!stated.Exists(validity.Overlaps), at, "its validity overlaps that of an agrément before it");
            stated.Add(validity);
        }
    }

    private static void CheckLieux(FieldChecks check, string path, EspaceImport espace, Geography geography)
    {
        check.That(espace.Lieux.Count is >= 1 and <= MaxParts, path, "must have 1 to 50 entries");
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, lieu) in espace.Lieux.Take(MaxParts).Index())
        {
            var at = $"{path}[{i}]";
            Id(check, $"{at}.external_id", lieu.ExternalId, ids);
            check.Text($"{at}.name", lieu.Name, MaxName, required: true);
            check.Text($"{at}.address_line", lieu.AddressLine, MaxName);
            check.That(geography.CommuneNames.ContainsKey(lieu.CommuneInsee), $"{at}.commune_insee", "is not a known commune");
            check.That(lieu.Latitude is >= -90 and <= 90, $"{at}.latitude", "must be from -90 to 90");
            check.That(lieu.Longitude is >= -180 and <= 180, $"{at}.longitude", "must be from -180 to 180");
        }
    }

    private static void CheckModalites(FieldChecks check, string path, EspaceImport espace, DateOnly today)
    {
        check.That(espace.Modalites.Count <= MaxParts, path, "must have at most 50 entries");
        var seen = new HashSet<Modalite>();
        foreach (var (i, modalite) in espace.Modalites.Take(MaxParts).Index())
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
            if (modalite.DeclaredWait is not { } wait)
                continue;
            check.Range($"{at}.declared_wait.days", wait.Days, 0, Wait.MaxDays);
            check.That(check.Date($"{at}.declared_wait.as_of_date", wait.AsOfDate) <= today, $"{at}.declared_wait.as_of_date", "must not lie in the future");
        }
    }

    private static void CheckDepartement(FieldChecks check, string path, string code, Geography geography) =>
        check.That(geography.Departements.Contains(code), path, "is not a known département");

    private static void Id(FieldChecks check, string path, string id, HashSet<string>? seen)
    {
        check.Text(path, id, MaxId, required: true);
        check.That(seen?.Add(id) ?? true, path, "stands twice");
    }
}
