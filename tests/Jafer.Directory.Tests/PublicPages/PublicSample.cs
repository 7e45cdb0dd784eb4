using Jafer.Cli.PublicPages;
using Jafer.Cli.Territory;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Directory.Tests.PublicPages;

/// <summary>A year as the services would tell it, with cells that are withheld. Their numbers stand here to be looked for.</summary>
internal static class PublicSample
{
    /// <summary>A number that nobody may find: left in the messages beside the flag that withholds it.</summary>
    public const int Hidden = 987_651;

    private static readonly (string Code, SurveySection Section, SurveyUnit Unit, string Label, string Whole, string Set, long Value, PublishedFigure[] Published)[] s_figures =
    [
        ("MESURES_NOUVELLES", SurveySection.Origine, SurveyUnit.Mesure, "Mesures nouvelles", "", "", 21_870, [Stated(21_900, "mesure")]),
        ("NOUVELLES_JUDICIAIRES", SurveySection.Origine, SurveyUnit.Mesure, "Mesures judiciaires nouvelles", "MESURES_NOUVELLES", "origine", 19_240, [Stated(88, "%", "mesures nouvelles")]),
        ("NOUVELLES_JAF", SurveySection.Origine, SurveyUnit.Mesure, "Ordonnées par le juge aux affaires familiales", "NOUVELLES_JUDICIAIRES", "juge", 17_320, [Stated(90, "%", "mesures judiciaires nouvelles", "« neuf sur dix »")]),
        ("NOUVELLES_AUTRE_JUGE", SurveySection.Origine, SurveyUnit.Mesure, "Ordonnées par un autre juge", "NOUVELLES_JUDICIAIRES", "juge", 1_920, []),
        ("NOUVELLES_NON_JUDICIAIRES", SurveySection.Origine, SurveyUnit.Mesure, "Mesures non judiciaires nouvelles", "MESURES_NOUVELLES", "origine", 2_630, []),
        ("VIOLENCES", SurveySection.Situation, SurveyUnit.Mesure, "Violences intrafamiliales", "NOUVELLES_JUDICIAIRES", "", 7_740, [Stated(67, "%", "situations particulières")]),
        ("ADDICTION", SurveySection.Situation, SurveyUnit.Mesure, "Addiction d'au moins un parent", "NOUVELLES_JUDICIAIRES", "", Hidden, []),
        ("MESURES_CLOTUREES", SurveySection.Cloture, SurveyUnit.Mesure, "Mesures clôturées", "", "", 20_410, [Stated(20_500, "mesure", "", "20 400 dans le chapeau")]),
        ("CLOTURE_TERME", SurveySection.Cloture, SurveyUnit.Mesure, "Arrivées à leur terme", "MESURES_CLOTUREES", "type", 8_980, [Stated(44, "%", "mesures clôturées")]),
        ("CLOTURE_SANS_SUITE", SurveySection.Cloture, SurveyUnit.Mesure, "Sans suite", "MESURES_CLOTUREES", "type", 5_510, [Stated(27, "%", "mesures clôturées")]),
        ("CLOTURE_INTERRUPTION", SurveySection.Cloture, SurveyUnit.Mesure, "Interrompues", "MESURES_CLOTUREES", "type", 5_920, [Stated(25, "%", "mesures clôturées")]),
        ("DUREE_JUDICIAIRES_MOINS_DE_6_MOIS", SurveySection.Duree, SurveyUnit.Mesure, "Mesures judiciaires clôturées, durée : moins de 6 mois", "MESURES_CLOTUREES", "durée", 4_760, [Stated(36, "%", "judiciaires")]),
        ("DUREE_JUDICIAIRES_6_A_12_MOIS", SurveySection.Duree, SurveyUnit.Mesure, "Mesures judiciaires clôturées, durée : 6 mois à moins de 12 mois", "MESURES_CLOTUREES", "durée", 5_310, [Stated(40, "%", "judiciaires")]),
        ("DUREE_JUDICIAIRES_12_MOIS_ET_PLUS", SurveySection.Duree, SurveyUnit.Mesure, "Mesures judiciaires clôturées, durée : 12 mois et plus", "MESURES_CLOTUREES", "durée", 3_190, []),
        ("DUREE_NON_JUDICIAIRES_MOINS_DE_6_MOIS", SurveySection.Duree, SurveyUnit.Mesure, "Mesures non judiciaires clôturées, durée : moins de 6 mois", "MESURES_CLOTUREES", "durée", 1_150, [Stated(64, "%", "non judiciaires")]),
        ("DUREE_NON_JUDICIAIRES_6_A_12_MOIS", SurveySection.Duree, SurveyUnit.Mesure, "Mesures non judiciaires clôturées, durée : 6 mois à moins de 12 mois", "MESURES_CLOTUREES", "durée", 430, [Stated(24, "%", "non judiciaires")]),
        ("DUREE_NON_JUDICIAIRES_12_MOIS_ET_PLUS", SurveySection.Duree, SurveyUnit.Mesure, "Mesures non judiciaires clôturées, durée : 12 mois et plus", "MESURES_CLOTUREES", "durée", 220, []),
        ("EN_COURS", SurveySection.Stock, SurveyUnit.Mesure, "Mesures en cours au 31 décembre", "", "", 11_480, [Stated(11_500, "mesure")]),
        ("EN_ATTENTE", SurveySection.Stock, SurveyUnit.Mesure, "Mesures en attente au 31 décembre", "", "", 5_090, [Stated(5_100, "mesure")]),
        ("RENCONTRES_PROGRAMMEES", SurveySection.Rencontre, SurveyUnit.Rencontre, "Rencontres programmées", "", "", 234_700, [Stated(234_900, "rencontre")]),
        ("RENCONTRES_REALISEES", SurveySection.Rencontre, SurveyUnit.Rencontre, "Rencontres réalisées", "RENCONTRES_PROGRAMMEES", "", 188_900, [Stated(189_000, "rencontre", "", "190 000 (titre) et 187 500 (chapeau)")]),
        ("ENFANTS", SurveySection.Enfant, SurveyUnit.Enfant, "Enfants accueillis", "", "", 35_460, [Stated(35_500, "enfant")]),
        ("INTERVENANTS", SurveySection.Personnel, SurveyUnit.Personne, "Intervenants réguliers", "", "", 2_204, [Stated(2_200, "personne")]),
        ("SALARIES", SurveySection.Personnel, SurveyUnit.Personne, "Salariés", "INTERVENANTS", "statut", 2_050, [Stated(93, "%")]),
        ("BENEVOLES", SurveySection.Personnel, SurveyUnit.Personne, "Bénévoles", "INTERVENANTS", "statut", 154, [Stated(7, "%")]),
        ("ETP", SurveySection.Personnel, SurveyUnit.CentiemeEtp, "Équivalents temps plein", "", "", 81_250, []),
        ("RESSOURCES", SurveySection.Ressource, SurveyUnit.Euro, "Ressources", "", "", 41_080_000, [Stated(41.1, "million EUR")]),
        ("RESSOURCES_CAF", SurveySection.Ressource, SurveyUnit.Euro, "Caf", "RESSOURCES", "financeur", 27_400_000, [Stated(66.7, "%", "budget")]),
        ("RESSOURCES_AUTRES", SurveySection.Ressource, SurveyUnit.Euro, "État, collectivités, autres", "RESSOURCES", "financeur", 13_680_000, []),
    ];

