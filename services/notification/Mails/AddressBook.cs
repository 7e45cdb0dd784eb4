using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Clients;

namespace Jafer.Notifications.Mails;

/// <summary>The contacts of organisations. Asked of the directory when a mail is addressed and when it is sent, and kept nowhere.</summary>
internal sealed class AddressBook(DirectoryService.DirectoryServiceClient directory)
{
    /// <summary>More people than that are a mailing list.</summary>
    private const int MostPeople = 20;

    /// <summary>The contacts that have an address; null when the directory does not answer.</summary>
    /// <param name="organisationId">The organisation.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<IReadOnlyList<Contact>?> ContactsAsync(Guid organisationId, CancellationToken ct)
    {
        var answer = await directory.ListContactsAsync(
            new ListContactsRequest { OrganisationId = organisationId.ToString(), PageSize = 200 }, cancellationToken: ct).OrNoAnswerAsync(ct);
        return answer?.Contacts.Where(c => c.Email.Length > 0).ToList();
    }

    /// <summary>
    /// Who is told: those whom the rung means, such as those named for the mesure, else those who follow mesures; else everybody. Left out is who does not want the kind, unless
    /// nobody would be left; an address that two contacts share gets one mail.
    /// </summary>
    /// <param name="contacts">The contacts of the organisation.</param>
    /// <param name="kind">Kind of what is told.</param>
    /// <param name="named">External ids of those whom the organisation named for the mesure; none where it named nobody.</param>
    /// <param name="rung">Who of the organisation is reminded; unspecified where it is no reminder.</param>
    /// <param name="all">Whether all are told, those who usually are and the others: who usually is has no address that works.</param>
    public static IReadOnlyList<Contact> Choose(
        IReadOnlyList<Contact> contacts, ContactMail kind, IReadOnlyCollection<string> named, ReminderRung rung = ReminderRung.Unspecified, bool all = false)
    {
        var willing = contacts.Where(c => !c.MutedMails.Contains(kind)).ToList();
        var told = willing.Count > 0 ? willing : contacts;
        return [.. (all ? told : RungContacts.Of(told, named, rung)).DistinctBy(c => c.Email, StringComparer.OrdinalIgnoreCase).Take(MostPeople)];
    }
}
