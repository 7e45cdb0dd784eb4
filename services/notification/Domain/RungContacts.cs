using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Notifications.Domain;

/// <summary>Which contacts of an organisation a rung means.</summary>
internal static class RungContacts
{
    /// <summary>
    /// Of these contacts, whom a mail is for. Who must act are those named for the mesure, else those who follow mesures; their
    /// colleagues all others but who runs the organisation. Where there is no colleague, who runs it; where nobody is of that kind, all
    /// of them: somebody must learn it.
    /// </summary>
    /// <param name="contacts">The contacts.</param>
    /// <param name="named">External ids of those whom the organisation named for the mesure; none where it named nobody.</param>
    /// <param name="rung">The rung; unspecified for what waits for who must act and is no reminder.</param>
    public static IReadOnlyList<Contact> Of(IReadOnlyList<Contact> contacts, IReadOnlyCollection<string> named, ReminderRung rung)
    {
        var followers = FirstOf(contacts.Where(c => named.Contains(c.ExternalId)), contacts.Where(c => c.Role == ContactRole.Suivi));
        var managers = contacts.Where(c => c.Role == ContactRole.Direction);
        return rung switch
        {
            ReminderRung.Colleague => FirstOf(contacts.Except(followers).Where(c => c.Role != ContactRole.Direction), managers, contacts),
            ReminderRung.Manager => FirstOf(managers, contacts),
            _ => FirstOf(followers, contacts),
        };
    }

    private static List<Contact> FirstOf(params IEnumerable<Contact>[] choices) => choices.Select(c => c.ToList()).FirstOrDefault(c => c.Count > 0) ?? [];
}
