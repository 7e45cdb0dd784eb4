using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Jafer.ServiceDefaults.Time;
using ProtoDate = Jafer.Contracts.Type.V1.Date;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>
/// Collects everything that is wrong with a request, so that the caller learns all of it at once. Fields are named by their
/// path in the proto. Each check returns the parsed value, or a default when it recorded a violation.
/// </summary>
public sealed class FieldChecks
{
    private static readonly DateTimeOffset s_earliest = new(1900, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_latest = new(9999, 12, 30, 0, 0, 0, TimeSpan.Zero);

    private readonly List<FieldViolation> _violations = [];
    private bool _pageTokenInvalid;

    /// <summary>Whether nothing wrong was found so far.</summary>
    public bool Passed => _violations.Count == 0;

    /// <summary>Everything wrong found so far, for those who tell it in other words than a refusal's.</summary>
    public IReadOnlyList<FieldViolation> Violations => _violations;

    /// <summary>Records a violation.</summary>
    /// <param name="field">Path of the field.</param>
    /// <param name="description">What is wrong, in English, without the value.</param>
    public void Add(string field, string description) => _violations.Add(new FieldViolation(field, description));

    /// <summary>Records a violation when the condition does not hold.</summary>
    /// <param name="holds">The condition.</param>
    /// <param name="field">Path of the field.</param>
    /// <param name="description">What is wrong.</param>
    public void That(bool holds, string field, string description)
    {
        if (!holds)
        {
            Add(field, description);
        }
    }

    /// <summary>Records that the page token is not one of this list.</summary>
    public void PageTokenInvalid()
    {
        _pageTokenInvalid = true;
        Add("page_token", "does not belong to this list with these arguments");
    }

    /// <summary>Refuses the request when anything was recorded; a page token that alone is wrong has its own reason.</summary>
    public void ThrowIfAny()
    {
        if (_pageTokenInvalid && _violations.Count == 1)
        {
            throw DomainError.PageTokenInvalid();
        }

        if (_violations.Count > 0)
        {
            throw DomainError.Invalid(_violations);
        }
    }

    /// <summary>
    /// Whether a text is a UUID in its usual form: 36 hexadecimal digits and hyphens, in small letters or capitals, and not all zero. Guid
    /// itself also takes signs and spaces around it, by which one thing would have two names.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="id">The UUID.</param>
    public static bool TryUuid(string? text, out Guid id)
    {
        id = default;
        return text is { Length: 36 } && text.All(c => c == '-' || char.IsAsciiHexDigit(c)) && Guid.TryParseExact(text, "D", out id) && id != Guid.Empty;
    }

    /// <summary>A required UUID.</summary>
    public Guid Uuid(string field, string value)
    {
        if (value.Length == 0)
        {
            Add(field, "is required");
            return Guid.Empty;
        }

        if (TryUuid(value, out var id))
        {
            return id;
        }

        Add(field, "must be a UUID");
        return Guid.Empty;
    }

    /// <summary>A list of UUIDs, none of them twice.</summary>
    /// <param name="field">Path of the field.</param>
    /// <param name="values">The values.</param>
    /// <param name="min">Fewest.</param>
    /// <param name="max">Most; what comes behind them is not looked at.</param>
    public List<Guid> Uuids(string field, IReadOnlyList<string> values, int min, int max)
    {
        ArgumentNullException.ThrowIfNull(values);
        That(values.Count >= min && values.Count <= max, field, min == 0 ? $"must be at most {max}" : $"must be {min} to {max}");
        var ids = new List<Guid>();
        foreach (var (i, value) in values.Take(max).Index())
        {
            var id = Uuid($"{field}[{i}]", value);
            That(id == Guid.Empty || !ids.Contains(id), $"{field}[{i}]", "stands twice");
            ids.Add(id);
        }

        return ids;
    }

    /// <summary>A UUID that may be empty; null when it is.</summary>
    public Guid? OptionalUuid(string field, string value) => value.Length == 0 ? null : Uuid(field, value);

    /// <summary>A text within lengths, without control characters other than tab and line ends.</summary>
    public string Text(string field, string value, int maxLength, bool required = false)
    {
        if (required && string.IsNullOrWhiteSpace(value))
        {
            Add(field, "is required");
        }
        else if (value.Length > maxLength)
        {
            Add(field, string.Create(CultureInfo.InvariantCulture, $"must have at most {maxLength} characters"));
        }
        else if (value.Any(c => char.IsControl(c) && c is not ('\t' or '\r' or '\n')))
        {
            Add(field, "must not contain control characters");
        }

        return value;
    }

    /// <summary>An integer within bounds, both included.</summary>
    public int Range(string field, int value, int min, int max)
    {
        That(value >= min && value <= max, field, string.Create(CultureInfo.InvariantCulture, $"must be from {min} to {max}"));
        return value;
    }

    /// <summary>A required value of an enum that this version knows.</summary>
    public T Known<T>(string field, T value)
        where T : struct, System.Enum
    {
        if (EqualityComparer<T>.Default.Equals(value, default))
        {
            Add(field, "is required");
        }
        else if (!System.Enum.IsDefined(value))
        {
            Add(field, "is not a known value");
        }

        return value;
    }

    /// <summary>A value of an enum that may be unspecified.</summary>
    public T KnownOrUnspecified<T>(string field, T value)
        where T : struct, System.Enum
    {
        That(System.Enum.IsDefined(value), field, "is not a known value");
        return value;
    }

    /// <summary>A date that may be absent; null when it is.</summary>
    public DateOnly? OptionalDate(string field, ProtoDate? value)
    {
        if (value is null)
        {
            return null;
        }

        if (value.Year is >= 1900 and <= 9999 && value.Month is >= 1 and <= 12
            && value.Day >= 1 && value.Day <= DateTime.DaysInMonth(value.Year, value.Month))
        {
            return new DateOnly(value.Year, value.Month, value.Day);
        }

        Add(field, "must be a whole date between 1900 and 9999");
        return null;
    }

    /// <summary>A required date.</summary>
    public DateOnly Date(string field, ProtoDate? value)
    {
        That(value is not null, field, "is required");
        return OptionalDate(field, value) ?? default;
    }

    /// <summary>An instant that may be absent; null when it is.</summary>
    public DateTimeOffset? OptionalTime(string field, Timestamp? value)
    {
        if (value is null)
        {
            return null;
        }

        if (value.Nanos is >= 0 and <= 999_999_999
            && value.Seconds >= s_earliest.ToUnixTimeSeconds() && value.Seconds <= s_latest.ToUnixTimeSeconds())
        {
            // PostgreSQL keeps microseconds: cut here, so that what is answered is what is stored.
            return value.ToDateTimeOffset().CutToMicrosecond();
        }

        Add(field, "must be an instant between 1900 and 9999");
        return null;
    }

    /// <summary>
    /// Business time: now when absent; it may lie in the past without limit, and ahead at most a day.
    /// </summary>
    /// <param name="field">Path of the field.</param>
    /// <param name="value">The time.</param>
    /// <param name="now">Now.</param>
    /// <param name="daysAhead">1, or 0 where it may not lie ahead.</param>
    public DateTimeOffset BusinessTime(string field, Timestamp? value, DateTimeOffset now, int daysAhead = 1)
    {
        var time = OptionalTime(field, value) ?? now;
        That(time <= now.AddDays(daysAhead), field, daysAhead == 0 ? "must not lie in the future" : "must lie at most one day ahead");
        return time;
    }

    /// <summary>A page size by AIP-158: 0 is the default, too large is cut, negative is refused.</summary>
    public int PageSize(int value, int byDefault, int max)
    {
        That(value >= 0, "page_size", "must not be negative");
        return value <= 0 ? byDefault : Math.Min(value, max);
    }

    /// <summary>A required request id (AIP-155).</summary>
    public Guid RequestId(string value) => Uuid("request_id", value);

    /// <summary>An etag that may be empty; null when it is.</summary>
    /// <param name="value">The etag.</param>
    /// <param name="field">Path of the field.</param>
    public long? Etag(string value, string field = "etag")
    {
        if (value.Length == 0)
        {
            return null;
        }

        if (long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var version))
        {
            return version;
        }

        Add(field, "is not an etag of Jafer");
        return null;
    }
}
