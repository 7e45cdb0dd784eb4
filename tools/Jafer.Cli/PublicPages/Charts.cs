using System.Globalization;
using System.Text;

namespace Jafer.Cli.PublicPages;

/// <summary>A bar.</summary>
/// <param name="Label">What it stands for.</param>
/// <param name="Value">Its length; null where nothing is told.</param>
/// <param name="Text">The value in words.</param>
/// <param name="Published">What the publication says, on the same scale; null for nothing.</param>
/// <param name="Tone">Which of the colours it has.</param>
internal sealed record Bar(string Label, double? Value, string Text, double? Published = null, int Tone = 0);

/// <summary>Bars that belong together.</summary>
/// <param name="Heading">What they have in common.</param>
/// <param name="Bars">The bars.</param>
internal sealed record BarGroup(string Heading, IReadOnlyList<Bar> Bars);

/// <summary>A bar of shares that add up to a whole.</summary>
/// <param name="Label">What the whole is.</param>
/// <param name="Shares">Percentages, in the order of the legend; null where the division is not told.</param>
internal sealed record ShareBar(string Label, IReadOnlyList<double>? Shares);

/// <summary>A place on the map.</summary>
/// <param name="Code">Code of the département.</param>
/// <param name="Latitude">Degrees.</param>
/// <param name="Longitude">Degrees.</param>
/// <param name="Value">What its colour tells; null where nothing is told.</param>
internal sealed record MapPoint(string Code, double Latitude, double Longitude, double? Value);

/// <summary>
/// Draws the few kinds of chart of the public page, as SVG that a page holds: drawn narrow, so that its text stays legible on a
/// telephone; titled and described for who does not see it; told apart by labels and lightness, never by colour alone.
/// </summary>
internal static class Charts
{
    private const int Width = 480, BarWidth = 280;

    // Dark enough beside white, and for white text on the first and the last.
    private static readonly string[] s_tones = ["#1f4e8c", "#9bb8d9", "#6a6a6a", "#b34000"];
    /// <summary>Fills of shares, with the colour of the text that stands on each.</summary>
    public static IReadOnlyList<(string Fill, string Text)> ShareTones { get; } = [("#cfe0f3", "#161616"), ("#6f9fd1", "#161616"), ("#1f4e8c", "#ffffff"), ("#3a3a3a", "#ffffff"), ("#f4d77e", "#161616"), ("#e8963f", "#161616")];
    /// <summary>Fills of the classes of a map, from light to dark, with the colour of the text that stands on each.</summary>
    public static IReadOnlyList<(string Fill, string Text)> ClassTones { get; } = [("#fdf0c4", "#161616"), ("#f4c766", "#161616"), ("#e8963f", "#161616"), ("#b03a48", "#ffffff"), ("#431144", "#ffffff")];

    private static readonly string[] s_near = ["75", "92", "93", "94"];
    private static readonly string[] s_overseas = ["971", "972", "973", "974", "976"];

    /// <summary>Horizontal bars in groups.</summary>
    /// <param name="id">Id of the chart within its page.</param>
    /// <param name="title">Title.</param>
    /// <param name="description">What is to be seen in it.</param>
    /// <param name="groups">The groups; bars of one group share a scale.</param>
    public static string Bars(string id, string title, string description, IReadOnlyList<BarGroup> groups)
    {
        var body = new StringBuilder();
        var y = 8;
        var marked = groups.Any(g => g.Bars.Any(b => b.Published is not null));
        foreach (var group in groups)
        {
            foreach (var line in Wrapped(group.Heading, 52))
            {
                y += 20;
                body.Append(CultureInfo.InvariantCulture, $"""<text x="0" y="{y}" font-size="15" font-weight="bold">{French.Xml(line)}</text>""").Append('\n');
            }

            var most = Math.Max(1e-9, group.Bars.Max(b => Math.Max(b.Value ?? 0, b.Published ?? 0)));
            foreach (var bar in group.Bars)
            {
                foreach (var line in Wrapped(bar.Label, 58))
                {
                    y += 18;
                    body.Append(CultureInfo.InvariantCulture, $"""<text x="0" y="{y}">{French.Xml(line)}</text>""").Append('\n');
                }

                y += 6;
                var length = (bar.Value ?? 0) / most * BarWidth;
                if (bar.Value is not null)
                {
                    body.Append(CultureInfo.InvariantCulture, $"""<rect x="0" y="{y}" width="{Math.Max(1, length):F1}" height="14" fill="{s_tones[bar.Tone]}"/>""");
                }

                if (bar.Published is { } published)
                {
                    var x = published / most * BarWidth;
                    body.Append(CultureInfo.InvariantCulture, $"""<path d="M{x:F1} {y - 3}v20" stroke="#fff" stroke-width="5"/><path d="M{x:F1} {y - 3}v20" stroke="#b34000" stroke-width="2.5"/>""");
                    length = Math.Max(length, x);
                }

                body.Append(CultureInfo.InvariantCulture, $"""<text x="{(bar.Value is null && bar.Published is null ? 0 : length + 8):F1}" y="{y + 12}">{French.Xml(bar.Text)}</text>""").Append('\n');
                y += 16;
            }

            y += 14;
        }

        if (marked)
        {
            y += 10;
            body.Append(CultureInfo.InvariantCulture, $"""<path d="M4 {y - 12}v18" stroke="#b34000" stroke-width="2.5"/><text x="14" y="{y + 2}">trait : valeur publiée par le SSER</text>""").Append('\n');
            y += 10;
        }

        return Wrap(id, title, description, y, body);
    }

