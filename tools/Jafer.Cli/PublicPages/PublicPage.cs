using System.Globalization;
using System.Text;
using Jafer.Contracts.Mesure.V1;

namespace Jafer.Cli.PublicPages;

/// <summary>
/// The public page: one XHTML file, without script and without anything from elsewhere. Every chart has a title, a description and a
/// table with the same figures.
/// </summary>
/// <param name="data">What it shows.</param>
/// <param name="files">The open data beside it.</param>
internal sealed class PublicPage(PublicData data, IReadOnlyList<PublicFile> files)
{
    private static readonly (int Number, string Title, SurveySection[] Sections)[] s_figures =
    [
        (2, "Personnel et ressources des espaces de rencontre", [SurveySection.Personnel, SurveySection.Ressource]),
        (3, "Activité : mesures, rencontres, enfants", [SurveySection.Stock, SurveySection.Rencontre, SurveySection.Enfant]),
        (4, "Origine et situations des mesures nouvelles", [SurveySection.Origine, SurveySection.Situation]),
        (5, "Clôtures et durées", [SurveySection.Cloture, SurveySection.Duree]),
    ];

    // The survey reads durations by the origin of the mesure, and of both together.
    private static readonly string[] s_bands = ["MOINS_DE_6_MOIS", "6_A_12_MOIS", "12_MOIS_ET_PLUS"];
    private static readonly string[] s_origins = ["DUREE_JUDICIAIRES_", "DUREE_NON_JUDICIAIRES_"];

    // The base that the publication names for interruptions by the judge, which is not that of the shares beside it.
    private const string OtherBase = "mesures judiciaires cloturees";

    private static readonly (double From, string Name)[] s_access =
        [(0, "moins de 50 % de la population"), (50, "de 50 à moins de 70 %"), (70, "de 70 à moins de 85 %"), (85, "de 85 à moins de 95 %"), (95, "95 % et plus")];

    private static readonly (double From, string Name)[] s_waits =
        [(0, "moins de 60 jours"), (60, "de 60 à 89 jours"), (90, "de 90 à 119 jours"), (120, "de 120 à 179 jours"), (180, "180 jours et plus")];

    private readonly StringBuilder _page = new();
    private readonly Dictionary<string, SurveyTotal> _totals = data.Survey.Totals.ToDictionary(t => t.Code);
    private readonly Dictionary<string, SurveyFigureDefinition> _figures = data.Figures.ToDictionary(f => f.Code);

    /// <summary>Writes the page.</summary>
    public string Write()
    {
        var title = $"Espaces de rencontre : les chiffres de {data.Year}";
        Line("<!DOCTYPE html>");
        Line("""<html xmlns="http://www.w3.org/1999/xhtml" lang="fr" xml:lang="fr">""");
        Line($"""
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"/>
            <title>{French.Xml(title)}</title>
            <style>{Style}</style>
            </head>
            <body>
            <a class="skip" href="#contenu">Aller au contenu</a>
            <header>
            <p class="mark">Jafer</p>
            <h1>{French.Xml(title)}</h1>
            <p>Enquête nationale et délais d'attente observés : chiffres clés, tableaux, graphiques et données ouvertes.</p>
            """);
        if (data.Fictive)
        {
            Line("""<p class="notice"><strong>Données fictives.</strong> Cette page est tirée d'un système qui contient des espaces de rencontre inventés : aucun chiffre n'y décrit la réalité, à l'exception des valeurs publiées par le SSER.</p>""");
        }

        Line("</header>");
        Contents();
        Line("""<main id="contenu" tabindex="-1">""");
        Keys();
        Access();
        foreach (var (number, name, sections) in s_figures)
        {
            Figure(number, name, sections);
        }

        Notes();
        Departements();
        Waits();
        Method();
        OpenData();
        Line("</main>");
        Footer();
        Line("</body>\n</html>");
        return _page.ToString().ReplaceLineEndings("\n");
    }

