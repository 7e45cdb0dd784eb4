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
        Assert.Equal([s_follower, s_director, s_colleague], AddressBook.Choose([s_follower, s_director, s_colleague], ContactMail.Mesures, [], all: true));
    }

    [Fact]
    public void Choose_WithNamedOnes_IsThemAndNobodyElseUnlessNoneIsLeftOrAllAreTold()
    {
        Assert.Equal([s_director], Choose([s_follower, s_director], "direction", "parti"));
        Assert.Equal([s_follower], Choose([s_follower, s_director], "parti"));
        Assert.Equal([s_follower, s_director], AddressBook.Choose([s_follower, s_director], ContactMail.Mesures, ["direction"], all: true));

        // Who is named but does not want the kind leaves it to who follows.
        Assert.Equal([s_follower], Choose([s_follower, Muting(s_director, ContactMail.Mesures)], "direction"));
    }

    [Theory]
    [InlineData(ContactMail.Difficultes)]
    [InlineData(ContactMail.Dangers)]
    [InlineData(ContactMail.Messages)]
    public void Choose_WhereEverybodyDoesWithoutIt_TellsThemAllTheSame(ContactMail kind)
    {
        var (follower, director) = (Muting(s_follower, kind), Muting(s_director, kind));

        Assert.Equal([follower], AddressBook.Choose([follower, director], kind, [], all: false));
        Assert.Equal([s_director], AddressBook.Choose([follower, s_director], kind, [], all: false));
    }

    [Fact]
    public void Choose_OfOnePersonInTwoContacts_IsOneMail()
    {
        var twice = Person("autre", ContactRole.Suivi);
        twice.Email = s_follower.Email.ToUpperInvariant();

        Assert.Equal([s_follower], Choose([s_follower, twice]));
    }

    private static IReadOnlyList<Contact> Choose(IReadOnlyList<Contact> contacts, params IReadOnlyList<string> named) => AddressBook.Choose(contacts, ContactMail.Mesures, named, all: false);

    private static Contact Person(string id, ContactRole role) => new() { ExternalId = id, Email = id + "@association.test", Role = role };

    private static Contact Muting(Contact contact, ContactMail kind)
    {
        var muting = contact.Clone();
        muting.MutedMails.Add(kind);
        return muting;
    }
}
