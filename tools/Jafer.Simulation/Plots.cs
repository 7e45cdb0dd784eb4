using System.Globalization;
using System.Security;
using System.Text;
using Jafer.Delays;

namespace Jafer.Simulation;

/// <summary>A line of a plot.</summary>
/// <param name="Title">Its name.</param>
/// <param name="Values">Its values, in equal steps.</param>
internal sealed record PlotLine(string Title, double[] Values);

/// <summary>A bar of a waterfall.</summary>
/// <param name="Title">What it stands for.</param>
/// <param name="Value">The mean after it.</param>
/// <param name="Step">The change that it brings; null for a whole bar.</param>
internal sealed record PlotStep(string Title, double Value, Estimate? Step);

/// <summary>A point of a plot.</summary>
/// <param name="Title">Its name; empty for a point of a curve that needs none.</param>
/// <param name="X">Minutes.</param>
/// <param name="Y">Days.</param>
/// <param name="Curve">Points of one curve are joined; empty for a point by itself.</param>
internal sealed record PlotPoint(string Title, double X, double Y, string Curve);

/// <summary>Draws SVG by hand: no library, the same bytes for the same figures.</summary>
internal static class Plots
{
    // Text that stays legible over lines.
    private const string Halo = """paint-order="stroke" stroke="#fff" stroke-width="4" """;

    private const string Font = "Marianne, Arial, sans-serif";

    // Okabe and Ito: told apart by those who do not see red and green; lines differ by dashes too.
    private static readonly string[] s_colours = ["#16161d", "#d55e00", "#0072b2", "#e69f00", "#009e73", "#999999", "#cc79a7", "#56b4e9"];
    private static readonly string[] s_dashes = ["", "8 4", "", "2 3", "10 3 2 3", "4 4", "1 4", ""];

    private static readonly (double UpTo, string Label, string Colour)[] s_waits =
    [
        (60, "less than 60 days", "#fde9a9"), (90, "60 to 89", "#f7c25c"), (120, "90 to 119", "#ec8f3c"), (180, "120 to 179", "#c9483f"), (double.PositiveInfinity, "180 days and more", "#5c1450"),
    ];

    /// <summary>Shares of the cohort that had a first rencontre, by days since the order.</summary>
    public static string Incidence(IReadOnlyList<PlotLine> lines, int period)
    {
        const int width = 1080, height = 620, left = 70, right = 700, top = 70, bottom = 550;
        var svg = Begin(width, height, "Share of mesures that had their first rencontre, by days since the order", "One line for each policy; the line of all levers together is highest.");
        const int last = 540;
        double X(double day) => left + (day / last * (right - left));
        double Y(double share) => bottom - (share / 0.8 * (bottom - top));
        for (var day = 0; day <= last; day += 60)
            svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{X(day):F0} {top}V{bottom}" stroke="#e5e5e5"/><text x="{X(day):F0}" y="{bottom + 22}" text-anchor="middle">{day}</text>""").Append('\n');
        for (var share = 0; share <= 80; share += 10)
            svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{left} {Y(share / 100.0):F0}H{right}" stroke="#e5e5e5"/><text x="{left - 8}" y="{Y(share / 100.0) + 5:F0}" text-anchor="end">{share} %</text>""").Append('\n');
        svg.Append(CultureInfo.InvariantCulture, $"""<text x="{(left + right) / 2}" y="{bottom + 48}" text-anchor="middle">days since the order</text>""").Append('\n');
        // Legend in the order of the lines at 180 days, so that it reads from top to bottom as the lines do.
        var y = top + 10;
        foreach (var (i, line) in lines.Index().OrderByDescending(l => l.Item.Values[180 / period]))
        {
            var points = string.Join(' ', line.Values.Take((last / period) + 1).Select((v, n) => string.Create(CultureInfo.InvariantCulture, $"{X(n * period):F1},{Y(v):F1}")));
            var style = string.Create(CultureInfo.InvariantCulture, $"""fill="none" stroke="{s_colours[i % 8]}" stroke-width="{(i is 0 || i == lines.Count - 1 ? 4 : 2.2)}" stroke-dasharray="{s_dashes[i % 8]}" """);
            svg.Append(CultureInfo.InvariantCulture, $"""<polyline points="{points}" {style}/><path d="M{right + 12} {y}h30" {style}/><text x="{right + 48}" y="{y + 5}" font-size="13">{Text(line.Title)}</text>""").Append('\n');
            y += 26;
        }
        return End(svg);
    }

