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
    /// <summary>Most espaces of one request.</summary>
    public const int MaxEspaces = 50;


    [GeneratedRegex(@"\A[a-z0-9-]{1,40}\z")]
    private static partial Regex SourceName();

    /// <summary>Checks a request and returns its request id; what is wrong is recorded.</summary>
    /// <param name="check">Takes what is wrong.</param>
    /// <param name="request">The request.</param>
    /// <param name="geography">Communes and départements.</param>
    /// <param name="today">The latest date that is today somewhere in France.</param>
    /// <param name="held">What is held of an espace.</param>
    public static Guid Check(FieldChecks check, ImportEspacesRequest request, Geography geography, DateOnly today, Func<EspaceImport, HeldParts> held)
    {
        // First, because of very many mistakes an answer names only the first.
        var requestId = check.RequestId(request.RequestId);
        check.That(IsSourceName(request.Source), "source", "must be 1 to 40 lower case letters, digits and hyphens");
        check.That(request.Espaces.Count is >= 1 and <= MaxEspaces, "espaces", "must have 1 to 50 entries");
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var gestionnaires = new Dictionary<string, GestionnaireImport>(StringComparer.Ordinal);
        foreach (var (i, espace) in request.Espaces.Take(MaxEspaces).Index())
        {
            EspaceChecks.Id(check, $"espaces[{i}].external_id", espace.ExternalId, ids);
            Check(check, $"espaces[{i}].", espace, gestionnaires, geography, today, held(espace));
        }
        return requestId;
    }

    /// <summary>True when a source may be called so.</summary>
    public static bool IsSourceName(string source) => SourceName().IsMatch(source);

    /// <summary>Checks an espace, its external id apart.</summary>
    /// <param name="check">Takes what is wrong.</param>
    /// <param name="path">Before every field: empty, or where the espace stands, with its point.</param>
    /// <param name="espace">The espace.</param>
    /// <param name="gestionnaires">Gestionnaires of the espaces before it, by external id.</param>
    /// <param name="geography">Communes and départements.</param>
    /// <param name="today">The latest date that is today somewhere in France.</param>
    /// <param name="held">What is held of the espace.</param>
    public static void Check(
        FieldChecks check, string path, EspaceImport espace, Dictionary<string, GestionnaireImport> gestionnaires, Geography geography, DateOnly today,
        HeldParts held)
    {
        held = held.Within(espace.Departement);
        CheckGestionnaire(check, $"{path}gestionnaire", espace.Gestionnaire, gestionnaires);
        check.Text($"{path}name", espace.Name, EspaceChecks.MaxName, required: true);
        EspaceChecks.Departement(check, $"{path}departement", espace.Departement, geography);
        check.Known($"{path}state", espace.State);
        check.Text($"{path}alert_text", espace.AlertText, EspaceChecks.MaxAlert);
        var lieux = espace.Lieux.Select(l => l.ExternalId).ToHashSet(StringComparer.Ordinal);
        EspaceChecks.Agrements(check, $"{path}agrements", espace.Agrements, lieux, espace.Departement, geography, today, held);
        EspaceChecks.Lieux(check, $"{path}lieux", espace.Lieux, geography);
        EspaceChecks.LieuxWithin(check, $"{path}lieux", espace.Lieux, espace.Departement, geography, held);
        EspaceChecks.Modalites(check, $"{path}modalites", espace.Modalites, today);
        EspaceChecks.Accueil(check, $"{path}accueil", espace.Accueil, geography);
        EspaceChecks.Ouvertures(check, $"{path}ouvertures", espace.Ouvertures, lieux, espace.Modalites.Select(m => m.Modalite).ToHashSet(), held);
        EspaceChecks.Fermetures(check, $"{path}fermetures", espace.Fermetures, lieux);
        check.Etag(espace.Etag, $"{path}etag");
        check.That(!(check.OptionalDate($"{path}confirmed_date", espace.ConfirmedDate) > today), $"{path}confirmed_date", "must not lie in the future");
    }

    /// <summary>The agrément of a checked import.</summary>
    public static Domain.Agrement ToDomain(Proto.Agrement agrement) => new(
        agrement.Number, agrement.Departement, agrement.State,
        ToDate(agrement.RequestDate), ToDate(agrement.StartDate), ToDate(agrement.EndDate))
    {
        DecisionDate = ToDate(agrement.DecisionDate),
        LieuExternalIds = agrement.LieuExternalIds,
    };

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
        EspaceChecks.Id(check, $"{path}.external_id", gestionnaire.ExternalId, null);
        if (!known.TryAdd(gestionnaire.ExternalId, gestionnaire))
            check.That(known[gestionnaire.ExternalId].Equals(gestionnaire), path, "differs from the same gestionnaire earlier in the request");
        check.Text($"{path}.name", gestionnaire.Name, EspaceChecks.MaxName, required: true);
        check.That(Siret.IsValid(gestionnaire.Siret), $"{path}.siret", "must be a SIRET of 14 digits with a valid key");
        check.KnownOrUnspecified($"{path}.legal_form", gestionnaire.LegalForm);
        check.KnownOrUnspecified($"{path}.federation", gestionnaire.Federation);
        ContactChecks.Check(check, $"{path}.contacts", gestionnaire.Contacts);
    }
}
