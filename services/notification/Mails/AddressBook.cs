using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Clients;

namespace Jafer.Notifications.Mails;

/// <summary>The contacts of organisations. Asked of the directory when a mail is addressed and when it is sent, and kept nowhere.</summary>
internal sealed class AddressBook(DirectoryService.DirectoryServiceClient directory)
{
    /// <summary>The contacts that have an address; null when the directory does not answer.</summary>
    /// <param name="organisationId">The organisation.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<IReadOnlyList<Contact>?> ContactsAsync(Guid organisationId, CancellationToken ct)
    {
        var answer = await directory.ListContactsAsync(
            new ListContactsRequest { OrganisationId = organisationId.ToString(), PageSize = 200 }, cancellationToken: ct).OrNoAnswerAsync(ct);
        return answer?.Contacts.Where(c => c.Email.Length > 0).ToList();
    }

    /// <summary>Whether mails of a kind reach somebody whatever the contacts do without.</summary>
    /// <param name="kind">Kind of what is told.</param>
    public static bool IsUrgent(ContactMail kind) => kind is ContactMail.Difficultes or ContactMail.Dangers;

    /// <summary>
    /// Who is told: of those who want the kind, whom the rung means, such as those named for the mesure, else those who follow mesures,
    /// else all of them. Nobody where nobody wants it; but something urgent goes to those who do without it once nobody else is left.
    /// An address that two contacts share gets one mail.
    /// </summary>
    /// <param name="contacts">The contacts of the organisation.</param>
    /// <param name="kind">Kind of what is told.</param>
    /// <param name="named">External ids of those whom the organisation named for the mesure; none where it named nobody.</param>
    /// <param name="rung">Who of the organisation is reminded; unspecified where it is no reminder.</param>
    /// <param name="tried">External ids of those to whom it was addressed before, none of whom has an address that works; null while whom the rung means may be reached.</param>
    public static IReadOnlyList<Contact> Choose(
        IReadOnlyList<Contact> contacts, ContactMail kind, IReadOnlyCollection<string> named, ReminderRung rung = ReminderRung.Unspecified, IReadOnlyCollection<string>? tried = null)
    {
        var willing = contacts.Where(c => !c.MutedMails.Contains(kind)).ToList();
        var fallback = IsUrgent(kind) ? contacts : [];
        if (tried is null)
        {
            return [.. RungContacts.Of(willing.Count > 0 ? willing : fallback, named, rung).DistinctBy(c => c.Email, StringComparer.OrdinalIgnoreCase)];
        }

        var known = contacts.Where(c => tried.Contains(c.ExternalId)).Select(c => c.Email).ToList();
        var left = willing.ExceptBy(known, c => c.Email, StringComparer.OrdinalIgnoreCase).ToList();
        return left.Count > 0 ? left : [.. fallback.ExceptBy(known, c => c.Email, StringComparer.OrdinalIgnoreCase)];
    }
}