    /// <summary>The waits of one queue: what became of those transmitted, by days since the transmission, and the forecast for who is transmitted now.</summary>
    public static string Waits(CumulativeIncidence waits, WaitForecast forecast)
    {
        const int width = 1080, height = 640, left = 70, right = 860, top = 150, bottom = 560, last = 540;
        var svg = Begin(width, height, "What is known of the waits of one espace", "Shares of the mesures transmitted in two years that had their first rencontre, were closed before, or still wait, by days since the transmission; above it the forecast.");
        double X(double day) => left + (Math.Min(day, last) / last * (right - left));
        double Y(double share) => bottom - (share * (bottom - top));
        string Area(Func<int, double> from, Func<int, double> to, string colour) => string.Create(CultureInfo.InvariantCulture, $"""
            <polygon points="{string.Join(' ', Enumerable.Range(0, last + 1).Select(d => string.Create(CultureInfo.InvariantCulture, $"{X(d):F1},{Y(from(d)):F1}")))} {string.Join(' ', Enumerable.Range(0, last + 1).Reverse().Select(d => string.Create(CultureInfo.InvariantCulture, $"{X(d):F1},{Y(to(d)):F1}")))}" fill="{colour}"/>

            """);
        svg.Append(Area(_ => 0, d => waits.PassedAt(d).Value, "#9fd3c0")).Append(Area(d => 1 - waits.EndedAt(d).Value, _ => 1, "#d9d9d9")).Append(Area(d => waits.PassedAt(d).Value, d => 1 - waits.EndedAt(d).Value, "#fdf3d8"));
        for (var day = 0; day <= last; day += 60)
            svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{X(day):F0} {top}V{bottom}" stroke="#fff"/><text x="{X(day):F0}" y="{bottom + 22}" text-anchor="middle">{day}</text>""").Append('\n');
        for (var share = 0; share <= 100; share += 20)
            svg.Append(CultureInfo.InvariantCulture, $"""<text x="{left - 8}" y="{Y(share / 100.0) + 5:F0}" text-anchor="end">{share} %</text>""").Append('\n');
        svg.Append(CultureInfo.InvariantCulture, $"""<text x="{(left + right) / 2}" y="{bottom + 48}" text-anchor="middle">days since the transmission</text>""").Append('\n');
        foreach (var (text, share, colour) in new[] { ("closed before", 1 - (waits.EndedAt(last).Value / 2), "#555"), ("still wait", (1 + waits.PassedAt(last).Value - waits.EndedAt(last).Value) / 2, "#7a5b00"), ("had their first rencontre", waits.PassedAt(last).Value / 2, "#00694d") })
            svg.Append(CultureInfo.InvariantCulture, $"""<text x="{right + 12}" y="{Y(share) + 5:F0}" fill="{colour}">{text}</text>""").Append('\n');
        foreach (var (name, share) in new[] { ("median", 0.5), ("P80", 0.8), ("P90", 0.9) })
        {
            if (waits.Quantile(share) is not { } quantile || quantile.Days > last)
                continue;
            var y = Y(share * waits.EventualShare);
            svg.Append(CultureInfo.InvariantCulture, $"""
                <path d="M{X(quantile.Low ?? quantile.Days):F1} {y:F1}H{X(quantile.High ?? last):F1}" stroke="#00694d" stroke-width="5" opacity=".45"/>
                <path d="M{X(quantile.Days):F1} {y:F1}V{bottom}" stroke="#00694d" stroke-dasharray="5 4"/><circle cx="{X(quantile.Days):F1}" cy="{y:F1}" r="5" fill="#00694d"/>
                <text x="{X(quantile.Days) + 9:F1}" y="{y + 22:F1}" {Halo}>{name}: {quantile.Days} days</text>

                """);
        }
        svg.Append(CultureInfo.InvariantCulture, $"""
            <text x="{left}" y="84" fill="#00527f">Transmitted now: half of those that have a first rencontre have it within {forecast.Median} days, eight in ten between {forecast.Low} and {forecast.High}</text>
            <rect x="{X(forecast.Low):F1}" y="104" width="{X(forecast.High) - X(forecast.Low):F1}" height="22" fill="#0072b2" opacity=".35"/><path d="M{X(forecast.Median):F1} 98v34" stroke="#0072b2" stroke-width="4"/>

            """);
        return End(svg);
    }