    private static readonly (string Code, string Name, double Latitude, double Longitude, double? Share)[] s_departements =
    [
        ("01", "Ain", 46.1, 5.3, 88.2), ("13", "Bouches-du-Rhône", 43.5, 5.1, 97.1), ("29", "Finistère", 48.3, -4.1, 90.4), ("2A", "Corse-du-Sud", 41.9, 8.9, 55.5), ("31", "Haute-Garonne", 43.4, 1.3, 91.0),
        ("32", "Gers", 43.7, 0.5, 41.3), ("33", "Gironde", 44.8, -0.6, 88.8), ("46", "Lot", 44.6, 1.6, 44.4), ("59", "Nord", 50.5, 3.2, 99.2), ("65", "Hautes-Pyrénées", 43.1, 0.2, 8.2), ("67", "Bas-Rhin", 48.6, 7.6, 96.2),
        ("69", "Rhône", 45.8, 4.7, 98.9), ("75", "Paris", 48.857, 2.347, 100), ("78", "Yvelines", 48.8, 1.85, 97.7), ("92", "Hauts-de-Seine", 48.84, 2.24, 100), ("93", "Seine-Saint-Denis", 48.91, 2.47, 100), ("94", "Val-de-Marne", 48.78, 2.47, 100),
        ("971", "Guadeloupe", 16.2, -61.4, 82.1), ("973", "Guyane", 4.0, -53.1, 60.3), ("974", "La Réunion", -21.1, 55.5, 91.2), ("976", "Mayotte", -12.8, 45.2, null),
    ];

