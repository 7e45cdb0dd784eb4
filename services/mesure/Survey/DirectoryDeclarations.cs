using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain.Survey;
using Jafer.ServiceDefaults.Clients;

namespace Jafer.Mesures.Survey;

/// <summary>Asks the directory what a gestionnaire declared of its staff and resources of a year.</summary>
internal sealed class DirectoryDeclarations(TimeProvider clock, DirectoryService.DirectoryServiceClient directory)
{
    private const int PageSize = 200;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private static readonly Dictionary<PersonnelStatus, string> s_statuses = new() { [PersonnelStatus.Salarie] = "SALARIES", [PersonnelStatus.Benevole] = "BENEVOLES" };

    private static readonly Dictionary<PersonnelFunction, string> s_functions = new()
    {
        [PersonnelFunction.Juriste] = "JURISTES",
        [PersonnelFunction.Psychologue] = "PSYCHOLOGUES",
        [PersonnelFunction.TravailleurSocial] = "TRAVAILLEURS_SOCIAUX",
        [PersonnelFunction.AutreIntervenant] = "AUTRES_INTERVENANTS",
        [PersonnelFunction.Support] = "SUPPORT",
    };

    private static readonly Dictionary<Funder, string> s_funders = new()
    {
        [Funder.Caf] = "CAF",
        [Funder.Etat] = "ETAT",
        [Funder.Collectivites] = "COLLECTIVITES",
        [Funder.Autres] = "AUTRES",
    };

    /// <summary>The declared figures, by code; empty when nothing was declared, null when the directory did not answer.</summary>
    /// <param name="gestionnaireId">The gestionnaire.</param>
    /// <param name="year">The year.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<Dictionary<string, long>?> OfAsync(Guid gestionnaireId, int year, CancellationToken ct)
    {
        // Years are listed from the latest on, without those that were superseded: one page holds all that there can be.
        var answer = await directory.ListYearlyDeclarationsAsync(
            new ListYearlyDeclarationsRequest { GestionnaireId = gestionnaireId.ToString(), PageSize = PageSize },
            deadline: (clock.GetUtcNow() + s_patience).UtcDateTime, cancellationToken: ct).OrNoAnswerAsync(ct);
        return answer is null ? null : answer.Declarations.FirstOrDefault(d => d.Year == year) is { } declaration ? FiguresOf(declaration) : [];
    }

    internal static Dictionary<string, long> FiguresOf(YearlyDeclaration declaration)
    {
        var figures = new Dictionary<string, long>();
        if (declaration.Personnels.Count > 0)
        {
            foreach (var figure in SurveyCatalogue.BuiltIn.Figures.Where(f => f.Section == SurveySection.Personnel))
            {
                figures[figure.Code] = 0;
            }
        }

        foreach (var personnel in declaration.Personnels)
        {
            if (!s_statuses.TryGetValue(personnel.Status, out var status) || !s_functions.TryGetValue(personnel.Function, out var function))
            {
                continue;
            }

            figures["PERSONNEL"] += personnel.HeadCount;
            figures[$"PERSONNEL_{status}"] += personnel.HeadCount;
            figures[$"PERSONNEL_{status}_{function}"] += personnel.HeadCount;
            var hundredths = (long)Math.Round(personnel.FullTimeEquivalent * 100, MidpointRounding.AwayFromZero);
            figures["ETP"] += hundredths;
            figures[$"ETP_{status}"] += hundredths;
        }

        if (declaration.Ressources.Count > 0)
        {
            foreach (var figure in SurveyCatalogue.BuiltIn.Figures.Where(f => f.Section == SurveySection.Ressource))
            {
                figures[figure.Code] = 0;
            }
        }

        foreach (var ressource in declaration.Ressources.Where(r => s_funders.ContainsKey(r.Funder)))
        {
            figures["RESSOURCES"] += ressource.AmountEuros;
            figures[$"RESSOURCES_{s_funders[ressource.Funder]}"] += ressource.AmountEuros;
        }

        return figures;
    }
}
