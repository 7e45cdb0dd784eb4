using System.Globalization;
using Google.Protobuf.Collections;
using Jafer.Contracts.Type.V1;

namespace Jafer.Contracts.Csv;

/// <summary>What one cell of one kind of line is to a message.</summary>
/// <param name="Name">Name of the column.</param>
/// <param name="Field">Path of the field in the message, without positions in lists.</param>
/// <param name="Form">How it is written, in French.</param>
/// <param name="Get">The cell of a message.</param>
/// <param name="Set">Takes a cell that is not empty over; says what is wrong with it, else null.</param>
internal sealed record TemplateColumn<T>(string Name, string Field, string Form, Func<T, string> Get, Func<T, string, string?> Set);

/// <summary>The forms that cells have.</summary>
internal static class Columns
{
    private const char Separator = '|';

    private static readonly string[] s_dates = ["yyyy-MM-dd", "dd/MM/yyyy"];
    private static readonly string[] s_times = ["HH:mm", "H:mm", "HH'h'mm", "H'h'mm"];

    public static TemplateColumn<T> Text<T>(string name, string field, Func<T, string> get, Action<T, string> set) =>
        new(name, field, "texte", get, (m, cell) => Taken(() => set(m, cell)));

    public static TemplateColumn<T> Whole<T>(string name, string field, Func<T, int?> get, Action<T, int> set) => new(
        name, field, "entier", m => get(m) is { } value and not 0 ? value.ToString(CultureInfo.InvariantCulture) : "",
        (m, cell) => int.TryParse(cell.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? Taken(() => set(m, value)) : "must be a whole number");

    /// <summary>A whole number of which nought is not the same as nothing.</summary>
    public static TemplateColumn<T> OptionalWhole<T>(string name, string field, Func<T, int?> get, Action<T, int> set) =>
        Whole(name, field, get, set) with { Get = m => get(m)?.ToString(CultureInfo.InvariantCulture) ?? "" };

    public static TemplateColumn<T> Degrees<T>(string name, string field, Func<T, double> get, Action<T, double> set) => new(
        name, field, "nombre", m => get(m) is var value and not 0 ? CsvText.Number(value) : "",
        (m, cell) => double.TryParse(cell.Trim().Replace(',', '.'), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            ? Taken(() => set(m, value)) : "must be a number");

    public static TemplateColumn<T> YesNo<T>(string name, string field, Func<T, bool> get, Action<T, bool> set) => new(
        name, field, "oui ou non", m => get(m) ? "oui" : "non",
        (m, cell) => cell.Trim().ToLowerInvariant() switch
        {
            "oui" => Taken(() => set(m, true)),
            "non" => Taken(() => set(m, false)),
            _ => "must be oui or non",
        });

    public static TemplateColumn<T> Day<T>(string name, string field, Func<T, Date?> get, Action<T, Date> set) => new(
        name, field, "date",
        m => get(m) is { } date ? string.Create(CultureInfo.InvariantCulture, $"{date.Year:D4}-{date.Month:D2}-{date.Day:D2}") : "",
        (m, cell) => DateOnly.TryParseExact(cell.Trim(), s_dates, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? Taken(() => set(m, new Date { Year = day.Year, Month = day.Month, Day = day.Day })) : "must be a date such as 2026-03-31");

    public static TemplateColumn<T> Time<T>(string name, string field, Func<T, TimeOfDay?> get, Action<T, TimeOfDay> set) => new(
        name, field, "heure", m => get(m) is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time.Hours:D2}:{time.Minutes:D2}") : "",
        (m, cell) => cell.Trim() is "24:00" or "24h00" ? Taken(() => set(m, new TimeOfDay { Hours = 24 }))
            : TimeOnly.TryParseExact(cell.Trim(), s_times, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
                ? Taken(() => set(m, new TimeOfDay { Hours = time.Hour, Minutes = time.Minute })) : "must be a time such as 14:30");

    public static TemplateColumn<T> Code<T, TEnum>(string name, string field, Func<T, TEnum> get, Action<T, TEnum> set)
        where TEnum : struct, Enum => new(
            name, field, "code", m => CodeOf(get(m)),
            (m, cell) => TryCode<TEnum>(cell, out var value) ? Taken(() => set(m, value)) : "is not a known code");

    public static TemplateColumn<T> Codes<T, TEnum>(string name, string field, Func<T, RepeatedField<TEnum>> list)
        where TEnum : struct, Enum => new(
            name, field, "codes", m => string.Join(Separator, list(m).Select(CodeOf)),
            (m, cell) =>
            {
                foreach (var part in Split(cell))
                {
                    if (!TryCode<TEnum>(part, out var value))
                        return "has a code that is not known";
                    list(m).Add(value);
                }
                return null;
            });

    public static TemplateColumn<T> Texts<T>(string name, string field, Func<T, RepeatedField<string>> list) => new(
        name, field, "textes", m => string.Join(Separator, list(m).Select(Escape)),
        (m, cell) => Taken(() => list(m).Add(Split(cell))));

    public static TemplateColumn<T> Rhythms<T>(string name, string field, Func<T, RepeatedField<Periodicity>> list) => new(
        name, field, "rythmes",
        m => string.Join(Separator, list(m).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.RencontreCount}/{p.IntervalCount}/{CodeOf(p.Unit)}"))),
        (m, cell) =>
        {
            foreach (var part in Split(cell))
            {
                if (part.Split('/') is not [var count, var interval, var code] || !TryCode<PeriodicityUnit>(code, out var unit)
                    || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var rencontres)
                    || !int.TryParse(interval, NumberStyles.None, CultureInfo.InvariantCulture, out var every))
                    return "must be rhythms such as 2/1/MONTH";
                list(m).Add(new Periodicity { RencontreCount = rencontres, IntervalCount = every, Unit = unit });
            }
            return null;
        });

    private static string CodeOf<TEnum>(TEnum value)
        where TEnum : struct, Enum => EqualityComparer<TEnum>.Default.Equals(value, default) ? "" : EnumCodes.Of(value);

    private static bool TryCode<TEnum>(string cell, out TEnum value)
        where TEnum : struct, Enum =>
        EnumCodes.ByCode<TEnum>().TryGetValue(cell.Trim().ToUpperInvariant(), out value) && !EqualityComparer<TEnum>.Default.Equals(value, default);

    // A bar parts the entries of a list; one within an entry has a backslash before it, and so has a backslash.
    private static string Escape(string entry) => entry.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal);

    private static List<string> Split(string cell)
    {
        var (entries, entry) = (new List<string>(), new System.Text.StringBuilder());
        for (var i = 0; i < cell.Length; i++)
        {
            if (cell[i] == '\\' && i + 1 < cell.Length)
            {
                entry.Append(cell[++i]);
            }
            else if (cell[i] == Separator)
            {
                entries.Add(entry.ToString());
                entry.Clear();
            }
            else
            {
                entry.Append(cell[i]);
            }
        }
        entries.Add(entry.ToString());
        return entries;
    }

    private static string? Taken(Action act)
    {
        act();
        return null;
    }
}
