using System.Net.Mail;
using System.Text.RegularExpressions;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Contacts;

/// <summary>What can be wrong with the contacts of an organisation.</summary>
internal static partial class ContactChecks
{
    private const int MaxContacts = 50;
    private const int MaxId = 100;
    private const int MaxEmail = 254;
    private const int MaxName = 100;
    private const int MaxMuted = 20;

    private static readonly ContactMail[] s_urgent = [ContactMail.Difficultes, ContactMail.Dangers];

    // Six to fifteen digits as E.164 has them, written as people write them.
    [GeneratedRegex(@"\A\+?[0-9]([ .-]?[0-9]){5,14}\z")]
    private static partial Regex Phone();

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
            check.Text($"{path}[{i}].name", contact.Name, MaxName);
            check.That(contact.Phone.Length == 0 || Phone().IsMatch(contact.Phone), $"{path}[{i}].phone", "must be a telephone number");
            check.KnownOrUnspecified($"{path}[{i}].right", contact.Right);
            check.That(contact.MutedMails.Count <= MaxMuted, $"{path}[{i}].muted_mails", "must have at most 20 entries");
            foreach (var (m, mail) in contact.MutedMails.Take(MaxMuted).Index())
                check.Known($"{path}[{i}].muted_mails[{m}]", mail);
        }
        foreach (var mail in s_urgent.Where(u => contacts.Count > 0 && contacts.All(c => c.MutedMails.Contains(u))))
        {
            var last = contacts[^1].MutedMails.IndexOf(mail);
            check.That(false, $"{path}[{contacts.Count - 1}].muted_mails[{last}]", "leaves nobody whom something urgent would reach");
        }
    }
}
