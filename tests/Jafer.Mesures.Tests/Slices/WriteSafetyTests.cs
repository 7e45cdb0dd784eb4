using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Repeated requests, concurrent writers, one transaction for all that an act leaves.</summary>
public sealed class WriteSafetyTests(MesuresFixture jafer)
{
    [Fact]
    public async Task AnyAct_SameRequestTwice_GivesTheFirstAnswerAgain()
    {
        var request = Content();
        var first = await jafer.AsCourt.CreateMesureAsync(request);
        var again = await jafer.AsCourt.CreateMesureAsync(request);
        Assert.Equal(first, again);

        var complete = new CompleteMesureRequest { MesureId = first.Mesure.MesureId, RequestId = NewId() };
        Assert.Equal(await jafer.AsCourt.CompleteMesureAsync(complete), await jafer.AsCourt.CompleteMesureAsync(complete));
        Assert.Equal(2, await jafer.Database.ReadAsync<long>($"select count(*) from mesure_facts where mesure_id = '{first.Mesure.MesureId}'"));
    }

    [Fact]
    public async Task AnyAct_RequestIdOfOtherContent_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var requestId = NewId();
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = requestId });

        var refusal = await Refusal.OfAsync(jafer.AsEspace.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = requestId }));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_ID_REUSED"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task AnyAct_StaleEtag_IsAborted()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);

        var refusal = await Refusal.OfAsync(jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, Etag = "1", RequestId = NewId() }));

        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH", "3"), (refusal.Code, refusal.Reason, refusal.Metadata["etag"]));
    }

    [Fact]
    public async Task RecordContact_FiftyWritersOnTwoReplicas_EachIsAppliedOnceOrAborted()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Refusal.CodeOfAsync(
            (i % 2 == 0 ? jafer.AsEspace : jafer.AsEspaceOnSecond).RecordContactAsync(
                new RecordContactRequest { MesureId = id, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.NotReached, RequestId = NewId() }))));

        Assert.All(outcomes, o => Assert.Contains(o, new[] { StatusCode.OK, StatusCode.Aborted }));
        var versions = await jafer.Database.ReadAllAsync<long>($"select version from mesure_facts where mesure_id = '{id}' order by version");
        Assert.Equal(Enumerable.Range(1, 4 + outcomes.Count(o => o == StatusCode.OK)).Select(i => (long)i), versions);
    }

    [Fact]
    public async Task AcknowledgeMesure_SameRequestTwentyTimesAtOnce_IsAppliedOnceAndAnsweredAlike()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var request = new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() };

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i =>
            (i % 2 == 0 ? jafer.AsEspace : jafer.AsEspaceOnSecond).AcknowledgeMesureAsync(request).ResponseAsync));

        Assert.Single(answers.Distinct());
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from mesure_facts where mesure_id = '{id}' and act = 'ACKNOWLEDGE'"));
    }

    [Fact]
    public async Task RefusedAct_NothingIsLeft_NotEvenTheRequestId()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var requestId = NewId();
        await Refusal.OfAsync(jafer.AsEspace.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = requestId }));
        Assert.Equal(0, await jafer.Database.ReadAsync<long>($"select count(*) from processed_requests where request_id = '{requestId}'"));

        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() });

        Assert.Equal(MesureState.PriseEnCharge, (await jafer.AsEspace.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = requestId })).Mesure.State);
    }

    [Fact]
    public async Task History_ChangedInTheDatabase_IsRefusedByIt()
    {
        var id = await jafer.MesureInAsync(MesureState.Ordonnee);

        var error = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => jafer.Database.RunAsync($"update mesure_facts set act = 'CLOSE' where mesure_id = '{id}'"));

        Assert.Contains("append-only", error.MessageText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetMesure_Read_IsOnTheJournalWithoutPersonalData()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);

        await jafer.AsEspace.GetMesureAsync(new GetMesureRequest { MesureId = id });

        Assert.Equal(1, await jafer.Database.ReadAsync<long>(
            $"select count(*) from journal.entries where 'mesures/{id}' = any(resources) and rpc like '%/GetMesure' and organisation_id = '{Gestionnaire}'"));
    }

    [Fact]
    public async Task Outbox_PersonalDataOfAMesure_NeverEntersAnEvent()
    {
        var bus = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString("N");
        await jafer.Database.RunAsync("create schema probe; create table probe.seen_payloads (payload jsonb)");
        await jafer.Database.RunAsync("""
            create function probe.keep_payload() returns trigger language plpgsql security definer as $$ begin insert into probe.seen_payloads values (new.payload); return new; end $$;
            create trigger keep_payload after insert on outbox_messages for each row execute function probe.keep_payload();
            """);

        await jafer.MesureInAsync(MesureState.Programmee, r =>
        {
            r.Decision.RgNumber = bus;
            r.Decision.Restrictions = bus;
            r.Decision.JudgeName = bus;
            r.Parties[0].FamilyName = bus;
            r.Children[0].GivenName = bus;
        });

        Assert.True(await jafer.Database.ReadAsync<long>("select count(*) from probe.seen_payloads") >= 7);
        Assert.Equal(0, await jafer.Database.ReadAsync<long>($"select count(*) from probe.seen_payloads where payload::text like '%{bus}%'"));
    }
}
