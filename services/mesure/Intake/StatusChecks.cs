using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Mesures.Intake;

/// <summary>An item as it came, checked.</summary>
/// <param name="SourceSystem">The software; empty when it is not well-formed.</param>
/// <param name="ExternalId">Its name there; empty when it is not well-formed.</param>
/// <param name="Sequence">Its number.</param>
/// <param name="MesureId">The mesure; null when it is none.</param>
/// <param name="OccurredAt">Business time.</param>
/// <param name="Act">What happened; null when it is not said as it must.</param>
/// <param name="Identified">Whether it can be told from others: source, external id, sequence and mesure are well-formed.</param>
/// <param name="Violations">Everything that is wrong with it.</param>
/// <param name="Content">The item as sent.</param>
/// <param name="Hash">Tells it from another one under the same external id.</param>
internal sealed record ReportedItem(
    string SourceSystem, string ExternalId, long Sequence, Guid? MesureId, DateTimeOffset OccurredAt, StatusAct? Act, bool Identified,
    IReadOnlyList<FieldViolation> Violations, byte[] Content, Guid Hash);

/// <summary>Validates what software reports. What is wrong with one item is told in its result.</summary>
internal static class StatusChecks
{
    public const int MaxItems = 1000;

    private const long MaxSequence = 1_000_000_000_000;

    private static readonly SearchValues<char> s_sourceSystem = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-");
    private static readonly SearchValues<char> s_externalId = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/-");

    /// <summary>Reads an item.</summary>
    public static ReportedItem Read(StatusItem item, DateTimeOffset now)
    {
        var check = new FieldChecks();
        var sourceSystem = SourceSystem(check, "source_system", item.SourceSystem);
        var externalId = ExternalId(check, "external_id", item.ExternalId);
        check.That(item.Sequence is >= 1 and <= MaxSequence, "sequence", string.Create(CultureInfo.InvariantCulture, $"must be from 1 to {MaxSequence}"));
        var mesureId = check.Uuid("mesure_id", item.MesureId);
        var identified = check.Passed;
        var occurredAt = check.BusinessTime("occurred_time", item.OccurredTime, now);
        var act = StatusAct.Read(check, item);
        check.That(act is not null, "what", "is required, and must be a kind that this version knows");
        var content = item.ToByteArray();
        return new ReportedItem(
            sourceSystem, externalId, item.Sequence, mesureId == Guid.Empty ? null : mesureId, occurredAt, check.Passed ? act : null, identified, check.Violations, content, HashOf(content));
    }

    /// <summary>Name of a software.</summary>
    public static string SourceSystem(FieldChecks check, string field, string value) => Spelt(check, field, value, 50, s_sourceSystem, "must be 1 to 50 of a-z, 0-9, \".\" and \"-\"");

    /// <summary>What a software calls something.</summary>
    public static string ExternalId(FieldChecks check, string field, string value) =>
        Spelt(check, field, value, 100, s_externalId, "must be 1 to 100 of A-Z, a-z, 0-9 and \"._:/-\"");

    /// <summary>Something that is named either by its UUID or by what a software calls it.</summary>
    public static (Guid? Id, string ExternalId) OneName(FieldChecks check, string idField, string id, string externalField, string externalId)
    {
        check.That(id.Length > 0 != externalId.Length > 0, idField, $"either this or {externalField[(externalField.LastIndexOf('.') + 1)..]} is required");
        return (check.OptionalUuid(idField, id), externalId.Length == 0 ? "" : ExternalId(check, externalField, externalId));
    }

    private static string Spelt(FieldChecks check, string field, string value, int most, SearchValues<char> letters, string rule)
    {
        if (value.Length >= 1 && value.Length <= most && !value.AsSpan().ContainsAnyExcept(letters))
        {
            return value;
        }

        check.Add(field, value.Length == 0 ? "is required" : rule);
        return "";
    }

    private static Guid HashOf(byte[] content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return new Guid(hash[..16]);
    }
}