    private void Contents()
    {
        Line("""<nav aria-label="Sommaire"><ul>""");
        foreach (var (id, name) in new[]
        {
            ("cles", "Chiffres clés"), ("figure-1", "Figure 1 : accès"), ("figure-2", "Figure 2 : personnel"), ("figure-3", "Figure 3 : activité"), ("figure-4", "Figure 4 : origine et situations"),
            ("figure-5", "Figure 5 : clôtures et durées"), ("departements", "Par département"), ("attentes", "Délais d'attente"), ("methode", "Méthode et secret statistique"), ("donnees", "Données ouvertes"),
        })
        {
            Line($"""<li><a href="#{id}">{French.Xml(name)}</a></li>""");
        }

        Line("</ul></nav>");
    }

    private void Keys()
    {
        Line("""<section aria-labelledby="cles"><h2 id="cles">Chiffres clés</h2><dl class="keys">""");
        foreach (var figure in Tops())
        {
            Key(ValueOf(figure), figure.Label);
        }

        if (data.Access.Rows is [var france, ..])
        {
            Key(france.Share is { } share ? French.Percent(share) : "–", "de la population à moins de 30 minutes d'un lieu d'accueil");
            Key(france.Minutes is { } minutes ? $"{French.Number(Math.Round(minutes))}\u00a0min" : "–", "de trajet moyen vers le lieu le plus proche");
        }

        Line("</dl>");
        Line($"<p>{French.Xml($"{French.Number(data.Survey.AskedCount)} gestionnaires interrogés pour {data.Year}, dont {French.Number(data.Survey.AnsweredCount)} ont répondu ; les données des autres sont redressées (estimées). {French.Secret}\u00a0: non publié, pour le secret statistique.")}</p>");
        if (4 * data.Survey.AnsweredCount < 3 * data.Survey.AskedCount)
        {
            Line("""<p class="notice">Moins des trois quarts des gestionnaires ont répondu : les chiffres nationaux reposent pour une large part sur une estimation et se comparent mal à ceux d'une autre année.</p>""");
        }

        Line("</section>");

        void Key(string value, string label) => Line($"<div><dt>{French.Xml(label)}</dt><dd>{French.Xml(value)}</dd></div>");
    }

    private void Access()
    {
        Line("""<section aria-labelledby="figure-1"><h2 id="figure-1">Figure 1. Accès : part de la population à moins de 30 minutes</h2>""");
        var rows = data.Access.Rows;
        var departements = rows.Where(r => r.Code != WaitCell.Nation).ToArray();
        if (rows is [var france, ..])
        {
            Line($"<p>{French.Xml($"{Share(france.Share)} de la population reliée par la route réside à moins de 30 minutes d'un lieu d'accueil ; le trajet aller moyen est de {Minutes(france.Minutes)}. Publié pour 2024 : 85 % et 15 minutes.")}</p>");
        }

        var told = departements.Where(d => d.Share is not null).OrderBy(d => d.Share).ToArray();
        var counts = s_access.Select((c, i) => $"{c.Name} : {departements.Count(d => d.Share >= c.From && (i == s_access.Length - 1 || d.Share < s_access[i + 1].From))} départements");
        Chart(Charts.Map(
            "carte-acces", "Part de la population à moins de 30 minutes d'un lieu d'accueil, par département",
            $"Carte de France, un cercle par département. {string.Join(" ; ", counts)}.{(told.Length == 0 ? "" : $" La part est la plus basse dans : {string.Join(", ", told.Take(3).Select(d => $"{d.Name} ({Share(d.Share)})"))}.")} Le tableau qui suit donne les mêmes valeurs.",
            [.. departements.Select(d => new MapPoint(d.Code, d.Latitude, d.Longitude, d.Share))], s_access));
        Begin("Tableau 1. Accès au lieu d'accueil le plus proche, par département", ["Zone", "Lieux", "Trajet aller moyen", "À moins de 30 min", "Publié (2024)", "Non reliée"], isLong: true);
        foreach (var row in rows)
        {
            var published = new[] { row.PublishedShare is { } s ? $"{(s.AtMost ? "moins de " : "")}{French.Percent(s.Value)}" : "", row.PublishedMinutes is { } m ? $"{French.Number(m.Value)}\u00a0min" : "", row.PublishedUnlinkedShare is { } u ? $"non reliée : {French.Percent(u.Value)}" : "" };
            Row(row.Code == WaitCell.Nation ? "France" : $"{row.Code} {row.Name}", 0, [French.Number(row.Lieux), Minutes(row.Minutes), Share(row.Share), string.Join(" ; ", published.Where(p => p.Length > 0)), French.Percent(row.UnlinkedShare)]);
        }

        End();
        Line("<p>En voiture, de chef-lieu à chef-lieu de commune ; 0 minute dans la commune d'un lieu. Les communes qu'aucune route ne relie ne comptent pas dans les parts et les moyennes.</p></section>");

        static string Share(double? share) => share is { } s ? French.Percent(s) : "–";
        static string Minutes(double? minutes) => minutes is { } m ? French.Number(Math.Round(m, 1)) + "\u00a0min" : "–";
    }

