using System.Net.Mail;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Contacts;

/// <summary>What can be wrong with the contacts of an organisation.</summary>
internal static class ContactChecks
{
    private const int MaxContacts = 50;
    private const int MaxId = 100;
    private const int MaxEmail = 254;

    public static void Check(FieldChecks check, string path, IReadOnlyList<Contact> contacts)
    {
        check.That(contacts.Count <= MaxContacts, path, "must have at most 50 entries");
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (i, contact) in contacts.Take(MaxContacts).Index())
        {
            check.Text($"{path}[{i}].external_id", contact.ExternalId, MaxId, required: true);
            check.That(ids.Add(contact.ExternalId), $"{path}[{i}].external_id", "stands twice");
            check.That(
                contact.Email.Length <= MaxEmail && !contact.Email.Any(char.IsControl) && MailAddress.TryCreate(contact.Email, out var address) && address.Address == contact.Email,
                $"{path}[{i}].email", "must be an e-mail address");
            check.Known($"{path}[{i}].role", contact.Role);
        }
    }
}