    /// <summary>Bars of shares of a whole, with a legend.</summary>
    /// <param name="id">Id of the chart within its page.</param>
    /// <param name="title">Title.</param>
    /// <param name="description">What is to be seen in it.</param>
    /// <param name="legend">Names of the parts.</param>
    /// <param name="bars">The bars.</param>
    public static string Shares(string id, string title, string description, IReadOnlyList<string> legend, IReadOnlyList<ShareBar> bars)
    {
        var body = new StringBuilder();
        var y = 4;
        foreach (var (i, name) in legend.Index())
        {
            y += 22;
            body.Append(CultureInfo.InvariantCulture, $"""<rect x="0" y="{y - 13}" width="16" height="16" fill="{ShareTones[i % ShareTones.Count].Fill}" stroke="#161616" stroke-width=".7"/><text x="24" y="{y}">{French.Xml(name)}</text>""").Append('\n');
        }

        foreach (var bar in bars)
        {
            y += 12;
            foreach (var line in Wrapped(bar.Label, 56))
            {
                y += 18;
                body.Append(CultureInfo.InvariantCulture, $"""<text x="0" y="{y}" font-weight="bold">{French.Xml(line)}</text>""").Append('\n');
            }

            y += 8;
            if (bar.Shares is null)
            {
                body.Append(CultureInfo.InvariantCulture, $"""<text x="0" y="{y + 18}">non publié</text>""").Append('\n');
            }

            var x = 0.0;
            foreach (var (i, share) in (bar.Shares ?? []).Index())
            {
                var width = share / 100 * Width;
                var (fill, text) = ShareTones[i % ShareTones.Count];
                body.Append(CultureInfo.InvariantCulture, $"""<rect x="{x:F1}" y="{y}" width="{width:F1}" height="28" fill="{fill}" stroke="#161616" stroke-width=".7"/>""");
                if (width > 44)
                {
                    body.Append(CultureInfo.InvariantCulture, $"""<text x="{x + (width / 2):F1}" y="{y + 19}" text-anchor="middle" fill="{text}">{French.Xml(French.Number(Math.Round(share)) + "\u00a0%")}</text>""");
                }

                body.Append('\n');
                x += width;
            }

            y += 30;
        }

        return Wrap(id, title, description, y + 6, body);
    }