    /// <summary>What each lever adds to those before it.</summary>
    public static string Waterfall(IReadOnlyList<PlotStep> steps, double goal)
    {
        const int width = 1000, left = 250, right = 960, top = 90, row = 52;
        var height = top + (steps.Count * row) + 60;
        var svg = Begin(width, height, "Mean days from the order to the first rencontre held, lever after lever", "Bars: what remains and what each lever takes away; whiskers are 95 % paired intervals.");
        var most = steps.Max(s => s.Value - Math.Min(0, s.Step?.Mean ?? 0)) * 1.16;
        double X(double days) => left + (days / most * (right - left));
        for (var day = 0; day <= most; day += 20)
            svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{X(day):F0} {top - 8}V{height - 44}" stroke="#e5e5e5"/><text x="{X(day):F0}" y="{height - 24}" text-anchor="middle" font-size="13">{day}</text>""").Append('\n');
        svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{X(goal):F1} {top - 14}V{height - 44}" stroke="#d55e00" stroke-width="2" stroke-dasharray="6 4"/><text x="{X(goal):F1}" y="{top - 20}" text-anchor="middle" font-size="13" fill="#a34700">half of the base</text>""").Append('\n');
        foreach (var (i, step) in steps.Index())
        {
            var y = top + (i * row);
            svg.Append(CultureInfo.InvariantCulture, $"""<text x="{left - 12}" y="{y + 23}" text-anchor="end">{Text(step.Title)}</text>""").Append('\n');
            if (step.Step is not { } change)
            {
                svg.Append(CultureInfo.InvariantCulture, $"""<rect x="{left}" y="{y}" width="{X(step.Value) - left:F1}" height="34" fill="#3f4f6b"/><text x="{X(step.Value) + 8:F1}" y="{y + 23}" font-weight="bold" {Halo}>{step.Value:F1}</text>""").Append('\n');
                continue;
            }
            var (from, to) = (Math.Min(step.Value, step.Value - change.Mean), Math.Max(step.Value, step.Value - change.Mean));
            svg.Append(CultureInfo.InvariantCulture, $"""
                <rect x="{X(from):F1}" y="{y}" width="{Math.Max(1, X(to) - X(from)):F1}" height="34" fill="{(change.Mean < 0 ? "#009e73" : "#d55e00")}"/>
                <path d="M{X(step.Value - change.Half):F1} {y + 17}H{X(step.Value + change.Half):F1}m0 -6v12M{X(step.Value - change.Half):F1} {y + 11}v12" stroke="#16161d" stroke-width="1.5" fill="none"/>
                <text x="{X(to) + 10:F1}" y="{y + 23}" {Halo}>{Signed(change.Mean)} ± {change.Half:F1}</text>

                """);
        }
        return End(svg);
    }

