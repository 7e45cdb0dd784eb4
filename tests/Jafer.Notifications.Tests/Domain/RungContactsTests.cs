using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Notifications.Domain;

namespace Jafer.Notifications.Tests.Domain;

public sealed class RungContactsTests
{
    private static readonly Contact s_follower = new() { ExternalId = "1", Email = "suivi@association.test", Role = ContactRole.Suivi };
    private static readonly Contact s_colleague = new() { ExternalId = "2", Email = "remplacante@association.test" };
    private static readonly Contact s_manager = new() { ExternalId = "3", Email = "direction@association.test", Role = ContactRole.Direction };

    [Fact]
    public void Of_AnyRung_MeansItsOwnContactsAlone()
    {
        Contact[] all = [s_follower, s_colleague, s_manager];

        Assert.Equal([s_follower], RungContacts.Of(all, [], ReminderRung.Unspecified));
        Assert.Equal([s_follower], RungContacts.Of(all, [], ReminderRung.MustAct));
        Assert.Equal([s_colleague], RungContacts.Of(all, [], ReminderRung.Colleague));
        Assert.Equal([s_manager], RungContacts.Of(all, [], ReminderRung.Manager));
        Assert.Equal([s_follower], RungContacts.Of(all, [], ReminderRung.Operator));
    }

    [Fact]
    public void Of_AMesureForWhichSomebodyIsNamed_MeansThemFirstAndTheOthersAsColleagues()
    {
        Contact[] all = [s_follower, s_colleague, s_manager];

        Assert.Equal([s_colleague], RungContacts.Of(all, ["2"], ReminderRung.MustAct));
        Assert.Equal([s_follower], RungContacts.Of(all, ["2"], ReminderRung.Colleague));
        Assert.Equal([s_manager], RungContacts.Of(all, ["2"], ReminderRung.Manager));
    }

    [Fact]
    public void Of_ARungWithoutContacts_MeansWhoIsAboveOrAll()
    {
        Assert.Equal([s_manager], RungContacts.Of([s_follower, s_manager], [], ReminderRung.Colleague));
        Assert.Equal([s_follower], RungContacts.Of([s_follower], [], ReminderRung.Manager));
        Assert.Equal([s_colleague, s_manager], RungContacts.Of([s_colleague, s_manager], [], ReminderRung.MustAct));
        Assert.Empty(RungContacts.Of([], [], ReminderRung.Operator));
    }
}
