using Jafer.Testing;

namespace Jafer.Notifications.Tests.Mails;

/// <summary>The service is killed while it sends mails: nobody is left out, and at most one mail for each worker is sent again, as the same.</summary>
public sealed class KilledSenderTests(MailFaultFixture fixture) : IClassFixture<MailFaultFixture>
{
    private const int People = 240;
    private const int Workers = 4;

    [Fact]
    public async Task Kill_InTheMiddleOfMails_LosesNoneAndRepeatsAtMostOneForEachWorker()
    {
        await using var database = await NotificationsFixture.CloneDatabaseAsync();
        var organisations = Enumerable.Range(0, People).Select(_ => TestMesure.NewId()).ToList();
        await database.RunAsync($"""
            insert into deliveries
            select gen_random_uuid(), o::uuid, gen_random_uuid(), 'messaging.message-posted.v1', gen_random_uuid(), false, 'QUEUED', 0, now(), now()
            from unnest(array[{string.Join(',', organisations.Select(o => $"'{o}'"))}]) o
            """);
        var prefix = ServiceHost.UniquePrefix();
        await fixture.Smtp.DoAsync(new { delay = 3 });

        for (var life = 0; life < 3; life++)
        {
            var (grpc, health) = (ServiceProcess.FreePort(), ServiceProcess.FreePort());
            using var service = await NotificationsProcess.StartAsync(
                database, prefix, grpc, health, [.. fixture.MailSettings().Select(s => (s.Key, s.Value!)), ("Mail:Concurrency", $"{Workers}")]);
            try
            {
                // Some mails of each life are under way when it dies.
                var wanted = life == 2 ? People : 60 * (life + 1);
                await Eventually.BecomesAsync(fixture.Smtp.PeopleAsync, n => n >= wanted, $"{wanted} people");
                if (life == 2)
                {
                    await Eventually.BecomesAsync(() => database.ReadAsync<long>("select count(*) from mail_recipients where state = 'SENT'"), n => n == People, "all noted");
                }
            }
            finally
            {
                service.Kill(entireProcessTree: true);
                await service.WaitForExitAsync(TestContext.Current.CancellationToken);
            }
        }

        var mails = (await fixture.Smtp.SeenAsync()).Mails;
        Assert.Equal(organisations.Select(StubDirectory.AddressOf).Order(), mails.Select(m => m.Address).Distinct().Order());
        Assert.InRange(mails.Count, People, People + (2 * Workers));
        Assert.Equal(People, mails.Select(m => (m.Address, m.Message.MessageId)).Distinct().Count());
        Assert.Equal(["SENT"], await database.ReadAllAsync<string>("select distinct state from deliveries"));
    }
}
