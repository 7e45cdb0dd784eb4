using System.Buffers.Binary;
using System.Security.Cryptography;
using Google.Protobuf;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Espaces;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Contacts;

/// <summary>Contacts between messages and rows.</summary>
internal static class ContactParts
{
    /// <summary>The contact as it is sent.</summary>
    public static Contact ToProto(ContactRow row) => new()
    {
        ExternalId = row.ExternalId,
        Email = row.Email,
        Role = row.Role,
        Name = row.Name,
        Phone = row.Phone,
        Right = row.Right,
        MutedMails = { row.MutedMails.Select(ProtoConversions.FromCode<ContactMail>) },
    };

    /// <summary>Replaces the contacts of an organisation.</summary>
    /// <param name="rows">Those held.</param>
    /// <param name="organisationId">The organisation.</param>
    /// <param name="contacts">Those said, checked.</param>
    /// <returns>True when anything differs.</returns>
    public static bool Replace(List<ContactRow> rows, Guid organisationId, IReadOnlyCollection<Contact> contacts)
    {
        var before = rows.ToDictionary(c => c.ExternalId, ToProto, StringComparer.Ordinal);
        EspaceParts.Merge(rows, contacts, c => c.ExternalId, (c, _) => c.ExternalId,
            (c, _) => Set(new ContactRow { OrganisationId = organisationId, ExternalId = c.ExternalId, Email = c.Email, Role = c.Role }, c),
            (existing, c, _) => Set(existing, c));
        return rows.Count != before.Count || !rows.TrueForAll(c => ToProto(c).Equals(before.GetValueOrDefault(c.ExternalId)));
    }

    /// <summary>What stands for a version where no row counts the changes: other contacts give another one; 0 for none.</summary>
    /// <param name="rows">The contacts of an organisation.</param>
    public static long Digest(IReadOnlyCollection<ContactRow> rows) => rows.Count == 0
        ? 0
        : BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(
            new ListContactsResponse { Contacts = { rows.OrderBy(c => c.ExternalId, StringComparer.Ordinal).Select(ToProto) } }.ToByteArray())) & long.MaxValue;

    private static ContactRow Set(ContactRow row, Contact contact)
    {
        (row.Email, row.Role, row.Name, row.Phone, row.Right) = (contact.Email, contact.Role, contact.Name, contact.Phone, contact.Right);
        row.MutedMails = [.. contact.MutedMails.Distinct().Order().Select(m => m.ToCode())];
        return row;
    }
}