    /// <summary>The year.</summary>
    /// <param name="extracted">When it was asked for.</param>
    public static PublicData Data(DateTimeOffset extracted)
    {
        var survey = new GetPublicSurveyResponse { AskedCount = 197, AnsweredCount = 196 };
        survey.Totals.AddRange(s_figures.Select(f => Total(f.Code, f.Value, f.Published, 1.04)));
        survey.PublishedFigures.Add(new PublishedSurveyFigure { Figure = 2, Label = "évolution des effectifs", Published = Stated(0.1, "% sur un an") });
        survey.PublishedFigures.Add(new PublishedSurveyFigure { Label = "duree moins de 6 mois", Published = Stated(39, "%", "ensemble") });
        survey.PublishedFigures.Add(new PublishedSurveyFigure { Label = "attente moyenne implicite", Published = new PublishedFigure { Value = 85, Unit = "jour", Status = "derive" } });
        foreach (var (i, (code, _, _, _, _)) in s_departements.Index())
        {
            var departement = new DepartementSurvey { Departement = code };
            departement.Totals.AddRange(s_figures.Where(f => f.Unit is SurveyUnit.Mesure or SurveyUnit.Rencontre or SurveyUnit.Enfant)
                .Select(f => Total(f.Code, code is "65" or "46" ? Hidden : (f.Value / 60) + i, [], 0)));
            survey.Departements.Add(departement);
        }

        var basis = new CoverageBasis
        {
            Fictive = true,
            PopulationYear = 2023,
            Attribution = "Données : INSEE, IGN (Admin-Express), La Poste, Etalab (Licence Ouverte) ; temps de trajet calibrés sur OSRM, © les contributeurs d'OpenStreetMap (ODbL).",
        };
        var access = s_departements.Select((d, i) => new AccessRow(d.Code, d.Name, i % 5, d.Share is null ? null : 8.5 + i, d.Share, i / 10.0, d.Code == "65" ? new Published(46, false) : null, d.Code is "32" or "46" ? new Published(50, true) : null, null, d.Latitude, d.Longitude));
        var waits = s_departements.SelectMany((d, i) => new[] { Modalite.Visite, Modalite.RemiseEnfant }.Select((m, j) => WaitCell.From(d.Code, d.Name, Wait(m, 55 + (9 * i), 12 + (3 * i) + j, d.Code is "65" or "976" && m == Modalite.Visite, i == 4)))).ToArray();
        return new PublicData(
            2024, extracted, [.. s_figures.Select(f => new SurveyFigureDefinition { Code = f.Code, Section = f.Section, Unit = f.Unit, Label = f.Label, WholeCode = f.Whole, Set = f.Set, DefinitionCode = f.Section == SurveySection.Duree ? "DUREE" : "" })],
            [new SurveyDefinition { Code = "DUREE", Version = 1, FirstYear = 2011, Wording = "Temps de la première rencontre programmée à la clôture.", Excluded = "Mesures sans rencontre programmée.", Source = "Publication du SSER ; le début est un choix de Jafer." }],
            survey,
            new AccessFigures([new AccessRow("FRANCE", "France", 241, 14.8, 85.6, .4, new Published(15, false), new Published(85, false), null, 0, 0), .. access], [], basis),
            WaitCell.Published([WaitCell.From(WaitCell.Nation, "France", Wait(Modalite.Visite, 92, 3_000, false, false)), WaitCell.From(WaitCell.Nation, "France", Wait(Modalite.RemiseEnfant, 71, 880, false, false))], waits),
            new Date { Year = 2024, Month = 11, Day = 29 }, new Date { Year = 2026, Month = 11, Day = 29 }, "aalen-johansen-24-months");
    }

    private static SurveyTotal Total(string code, long value, PublishedFigure[] published, double before)
    {
        // As a service that forgot to clear what it withholds: the page must not look at it.
        var total = new SurveyTotal { Code = code, Value = value, Withheld = value == Hidden };
        total.PublishedFigures.AddRange(published);
        if (before > 0 && !total.Withheld)
        {
            total.PreviousValue = (long)(value / before);
            total.FirstValue = value / 2;
        }

        return total;
    }

    private static ObservedWaitRow Wait(Modalite modalite, int median, int count, bool suppressed, bool countsWithheld) => new()
    {
        Modalite = modalite,
        Suppressed = suppressed,
        CountsWithheld = countsWithheld,
        PassedCount = suppressed || countsWithheld ? Hidden : count,
        Median = new WaitQuantile { Days = suppressed ? Hidden : median },
        P80 = median > 200 ? null : new WaitQuantile { Days = suppressed ? Hidden : 2 * median },
    };

    private static PublishedFigure Stated(double value, string unit, string population = "", string remark = "") => new() { Value = value, Unit = unit, Population = population, Status = "publie", Remark = remark };
}
