namespace Jafer.Cli.PublicPages;

/// <summary>
/// Where the publication of a year contradicts itself, so that a reader who finds another number there knows why. Read from the text
/// of the publication, as data/sser2024 has it.
/// </summary>
internal static class PublishedNotes
{
    /// <summary>The notes of a year, in French; none for a year of which no publication is at hand.</summary>
    /// <param name="year">Year of the survey.</param>
    public static IReadOnlyList<string> Of(int year) => year == 2024 ? s_2024 : [];

    private static readonly string[] s_2024 =
    [
        "Mesures clôturées : 20 400 dans le chapeau, 20 500 dans le texte (« plus de 20 500 » à propos de la figure 5). Nous retenons 20 500.",
        "Rencontres réalisées : 190 000 dans le titre, 187 500 dans le chapeau, 189 000 dans le texte. Nous retenons 189 000.",
        "Enfants accueillis : 35 400 dans le chapeau, « près de 35 500 » dans le texte. Nous retenons 35 500.",
        "Interruptions par le juge : 17 %, « des mesures judiciaires clôturées » selon le texte. Ce n'est possible que parmi les mesures judiciaires interrompues : 46 % (espace), 39 % (hôte) et 17 % de 88 % (juge) font 100 % des interruptions ; 17 % de toutes les mesures judiciaires clôturées en feraient à elles seules plus de la moitié.",
        "Situations particulières : 67 %, 12 % et 21 % font exactement 100 %, comme si une mesure n'en avait qu'une, alors qu'un parent peut en connaître plusieurs. La base (mesures avec situation retenue) n'est pas dite partout.",
        "Les parts sont arrondies dans la publication (« un quart », « neuf sur dix », « deux tiers ») : un écart d'un demi-point n'est pas un écart.",
    ];
}