    private void Figure(int number, string name, SurveySection[] sections)
    {
        Line($"""<section aria-labelledby="figure-{number}"><h2 id="figure-{number}">{French.Xml($"Figure {number}. {name}")}</h2>""");
        var figures = data.Figures.Where(f => sections.Contains(f.Section)).ToList();
        if (number == 3)
        {
            // The activity begins with what came and what went, whose parts are those of the figures that follow.
            figures.InsertRange(0, Tops().Where(f => f.Unit == SurveyUnit.Mesure && !sections.Contains(f.Section)));
            Chart(Charts.Bars(
                "graphe-3", "Mesures nouvelles, clôturées et présentes au 31 décembre", Described([.. Tops().Where(f => f.Unit == SurveyUnit.Mesure)]),
                [.. Tops().Where(f => f.Unit == SurveyUnit.Mesure).Select(YearsOf)]));
        }

        var sets = figures.Where(f => f.WholeCode.Length > 0 && _figures.ContainsKey(f.WholeCode) && f.Unit != SurveyUnit.CentiemeEtp).GroupBy(f => (f.WholeCode, f.Set)).ToArray();
        var others = sets.Where(s => s.First().Section != SurveySection.Duree).ToArray();
        if (others.Length > 0)
        {
            Chart(Charts.Bars(
                $"graphe-{number}-parts", $"{name} : parts, {data.Year}", Described([.. others.SelectMany(s => s)]),
                [.. others.Select(set => new BarGroup(Heading(set.Key.WholeCode, set.Key.Set), [.. set.Select(PartBar)]))]));
        }

        if (sections.Contains(SurveySection.Duree))
        {
            Durations();
        }

        var previous = figures.Any(f => _totals.GetValueOrDefault(f.Code)?.HasPreviousValue == true);
        var first = figures.Any(f => _totals.GetValueOrDefault(f.Code)?.HasFirstValue == true);
        Begin(
            $"Tableau {number}. {name}, {data.Year}",
            ["Indicateur", $"{data.Year}", "Part", .. previous ? [$"{data.Year - 1}"] : Array.Empty<string>(), .. first ? ["2011"] : Array.Empty<string>(), "Publié (SSER)"]);
        foreach (var figure in figures)
        {
            var total = _totals.GetValueOrDefault(figure.Code);
            Row(
                // Here hundredths are told as whole ones.
                figure.Label.Replace(", en centièmes", "", StringComparison.Ordinal), Depth(figure),
                [
                    ValueOf(figure), ShareOf(figure) is { } share ? French.Percent(share) : "",
                    .. previous ? [total?.HasPreviousValue == true ? French.Value(total.PreviousValue, figure.Unit) : "–"] : Array.Empty<string>(),
                    .. first ? [total?.HasFirstValue == true ? French.Value(total.FirstValue, figure.Unit) : "–"] : Array.Empty<string>(),
                    string.Join(" ; ", (total?.PublishedFigures ?? []).Select(French.Published)),
                ]);
        }

        End();
        if (_totals.GetValueOrDefault("INTERRUPTION_JUGE") is { Withheld: false, HasValue: true } byJudge
            && _totals.GetValueOrDefault("INTERRUPTION_JUDICIAIRES") is { Withheld: false, HasValue: true, Value: > 0 } judicial && number == 5)
        {
            Line($"<p>{French.Xml($"Interruptions par le juge : {French.Percent(100.0 * byJudge.Value / judicial.Value)} des mesures judiciaires interrompues, la lecture des « 17 % » publiés qui s'accorde aux autres parts.")}</p>");
        }

        // The durations of all mesures together are stated outside of the figures.
        var apart = data.Survey.PublishedFigures.Where(p => p.Figure == number || (number == 5 && p.Figure == 0 && p.Label.StartsWith("duree ", StringComparison.Ordinal))).ToArray();
        if (apart.Length > 0)
        {
            Line($"<p>{French.Xml($"Également publié par le SSER : {string.Join(" ; ", apart.Select(p => $"{French.Accented(p.Label)} {French.Published(p.Published)}"))}.")}</p>");
        }

        Line("</section>");
    }

    private void Durations()
    {
        (string Label, double[]? Shares)[] rows =
        [
            ("Toutes les mesures", DurationsOf(s_origins)), ("Mesures judiciaires", DurationsOf(s_origins[..1])), ("Mesures non judiciaires", DurationsOf(s_origins[1..])),
        ];
        string[] legend = ["moins de 6 mois", "de 6 mois à moins d'un an", "un an et plus"];
        string Told(double[]? shares) => shares is null ? "non publié" : string.Join(", ", legend.Zip(shares, (name, share) => $"{name} {French.Percent(share)}"));
        Chart(Charts.Shares(
            "graphe-5-durees", $"Durée des mesures clôturées qui en ont une, {data.Year}",
            $"Barres empilées, parts qui font 100 %. {string.Join(" ; ", rows.Select(r => $"{r.Label} : {Told(r.Shares)}"))}. Le tableau qui suit donne les mêmes valeurs.",
            legend, [.. rows.Select(r => new ShareBar(r.Label, r.Shares))]));
    }

    // Among the mesures that have a duration; null where a part is withheld.
    private double[]? DurationsOf(string[] origins)
    {
        var parts = s_bands.Select(band => origins.Select(o => _totals.GetValueOrDefault(o + band)).ToArray()).ToArray();
        if (parts.Any(p => p.Any(t => t is not { Withheld: false, HasValue: true })))
        {
            return null;
        }

        double all = parts.Sum(p => p.Sum(t => t!.Value));
        return all > 0 ? [.. parts.Select(p => 100 * p.Sum(t => t!.Value) / all)] : null;
    }

    private void Notes()
    {
        if (PublishedNotes.Of(data.Year) is not { Count: > 0 } notes)
        {
            return;
        }

        Line("""<section aria-labelledby="contradictions"><h2 id="contradictions">Où la publication se contredit</h2><ul>""");
        foreach (var note in notes)
        {
            Line($"<li>{French.Xml(note)}</li>");
        }

        // Where a value stands in the publication, or that it is the rest of others, is in the open data.
        Line("</ul><h3>Les valeurs publiées : remarques</h3><ul>");
        foreach (var remark in data.Survey.Totals.SelectMany(t => t.PublishedFigures.Where(p => p.Remark.Length > 0 && p.Remark is not ("hors figure" or "complement a 100")).Select(p => $"{LabelOf(t.Code)} ({French.Published(p)}) : {French.Accented(p.Remark)}.")))
        {
            Line($"<li>{French.Xml(remark)}</li>");
        }

        Line("</ul></section>");
    }

    private void Departements()
    {
        Line("""<section aria-labelledby="departements"><h2 id="departements">L'activité par département</h2>""");
        var tops = Tops().Where(f => data.Survey.Departements.Any(d => d.Totals.Any(t => t.Code == f.Code))).ToArray();
        if (tops.Length == 0)
        {
            Line("<p>Aucune donnée par département n'est publiée pour cette année.</p></section>");
            return;
        }

        Line($"<p>{French.Xml($"Par département de l'espace de rencontre. {French.Secret}\u00a0: non publié (secret statistique). Le détail de chaque indicateur est dans les données ouvertes.")}</p>");
        Begin($"Tableau 6. Activité par département, {data.Year}", ["Département", .. tops.Select(t => t.Label)], isLong: true);
        foreach (var departement in data.Survey.Departements)
        {
            var totals = departement.Totals.ToDictionary(t => t.Code);
            Row($"{departement.Departement} {data.NameOf(departement.Departement)}", 0, [.. tops.Select(t => totals.GetValueOrDefault(t.Code) is { } total ? Told(total, t.Unit) : "–")]);
        }

        End();
        Line("</section>");
    }

    private void Waits()
    {
        Line("""<section aria-labelledby="attentes"><h2 id="attentes">Délais d'attente par département</h2>""");
        var basis = $"De la transmission de la décision à l'espace jusqu'à la première rencontre tenue, parmi les mesures qui en ont une. Mesures transmises du {French.Day(data.WindowStart)} au {French.Day(data.WindowEnd)} ; méthode {data.Method} (Aalen-Johansen, clôtures comptées comme fins concurrentes). n : mesures dont la première rencontre a été tenue, au multiple de 5 inférieur. Médiane : la moitié l'ont eue dans ce délai ; P80 : huit sur dix.";
        Line($"<p>{French.Xml(basis)}</p>");
        if (data.Waits.Count == 0)
        {
            Line("<p>Aucun délai n'a encore été observé.</p></section>");
            return;
        }

        var modalites = data.Waits.GroupBy(w => w.Modalite).OrderBy(g => g.Key).ToArray();
        Line("<h3>France, par modalité</h3>");
        var nation = data.Waits.Where(w => w.Code == WaitCell.Nation).OrderBy(w => w.Modalite).ToArray();
        if (nation.Length > 0)
        {
            Chart(Charts.Bars(
                "graphe-attentes", "Délai jusqu'à la première rencontre, France, par modalité",
                $"Barres horizontales, médiane et P80 en jours. {string.Join(" ; ", nation.Select(w => $"{French.Name(w.Modalite)} : médiane {Days(w.Told, w.MedianDays)}, P80 {Days(w.Told, w.P80Days)}"))}.",
                [.. nation.Select(w => new BarGroup(French.Name(w.Modalite), [new("Médiane", w.MedianDays, Days(w.Told, w.MedianDays)), new("P80", w.P80Days, Days(w.Told, w.P80Days), Tone: 1)]))]));
            WaitTable("Tableau 7. Délais jusqu'à la première rencontre, France", "Modalité", [.. nation.Select(w => (French.Name(w.Modalite), w))], false);
        }

        foreach (var (i, modalite) in modalites.Index())
        {
            var cells = modalite.Where(w => w.Code != WaitCell.Nation).ToArray();
            if (cells.Length == 0)
            {
                continue;
            }

            var name = French.Name(modalite.Key);
            Line($"<h3>{French.Xml(name)}</h3>");
            var told = cells.Where(c => c.MedianDays is not null).OrderByDescending(c => c.MedianDays).ToArray();
            Chart(Charts.Map(
                $"carte-attentes-{i}", $"Délai médian jusqu'à la première rencontre, {name.ToLowerInvariant()}, par département",
                $"Carte de France, un cercle par département. {told.Length} départements publiés{(told.Length == 0 ? "" : $" ; les plus longs : {string.Join(", ", told.Take(3).Select(c => $"{c.Name} ({c.MedianDays} jours)"))}")}. Le tableau qui suit donne les mêmes valeurs.",
                [.. data.Access.Rows.Where(r => r.Code != WaitCell.Nation).Select(r => new MapPoint(r.Code, r.Latitude, r.Longitude, cells.FirstOrDefault(c => c.Code == r.Code)?.MedianDays))], s_waits));
            WaitTable($"Tableau {8 + i}. {name} : délais par département", "Département", [.. cells.Select(c => ($"{c.Code} {c.Name}", c))], true);
        }

        Line("</section>");
    }

    private void WaitTable(string caption, string of, (string Name, WaitCell Cell)[] rows, bool isLong)
    {
        Begin($"{caption} (du {French.Day(data.WindowStart)} au {French.Day(data.WindowEnd)}, méthode {data.Method})", [of, "Médiane", "P80", "n"], isLong);
        foreach (var (name, cell) in rows)
        {
            Row(name, 0, [Days(cell.Told, cell.MedianDays), Days(cell.Told, cell.P80Days), cell.Told switch { WaitTold.All => French.Number(cell.Count ?? 0), WaitTold.Days => "5 ou plus", _ => "non publié" }]);
        }

        End();
    }

    private void Method()
    {
        Line($"""
            <section aria-labelledby="methode"><h2 id="methode">Méthode et secret statistique</h2>
            <p>Les chiffres nationaux sont les sommes des retours d'enquête validés par les gestionnaires d'espaces de rencontre ; ceux de qui n'a pas répondu sont redressés. Les chiffres par département viennent des mesures enregistrées, selon le département de l'espace : leur somme peut différer du total national.</p>
            <p>Un effectif de 1 à 4 mesures, rencontres, enfants ou personnes n'est pas publié : il pourrait désigner une famille. D'autres cases sont retirées avec lui, pour qu'il ne puisse pas être retrouvé par différence, entre un total et ses parts, entre la France et ses départements ou d'une année à l'autre, ni être encadré en dessous de 5. Le choix de ces cases ne dit rien de leur valeur. Les durées, les interruptions judiciaires et les situations à réponses multiples, qui regardent une seconde fois les mêmes mesures, ne sont données que pour la France. Un zéro est publié, sauf s'il permettait un tel calcul. Un délai n'est publié que si au moins cinq mesures ont eu leur première rencontre.</p>
            <p>Les parts sont calculées sur les effectifs publiés et ne le sont pas quand l'un des deux est retiré.</p>
            <h3>Définitions</h3>
            """);
        Begin($"Tableau des définitions valables pour {data.Year}", ["Définition", "Ce qui est compté", "Ce qui ne l'est pas", "Source"], isText: true);
        foreach (var definition in data.Definitions)
        {
            Row($"{definition.Code}/{definition.Version}", 0, [definition.Wording, definition.Excluded, definition.Source], "text");
        }

        End();
        Line("</section>");
    }

    private void OpenData()
    {
        Line("""<section aria-labelledby="donnees"><h2 id="donnees">Données ouvertes</h2>""");
        Line("<p>CSV en UTF-8, séparateur virgule, point décimal, une ligne d'en-tête ; une case vide dont la colonne « diffusion » dit « secret » est retirée pour le secret statistique. Les mêmes tableaux en un fichier JSON. Licence Ouverte / Open Licence 2.0 (Etalab), sous réserve des licences des sources.</p><ul>");
        foreach (var file in files)
        {
            Line($"""<li><a href="{French.Xml(file.Path)}">{French.Xml(file.Path)}</a> : {French.Xml(file.Title)}</li>""");
        }

        Line("</ul></section>");
    }

    private void Footer()
    {
        var paris = TimeZoneInfo.ConvertTimeBySystemTimeZoneId(data.Extracted, "Europe/Paris");
        var at = string.Create(CultureInfo.InvariantCulture, $"{French.Day(DateOnly.FromDateTime(paris.DateTime))} à {paris.Hour} h {paris.Minute:00}");
        Line($"""
            <footer>
            <p>{French.Xml($"Extraction du {at} (heure de Paris).{(data.Fictive ? " Données fictives." : "")}")}</p>
            <p>{French.Xml($"Sources : retours d'enquête et mesures enregistrés dans Jafer ; valeurs publiées : SSER, ministère de la Justice (Licence Ouverte 2.0). {data.Access.Basis.Attribution}")}</p>
            </footer>
            """);
    }

    private IEnumerable<SurveyFigureDefinition> Tops() =>
        data.Figures.Where(f => f.WholeCode.Length == 0 && _totals.ContainsKey(f.Code) && f.Unit is SurveyUnit.Mesure or SurveyUnit.Rencontre or SurveyUnit.Enfant or SurveyUnit.Personne);

    private string LabelOf(string code) => _figures.TryGetValue(code, out var figure) ? figure.Label : code;

    private string Heading(string whole, string set) => set.Length == 0 ? LabelOf(whole) : $"{LabelOf(whole)}, par {set.Replace('_', ' ')}";

    private int Depth(SurveyFigureDefinition figure)
    {
        var depth = 0;
        for (var of = figure; of.WholeCode.Length > 0 && _figures.TryGetValue(of.WholeCode, out var whole); of = whole)
        {
            depth++;
        }

        return depth;
    }

    private string ValueOf(SurveyFigureDefinition figure) => _totals.TryGetValue(figure.Code, out var total) ? Told(total, figure.Unit) : "–";

    private static string Told(SurveyTotal total, SurveyUnit unit) => total.Withheld ? French.Secret : total.HasValue ? French.Value(total.Value, unit) : "–";

    // A share is told where both numbers are.
    private double? ShareOf(SurveyFigureDefinition figure) => s_origins.FirstOrDefault(o => figure.Code.StartsWith(o, StringComparison.Ordinal)) is { } origin
        ? DurationsOf([origin])?[Math.Max(0, Array.IndexOf(s_bands, figure.Code[origin.Length..]))]
        : _totals.TryGetValue(figure.Code, out var part) && _totals.TryGetValue(figure.WholeCode, out var whole)
        && part is { Withheld: false, HasValue: true } && whole is { Withheld: false, HasValue: true, Value: > 0 } ? 100.0 * part.Value / whole.Value : null;

    private Bar PartBar(SurveyFigureDefinition figure)
    {
        var published = _totals.GetValueOrDefault(figure.Code)?.PublishedFigures.FirstOrDefault(p => p.Unit.StartsWith('%') && p.Population != OtherBase);
        return ShareOf(figure) is { } share
            ? new(figure.Label, share, $"{French.Percent(share)} ({ValueOf(figure)})", published?.Value)
            : new(figure.Label, null, _totals.GetValueOrDefault(figure.Code)?.Withheld == true ? "non publié" : ValueOf(figure), published?.Value);
    }

    private BarGroup YearsOf(SurveyFigureDefinition figure)
    {
        var total = _totals[figure.Code];
        var bars = new List<Bar>();
        if (total.HasFirstValue)
        {
            bars.Add(new("2011", total.FirstValue, French.Number(total.FirstValue), Tone: 2));
        }

        if (total.HasPreviousValue)
        {
            bars.Add(new($"{data.Year - 1}", total.PreviousValue, French.Number(total.PreviousValue), Tone: 1));
        }

        bars.Add(new($"{data.Year}", total is { Withheld: false, HasValue: true } ? total.Value : null, total.Withheld ? "non publié" : ValueOf(figure), total.PublishedFigures.FirstOrDefault(p => !p.Unit.StartsWith('%'))?.Value));
        return new(figure.Label, bars);
    }

    private string Described(IReadOnlyList<SurveyFigureDefinition> figures) =>
        $"Barres horizontales. {string.Join(" ; ", figures.Select(f => $"{f.Label} : {(_totals.GetValueOrDefault(f.Code)?.Withheld == true ? "non publié" : ValueOf(f))}{(ShareOf(f) is { } share ? $" ({French.Percent(share)})" : "")}"))}. Le tableau qui suit donne les mêmes valeurs.";

    private static string Days(WaitTold told, int? days) => told == WaitTold.Nothing ? "non publié" : days is { } d ? $"{French.Number(d)}\u00a0jours" : "pas encore connu";

    private void Chart(string svg) => Line($"""<div class="chart">{svg}</div>""");

    private void Begin(string caption, IReadOnlyList<string> columns, bool isLong = false, bool isText = false)
    {
        // A wide table is scrolled within its own frame, which the keyboard must reach.
        Line($"""<div class="table{(isLong ? " long" : "")}{(isText ? " words" : "")}" role="region" tabindex="0" aria-label="{French.Xml(caption)}"><table><caption><span>{French.Xml(caption)}</span></caption><thead><tr>{string.Concat(columns.Select(c => $"""<th scope="col">{French.Xml(c)}</th>"""))}</tr></thead><tbody>""");
    }

    private void Row(string name, int depth, IReadOnlyList<string> cells, string kind = "") =>
        Line($"""<tr><th scope="row"{(depth > 0 ? $" class=\"d{Math.Min(depth, 3)}\"" : "")}>{French.Xml(name)}</th>{string.Concat(cells.Select(c => $"<td{(kind.Length > 0 ? $" class=\"{kind}\"" : "")}>{French.Xml(c)}</td>"))}</tr>""");

    private void End() => Line("</tbody></table></div>");

    private void Line(string text) => _page.Append(text).Append('\n');

    private const string Style = """

        :root { color-scheme: light; }
        body { margin: 0; font: 1rem/1.55 Marianne, Arial, sans-serif; color: #161616; background: #fff; }
        header, nav, main, footer { max-width: 62rem; margin: 0 auto; padding: .5rem 1rem; box-sizing: border-box; }
        .skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; top: .5rem; background: #fff; padding: .5rem; }
        a { color: #000091; } a:focus-visible, [tabindex]:focus-visible { outline: 3px solid #0a76f6; outline-offset: 2px; }
        .mark { font-weight: bold; margin: 1rem 0 0; color: #3a3a3a; } h1 { line-height: 1.2; margin: .25rem 0; font-size: clamp(1.5rem, 5vw, 2.25rem); }
        h2 { margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 2px solid #1f4e8c; line-height: 1.25; font-size: clamp(1.25rem, 4vw, 1.5rem); } h3 { margin: 1.75rem 0 .5rem; font-size: 1.125rem; }
        .notice { border-left: .4rem solid #b34000; background: #fff4ed; padding: .5rem 1rem; }
        nav ul { columns: 16rem; padding-left: 1.25rem; margin: .5rem 0; } nav li { break-inside: avoid; padding: .15rem 0; }
        .keys { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(11rem, 100%), 1fr)); gap: .75rem; margin: 1rem 0; }
        .keys div { display: flex; flex-direction: column-reverse; justify-content: flex-end; border: 1px solid #929292; padding: .75rem; } .keys dd { margin: 0; font-size: 1.5rem; font-weight: bold; color: #1f4e8c; } .keys dt { font-size: .95rem; }
        .chart { max-width: 40rem; margin: 1rem 0; } .chart svg { display: block; width: 100%; height: auto; }
        .table { overflow-x: auto; margin: 1rem 0; } .long { max-height: 32rem; overflow-y: auto; border: 1px solid #929292; }
        table { border-collapse: collapse; width: 100%; font-size: .95rem; } caption { text-align: left; font-weight: bold; padding: .5rem .6rem .5rem 0; } .long caption { padding-left: .6rem; } caption span { display: inline-block; position: sticky; left: .6rem; max-width: min(58rem, calc(100vw - 4rem)); }
        th, td { padding: .35rem .6rem; border-bottom: 1px solid #ccc; text-align: right; vertical-align: top; font-variant-numeric: tabular-nums; }
        th:first-child, .text, .words th { text-align: left; } tbody th { font-weight: normal; min-width: 9rem; } .text { min-width: 12rem; } thead th { background: #eef3f9; vertical-align: bottom; } .long thead th { position: sticky; top: 0; } thead th:not(:first-child) { min-width: 5rem; }
        .d1 { padding-left: 1.4rem; } .d2 { padding-left: 2.4rem; } .d3 { padding-left: 3.4rem; } li { overflow-wrap: anywhere; }
        footer { margin-top: 3rem; border-top: 1px solid #929292; font-size: .9rem; }
        @media print { nav, .skip { display: none; } .table, .long { overflow: visible; max-height: none; border: 0; } .chart { max-width: 14cm; break-inside: avoid; } thead { display: table-header-group; } tr { break-inside: avoid; } .long thead th { position: static; } }

        """;
}