    /// <summary>Days against minutes.</summary>
    public static string Tradeoff(IReadOnlyList<PlotPoint> points, double baseDays, double baseMinutes)
    {
        const int width = 1080, height = 660, left = 70, right = 1040, top = 84, bottom = 590;
        var svg = Begin(width, height, "Mean days to the first rencontre against mean travel of the hôte", "Each point is a policy; curves join the same policy where an hour of travel counts as more or fewer days of waiting.");
        var (least, most) = (Math.Floor(baseMinutes) - 1, Math.Ceiling(points.Max(p => p.X)) + 3);
        var highest = Math.Ceiling((points.Max(p => p.Y) + 5) / 20) * 20;
        double X(double minutes) => left + ((minutes - least) / (most - least) * (right - left));
        double Y(double days) => bottom - (days / highest * (bottom - top));
        svg.Append(CultureInfo.InvariantCulture, $"""<rect x="{left}" y="{Y(baseDays / 2):F1}" width="{X(baseMinutes + 5) - left:F1}" height="{bottom - Y(baseDays / 2):F1}" fill="#dff2ea"/><text x="{left + 8}" y="{bottom - 26}" font-size="13" fill="#00694d">goal: half of the base,</text><text x="{left + 8}" y="{bottom - 10}" font-size="13" fill="#00694d">at most 5 minutes more</text>""").Append('\n');
        for (var minutes = (int)least; minutes <= most; minutes += 2)
            svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{X(minutes):F0} {top}V{bottom}" stroke="#e5e5e5"/><text x="{X(minutes):F0}" y="{bottom + 22}" text-anchor="middle">{minutes}</text>""").Append('\n');
        for (var days = 0; days <= highest; days += 20)
            svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{left} {Y(days):F0}H{right}" stroke="#e5e5e5"/><text x="{left - 8}" y="{Y(days) + 5:F0}" text-anchor="end">{days}</text>""").Append('\n');
        svg.Append(CultureInfo.InvariantCulture, $"""<text x="{(left + right) / 2}" y="{bottom + 48}" text-anchor="middle">mean minutes of the hôte, one way</text><text x="{left - 50}" y="{top - 14}">mean days</text>""").Append('\n');
        foreach (var curve in points.Where(p => p.Curve.Length > 0).GroupBy(p => p.Curve))
        {
            var along = curve.OrderBy(p => p.X).ToArray();
            svg.Append(CultureInfo.InvariantCulture, $"""<polyline points="{string.Join(' ', along.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):F1},{Y(p.Y):F1}")))}" fill="none" stroke="#0072b2" stroke-width="1.5"/>""").Append('\n');
            foreach (var point in along)
                svg.Append(CultureInfo.InvariantCulture, $"""<circle cx="{X(point.X):F1}" cy="{Y(point.Y):F1}" r="5" fill="#0072b2"/><text x="{X(point.X):F1}" y="{Y(point.Y) - 11:F1}" text-anchor="middle" font-size="13" {Halo}>{Text(point.Title)}</text>""").Append('\n');
            svg.Append(CultureInfo.InvariantCulture, $"""<text x="{X(along[^1].X):F1}" y="{Y(along[^1].Y) + 26:F1}" text-anchor="end" font-size="13" fill="#00527f" {Halo}>{Text(curve.Key)}</text>""").Append('\n');
        }
        var taken = new List<(double X, double Y)>();
        foreach (var point in points.Where(p => p.Curve.Length == 0).OrderBy(p => p.Y))
        {
            var (x, y) = (X(point.X), Y(point.Y));
            svg.Append(CultureInfo.InvariantCulture, $"""<circle cx="{x:F1}" cy="{y:F1}" r="6" fill="#16161d"/>""");
            var at = y + 5;
            // Labels of close points stand below each other.
            while (taken.Any(t => Math.Abs(t.X - x) < 200 && Math.Abs(t.Y - at) < 15))
                at -= 15;
            taken.Add((x, at));
            var before = x > right - 260;
            svg.Append(CultureInfo.InvariantCulture, $"""<text x="{(before ? x - 10 : x + 10):F1}" y="{at:F1}" font-size="13" {Halo}{(before ? " text-anchor=\"end\"" : "")}>{Text(point.Title)}</text>""").Append('\n');
        }
        return End(svg);
    }

