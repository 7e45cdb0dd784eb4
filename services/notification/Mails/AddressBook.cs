using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Clients;

namespace Jafer.Notifications.Mails;

/// <summary>Where to write to an organisation. Asked of the directory for each mail and kept nowhere.</summary>
internal sealed class AddressBook(DirectoryService.DirectoryServiceClient directory)
{
    /// <summary>More than that in one mail is a mailing list.</summary>
    private const int MaxAddresses = 20;

    /// <summary>
    /// Addresses of those who follow mesures; of everybody known when nobody is said to. Left out is who wants none of the kinds
    /// of the mail, unless nobody would be left. Empty when the directory knows none, null when it does not answer.
    /// </summary>
    /// <param name="organisationId">The organisation.</param>
    /// <param name="kinds">Kinds of what the mail tells.</param>
    /// <param name="all">Whether all are told, those who follow mesures and the others: who follows them did not act.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<IReadOnlyList<string>?> FindAsync(Guid organisationId, IReadOnlyCollection<ContactMail> kinds, bool all, CancellationToken ct)
    {
        var answer = await directory.ListContactsAsync(
            new ListContactsRequest { OrganisationId = organisationId.ToString(), PageSize = 200 }, cancellationToken: ct).OrNoAnswerAsync(ct);
        if (answer is null)
        {
            return null;
        }

        var known = answer.Contacts.Where(c => c.Email.Length > 0).ToList();
        var willing = known.Where(c => !kinds.All(c.MutedMails.Contains)).ToList();
        var told = willing.Count > 0 ? willing : known;
        var followers = all ? [] : told.Where(c => c.Role == ContactRole.Suivi).ToList();
        return [.. (followers.Count > 0 ? followers : told).Select(c => c.Email).Distinct(StringComparer.OrdinalIgnoreCase).Take(MaxAddresses)];
    }
}
