using Jafer.Contracts.Directory.V1;
using Jafer.Notifications.Mails;

namespace Jafer.Notifications.Tests.Mails;

public sealed class AddressBookTests
{
    private static readonly Contact s_follower = Person("suivi", ContactRole.Suivi);
    private static readonly Contact s_colleague = Person("collegue", ContactRole.Suivi);
    private static readonly Contact s_director = Person("direction", ContactRole.Direction);

    [Fact]
    public void Choose_WithoutANamedOne_IsWhoFollowsMesuresElseEverybody()
    {
        Assert.Equal([s_follower, s_colleague], Choose([s_follower, s_director, s_colleague]));
        Assert.Equal([s_director], Choose([s_director]));
        Assert.Equal([s_follower, s_director, s_colleague], AddressBook.Choose([s_follower, s_director, s_colleague], ContactMail.Mesures, [], tried: []));
    }

    [Fact]
    public void Choose_WithNamedOnes_IsThemAndNobodyElseUnlessNoneIsLeftOrAllAreTold()
    {
        Assert.Equal([s_director], Choose([s_follower, s_director], "direction", "parti"));
        Assert.Equal([s_follower], Choose([s_follower, s_director], "parti"));
        Assert.Equal([s_follower, s_director], AddressBook.Choose([s_follower, s_director], ContactMail.Mesures, ["direction"], tried: []));

        // Who is named but does not want the kind leaves it to who follows.
        Assert.Equal([s_follower], Choose([s_follower, Muting(s_director, ContactMail.Mesures)], "direction"));
    }

    [Theory]
    [InlineData(ContactMail.Difficultes, true)]
    [InlineData(ContactMail.Dangers, true)]
    [InlineData(ContactMail.Messages, false)]
    [InlineData(ContactMail.Mesures, false)]
    [InlineData(ContactMail.Rappels, false)]
    [InlineData(ContactMail.Donnees, false)]
    [InlineData(ContactMail.Demandes, false)]
    public void Choose_WhereEverybodyDoesWithoutIt_TellsThemOfSomethingUrgentAlone(ContactMail kind, bool urgent)
    {
        var (follower, director) = (Muting(s_follower, kind), Muting(s_director, kind));
        Contact[] told = urgent ? [follower] : [];

        Assert.Equal(told, AddressBook.Choose([follower, director], kind, []));
        Assert.Equal([s_director], AddressBook.Choose([follower, s_director], kind, []));
    }

    [Theory]
    [InlineData(ContactMail.Difficultes, true)]
    [InlineData(ContactMail.Dangers, true)]
    [InlineData(ContactMail.Messages, false)]
    public void Choose_WhereNobodyElseHasAnAddressThatWorks_TellsWhoDoesWithoutItOfSomethingUrgentAlone(ContactMail kind, bool urgent)
    {
        var muting = Muting(s_colleague, kind);
        Contact[] all = [s_follower, s_director, muting];
        Contact[] last = urgent ? [muting] : [];

        Assert.Equal([s_director], AddressBook.Choose(all, kind, [], tried: ["suivi"]));
        Assert.Equal(last, AddressBook.Choose(all, kind, [], tried: ["suivi", "direction"]));
        Assert.Empty(AddressBook.Choose(all, kind, [], tried: ["suivi", "direction", "collegue"]));
    }

    [Fact]
    public void Choose_OfAsManyContactsAsAnOrganisationMayHave_TellsThemAll()
    {
        var contacts = Enumerable.Range(0, 50).Select(i => Person($"greffe-{i}", ContactRole.Suivi)).ToList();

        Assert.Equal(contacts, Choose(contacts));
    }

    [Fact]
    public void Choose_OfOnePersonInTwoContacts_IsOneMail()
    {
        var twice = Person("autre", ContactRole.Suivi);
        twice.Email = s_follower.Email.ToUpperInvariant();

        Assert.Equal([s_follower], Choose([s_follower, twice]));
    }

    private static IReadOnlyList<Contact> Choose(IReadOnlyList<Contact> contacts, params IReadOnlyList<string> named) => AddressBook.Choose(contacts, ContactMail.Mesures, named);

    private static Contact Person(string id, ContactRole role) => new() { ExternalId = id, Email = id + "@association.test", Role = role };

    private static Contact Muting(Contact contact, ContactMail kind)
    {
        var muting = contact.Clone();
        muting.MutedMails.Add(kind);
        return muting;
    }
}
