using System.Globalization;
using System.Security;
using System.Text.RegularExpressions;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Cli.PublicPages;

/// <summary>Figures and dates as French readers write them; written out, since the tool runs without tables of cultures too.</summary>
internal static partial class French
{
    /// <summary>What stands in the place of a number that is withheld.</summary>
    public const string Secret = "n.\u00a0p.";

    private static readonly NumberFormatInfo s_numbers = new() { NumberGroupSeparator = "\u202f", NumberDecimalSeparator = ",", NegativeSign = "−" };

    private static readonly Dictionary<string, string> s_accents = "ambiguë bénévoles clôturées collectivités complément département différente dixième durée élevé évolution hôte implantés interrogées ordonnée organisée particulière particulières près précédentes programmée programmées réalisées réguliers reliée reliées répondantes salariés renseigné travaillés État"
        .Split(' ').ToDictionary(w => string.Concat(w.Select(c => c switch { 'é' or 'è' or 'ë' => 'e', 'ô' => 'o', 'É' => 'E', _ => c })));

    private static readonly string[] s_months =
        ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];

    /// <summary>A whole number.</summary>
    public static string Number(long value) => value.ToString("#,0", s_numbers);

    /// <summary>A number with one decimal where it has one.</summary>
    public static string Number(double value) => value.ToString("#,0.#", s_numbers);

    /// <summary>A value of a figure, in its unit where that is not said by the figure.</summary>
    public static string Value(long value, SurveyUnit unit) => unit switch
    {
        SurveyUnit.CentiemeEtp => Number(value / 100.0) + "\u00a0ETP",
        SurveyUnit.Euro => Number(value) + "\u00a0€",
        _ => Number(value),
    };

    /// <summary>A percentage.</summary>
    public static string Percent(double percent) => Number(Math.Round(percent, 1, MidpointRounding.AwayFromZero)) + "\u00a0%";

    /// <summary>A day.</summary>
    public static string Day(DateOnly day) => string.Create(CultureInfo.InvariantCulture, $"{(day.Day == 1 ? "1er" : day.Day)} {s_months[day.Month - 1]} {day.Year}");

    /// <summary>A day of a contract.</summary>
    public static string Day(Date day) => Day(new DateOnly(day.Year, day.Month, day.Day));

    /// <summary>Name of a unit, in the plural.</summary>
    public static string Name(SurveyUnit unit) => unit switch
    {
        SurveyUnit.Mesure => "mesures",
        SurveyUnit.Rencontre => "rencontres",
        SurveyUnit.Enfant => "enfants",
        SurveyUnit.Personne => "personnes",
        SurveyUnit.CentiemeEtp => "centièmes d'équivalent temps plein",
        SurveyUnit.Euro => "euros",
        _ => "unités",
    };

    /// <summary>Name of a modalité.</summary>
    public static string Name(Modalite modalite) => modalite switch
    {
        Modalite.Visite => "Visite dans les murs",
        Modalite.VisiteAvecSortie => "Visite avec sortie",
        Modalite.SortieAccompagnee => "Sortie accompagnée",
        Modalite.RemiseEnfant => "Remise de l'enfant",
        Modalite.VisitePresenceContinue => "Visite en présence continue d'un tiers",
        Modalite.VisitePresenceIntermittente => "Visite en présence intermittente d'un tiers",
        Modalite.VisiteTiers => "Visite d'un tiers",
        Modalite.VisiteDetention => "Visite en détention",
        Modalite.VisiteVisio => "Visite en visioconférence",
        _ => modalite.ToString(),
    };

    /// <summary>A figure as the publication has it.</summary>
    public static string Published(PublishedFigure figure)
    {
        var unit = figure.Unit.Length == 0 || figure.Unit.StartsWith('%') ? figure.Unit : figure.Value is >= 2 or <= -2 && !figure.Unit.Contains(' ', StringComparison.Ordinal) ? figure.Unit + "s" : figure.Unit;
        return Accented($"{Number(figure.Value)}\u00a0{unit}{(figure.Population.Length == 0 || figure.Population == "ensemble" ? "" : $" ({figure.Population})")}{(figure.Status == "derive" ? ", calculé" : "")}".Replace("  ", " ", StringComparison.Ordinal));
    }

    /// <summary>Text of the published values with its accents; the files have none.</summary>
    public static string Accented(string text) => Word().Replace(text, word => s_accents.GetValueOrDefault(word.Value, word.Value)).Replace("complément a 100", "complément à 100", StringComparison.Ordinal);

    /// <summary>Text as it stands in XML. No line breaks within quotation marks.</summary>
    public static string Xml(string text) => SecurityElement.Escape(text.Replace("« ", "«\u00a0", StringComparison.Ordinal).Replace(" »", "\u00a0»", StringComparison.Ordinal));

    [GeneratedRegex(@"\p{L}+")]
    private static partial Regex Word();
}