    /// <summary>The départements as circles at their places, those around Paris and overseas beside.</summary>
    /// <param name="id">Id of the chart within its page.</param>
    /// <param name="title">Title.</param>
    /// <param name="description">What is to be seen in it.</param>
    /// <param name="points">The départements.</param>
    /// <param name="classes">Least value and name of each class, from light to dark, the first at the lowest values.</param>
    public static string Map(string id, string title, string description, IReadOnlyList<MapPoint> points, IReadOnlyList<(double From, string Name)> classes)
    {
        var body = new StringBuilder();
        body.Append("""<rect x="1" y="1" width="108" height="86" fill="none" stroke="#6a6a6a"/><text x="4" y="81" font-size="12">Paris et alentours</text>""").Append('\n');
        body.Append("""<path d="M0 452h480" stroke="#6a6a6a"/><text x="0" y="470" font-size="12">Outre-mer</text>""").Append('\n');
        foreach (var (point, x, y) in Placed([.. points.Where(p => p is not { Latitude: 0, Longitude: 0 } && (p.Code.Length == 2 || s_overseas.Contains(p.Code)))]))
        {
            if (point.Value is { } value)
            {
                var at = classes.Index().Last(c => c.Index == 0 || value >= c.Item.From).Index;
                body.Append(CultureInfo.InvariantCulture, $"""<circle cx="{x:F1}" cy="{y:F1}" r="11" fill="{ClassTones[at].Fill}" stroke="#161616" stroke-width=".6"/><text x="{x:F1}" y="{y + 3.5:F1}" font-size="10" text-anchor="middle" fill="{ClassTones[at].Text}">{point.Code}</text>""").Append('\n');
            }
            else
            {
                body.Append(CultureInfo.InvariantCulture, $"""<circle cx="{x:F1}" cy="{y:F1}" r="11" fill="#fff" stroke="#6a6a6a" stroke-width=".8" stroke-dasharray="3 2"/><text x="{x:F1}" y="{y + 3.5:F1}" font-size="10" text-anchor="middle">{point.Code}</text>""").Append('\n');
            }
        }

        var line = 528;
        foreach (var (i, (_, name)) in classes.Index())
        {
            body.Append(CultureInfo.InvariantCulture, $"""<circle cx="9" cy="{line - 5}" r="8" fill="{ClassTones[i].Fill}" stroke="#161616" stroke-width=".6"/><text x="26" y="{line}">{French.Xml(name)}</text>""").Append('\n');
            line += 22;
        }

        body.Append(CultureInfo.InvariantCulture, $"""<circle cx="9" cy="{line - 5}" r="8" fill="#fff" stroke="#6a6a6a" stroke-width=".8" stroke-dasharray="3 2"/><text x="26" y="{line}">non publié ou sans objet</text>""").Append('\n');
        return Wrap(id, title, description, line + 8, body);
    }

    // Circles that would cover each other are pushed apart.
    private static IEnumerable<(MapPoint Point, double X, double Y)> Placed(MapPoint[] points)
    {
        const double Apart = 22.5;
        var places = points.Select(PlaceOf).ToArray();
        for (var round = 0; round < 60; round++)
        {
            for (var i = 0; i < places.Length; i++)
            {
                for (var j = 0; j < i; j++)
                {
                    var (x, y) = (places[i].X - places[j].X, places[i].Y - places[j].Y);
                    var distance = Math.Sqrt((x * x) + (y * y));
                    if (distance is > 0 and < Apart)
                    {
                        var by = (Apart - distance) / 2 / distance;
                        places[i] = (places[i].X + (x * by), places[i].Y + (y * by));
                        places[j] = (places[j].X - (x * by), places[j].Y - (y * by));
                    }
                }
            }
        }

        return points.Select((p, i) => (p, places[i].X, places[i].Y));
    }

    private static (double X, double Y) PlaceOf(MapPoint point)
    {
        if (Array.IndexOf(s_overseas, point.Code) is >= 0 and var overseas)
        {
            return (90 + (overseas * 80), 478);
        }

        if (s_near.Contains(point.Code))
        {
            return (52 + ((point.Longitude - 2.347) * 230), 36 - ((point.Latitude - 48.857) * 250));
        }

        var (x, y) = Territory.CoverageMap.Conic(point.Latitude, point.Longitude);
        return (240 + (x * .42), 226 - (y * .42));
    }

    private static string Wrap(string id, string title, string description, int height, StringBuilder body) => string.Create(CultureInfo.InvariantCulture, $"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" role="img" aria-labelledby="{id}-titre {id}-texte" font-family="Marianne, Arial, sans-serif" font-size="14" fill="#161616">
        <title id="{id}-titre">{French.Xml(title)}</title>
        <desc id="{id}-texte">{French.Xml(description)}</desc>
        {body}</svg>

        """).ReplaceLineEndings("\n");

    private static IEnumerable<string> Wrapped(string text, int width)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length + word.Length >= width && line.Length > 0)
            {
                yield return line;
                line = "";
            }

            line += line.Length == 0 ? word : " " + word;
        }

        yield return line;
    }
}