    /// <summary>Two maps beside each other: the mean days of each département, drawn by its communes.</summary>
    public static string Maps(Territory territory, IReadOnlyList<(string Title, IReadOnlyDictionary<string, double> Days)> maps)
    {
        const int width = 1280, panel = 640, height = 720;
        var svg = Begin(width, height, "Mean days from the order to the first rencontre held, by département of the hôte", "Left under the base, right with all levers, in one draw of the saturation map; drawn by the communes of more than 1,500 inhabitants.");
        foreach (var (i, (title, days)) in maps.Index())
        {
            svg.Append(CultureInfo.InvariantCulture, $"""<text x="{(i * panel) + 40}" y="86" font-size="17" font-weight="bold">{Text(title)}</text><g transform="translate({i * panel},0)" fill="none" stroke-linecap="round" stroke-width="5.5">""").Append('\n');
            var drawn = territory.Communes.Where(c => c.Population >= 1500 && days.ContainsKey(c.Departement)).GroupBy(c => Array.FindIndex(s_waits, w => days[c.Departement] < w.UpTo)).OrderBy(g => g.Key);
            foreach (var group in drawn)
            {
                var path = new StringBuilder();
                foreach (var (x, y) in group.Select(Place).Distinct())
                    path.Append(CultureInfo.InvariantCulture, $"M{x} {y}h0");
                svg.Append(CultureInfo.InvariantCulture, $"""<path stroke="{s_waits[group.Key].Colour}" d="{path}"/>""").Append('\n');
            }
            svg.Append("</g>\n");
        }
        for (var i = 0; i < s_waits.Length; i++)
            svg.Append(CultureInfo.InvariantCulture, $"""<circle cx="{60 + (i * 210)}" cy="{height - 28}" r="9" fill="{s_waits[i].Colour}" stroke="#929292" stroke-width=".5"/><text x="{76 + (i * 210)}" y="{height - 23}">{s_waits[i].Label}</text>""").Append('\n');
        return End(svg);
    }

    // The mainland and Corsica by a plain conic look; the overseas départements below each other at the left.
    private static (int X, int Y) Place(Commune commune)
    {
        (string Departement, double Latitude, double Longitude, double Scale)[] overseas =
            [("971", 16.19, -61.42, 60), ("972", 14.64, -61.02, 75), ("973", 4.4, -53.0, 17), ("974", -21.13, 55.53, 90)];
        var at = Array.FindIndex(overseas, o => o.Departement == commune.Departement);
        if (at >= 0)
        {
            var (_, latitude, longitude, scale) = overseas[at];
            return ((int)(55 + ((commune.Longitude - longitude) * scale)), (int)(260 + (at * 105) - ((commune.Latitude - latitude) * scale)));
        }
        return ((int)(112 + ((commune.Longitude + 5) * 52 * Math.Cos(double.DegreesToRadians(46.5)))), (int)(112 + ((51.2 - commune.Latitude) * 52)));
    }

    private static StringBuilder Begin(int width, int height, string title, string description) => new StringBuilder().Append(CultureInfo.InvariantCulture, $"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc" font-family="{Font}" font-size="15" fill="#16161d">
        <title id="title">{Text(title)}</title>
        <desc id="desc">{Text(description)}</desc>
        <rect width="{width}" height="{height}" fill="#fff"/>
        <text x="40" y="34" font-size="21" font-weight="bold">{Text(title)}</text>

        """);

    private static string End(StringBuilder svg) => svg.Append("</svg>\n").ToString();

    private static string Signed(double value) => value.ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture);

    private static string Text(string text) => SecurityElement.Escape(text);
}
