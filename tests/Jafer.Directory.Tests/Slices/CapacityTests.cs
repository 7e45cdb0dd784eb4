using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Npgsql;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>Whether an espace has room: asked, answered, and what comes to it meanwhile.</summary>
public class CapacityTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Theory]
    [InlineData("q-open", ModaliteState.Ouverte, CapacityAnswer.HasCapacity)]
    [InlineData("q-limited", ModaliteState.Limitee, CapacityAnswer.HasCapacity)]
    [InlineData("q-list", ModaliteState.ListeAttente, CapacityAnswer.WaitingList)]
    [InlineData("q-full", ModaliteState.Complete, CapacityAnswer.NoCapacity)]
    public async Task RequestCapacity_FreshData_AreAnsweredByTheDirectoryAndNobodyIsAsked(string id, ModaliteState state, CapacityAnswer expected)
    {
        var espace = Espace(id, wait: 25);
        (espace.Modalites[0].State, espace.Modalites[0].WaitingFamilies) = (state, 9);
        await directory.ImportAsync(espace);

        var request = Ask(id);
        var enquiry = (await directory.Court.RequestCapacityAsync(request, cancellationToken: Cancel)).Enquiry;

        Assert.Equal((EnquiryState.Answered, expected, EnquiryAnsweredBy.Directory), (enquiry.State, enquiry.Answer, enquiry.AnsweredBy));
        Assert.Equal(expected == CapacityAnswer.NoCapacity ? (false, 0) : (true, 25), (enquiry.HasWaitDays, enquiry.WaitDays));
        Assert.Equal(9, enquiry.WaitingFamilies);
        Assert.Equal(Today.AddDays(31), DateOnly.FromDateTime(enquiry.ExpireTime.ToDateTime().AddHours(3)));
        Assert.Equal(enquiry, (await directory.Court.RequestCapacityAsync(request, cancellationToken: Cancel)).Enquiry);
        Assert.Equal(0, await directory.Database.ReadAsync<long>($"select count(*) from outbox_messages where ordering_key = '{enquiry.EnquiryId}'"));
    }

    [Fact]
    public async Task RequestCapacity_ClosedUntilADay_IsANoThatHoldsNoLonger()
    {
        var closed = Espace("q-closed");
        closed.Fermetures.Add(new Fermeture { StartDate = Today.AddDays(-3).ToProto(), EndDate = Today.AddDays(4).ToProto(), Reason = FermetureReason.Conges });
        var full = Espace("q-reopens");
        (full.Modalites[0].State, full.Modalites[0].ReopeningDate) = (ModaliteState.Complete, Today.AddDays(9).ToProto());
        await directory.ImportAsync(closed, full);

        foreach (var (id, reopens) in new[] { ("q-closed", Today.AddDays(5)), ("q-reopens", Today.AddDays(9)) })
        {
            var enquiry = (await directory.Court.RequestCapacityAsync(Ask(id), cancellationToken: Cancel)).Enquiry;
            Assert.Equal(CapacityAnswer.NoCapacity, enquiry.Answer);
            Assert.Equal(reopens, DateOnly.FromDateTime(enquiry.ExpireTime.ToDateTime().AddHours(3)));
        }
    }

    [Fact]
    public async Task RequestCapacity_WhatTheEspaceCannotOrDidNotSay_IsNoOrNeedsAssessment()
    {
        var espace = Espace("q-limits");
        espace.Modalites[0].MaxAge = 10;
        await directory.ImportAsync(espace);
        var tooOld = Ask("q-limits");
        tooOld.Mesure.ChildAges.Add(12);
        var unsaid = Ask("q-limits");
        unsaid.Mesure.Besoins.Add(BesoinAccueil.FauteuilRoulant);
        var other = Ask("q-limits");
        other.Mesure.Modalite = Modalite.VisiteVisio;

        Assert.Equal(CapacityAnswer.NoCapacity, (await directory.Court.RequestCapacityAsync(tooOld, cancellationToken: Cancel)).Enquiry.Answer);
        Assert.Equal(CapacityAnswer.AssessmentRequired, (await directory.Court.RequestCapacityAsync(unsaid, cancellationToken: Cancel)).Enquiry.Answer);
        Assert.Equal(CapacityAnswer.NoCapacity, (await directory.Court.RequestCapacityAsync(other, cancellationToken: Cancel)).Enquiry.Answer);
    }

    [Fact]
    public async Task AnswerCapacity_StaleData_AreAskedOfTheEspaceAndItsAnswerRefreshesTheDirectory()
    {
        await using var received = await EventTests.Listener.StartAsync(directory.Prefix);
        await directory.ImportAsync(Espace("q-stale", wait: 200));
        await AgeAsync("q-stale");
        var ask = Ask("q-stale");
        ask.Mesure.ChildAges.Add([6, 9]);
        ask.Mesure.Situations.Add(SituationParticuliere.Addiction);

        var pending = (await directory.Court.RequestCapacityAsync(ask, cancellationToken: Cancel)).Enquiry;
        Assert.Equal((EnquiryState.Pending, CapacityAnswer.Unspecified, EnquiryAnsweredBy.Unspecified), (pending.State, pending.Answer, pending.AnsweredBy));
        var opened = await received.FirstAsync<CapacityEnquiryOpened>(e => e.AggregateId == Guid.Parse(pending.EnquiryId));
        Assert.Equal((StableIds.Gestionnaire("test", "G-q-stale"), IdOf("q-stale"), "VISITE", 1L), (opened.GestionnaireId, opened.EspaceId, opened.Modalite, opened.AggregateVersion));
        Assert.Equal(CapacityStatus.Unconfirmed, (await ResultAsync("q-stale")).CapacityStatus);

        var espace = directory.Gestionnaire("G-q-stale");
        var seen = (await espace.GetCapacityEnquiryAsync(new() { EnquiryId = pending.EnquiryId }, cancellationToken: Cancel)).Enquiry;
        Assert.Equal((6, 9, 2, SituationParticuliere.Addiction), (seen.YoungestAge, seen.OldestAge, seen.ChildCount, Assert.Single(seen.Situations)));

        var reply = new AnswerCapacityRequest { EnquiryId = pending.EnquiryId, Answer = CapacityAnswer.WaitingList, WaitDays = 33, WaitingFamilies = 4, RequestId = NewId() };
        var answered = (await espace.AnswerCapacityAsync(reply, cancellationToken: Cancel)).Enquiry;
        Assert.Equal(
            (EnquiryState.Answered, CapacityAnswer.WaitingList, EnquiryAnsweredBy.Espace, 33, 4),
            (answered.State, answered.Answer, answered.AnsweredBy, answered.WaitDays, answered.WaitingFamilies));
        Assert.Equal(answered, (await espace.AnswerCapacityAsync(reply, cancellationToken: Cancel)).Enquiry);
        Assert.Equal(answered, (await directory.Court.GetCapacityEnquiryAsync(new() { EnquiryId = pending.EnquiryId }, cancellationToken: Cancel)).Enquiry);

        var result = await ResultAsync("q-stale");
        Assert.Equal((CapacityStatus.WaitingList, 33, false), (result.CapacityStatus, result.DeclaredWait.Days, result.DeclaredWait.Stale));
        Assert.Equal((ResultWarningCode.WaitingList, 4), result.Warnings.Select(w => (w.Code, w.Value)).Single());
        Assert.Equal(EnquiryAnsweredBy.Directory, (await directory.Court.RequestCapacityAsync(Ask("q-stale"), cancellationToken: Cancel)).Enquiry.AnsweredBy);
        var told = await received.FirstAsync<CapacityEnquiryAnswered>(e => e.AggregateId == Guid.Parse(pending.EnquiryId));
        Assert.Equal((StableIds.Court("tj69123"), "WAITING_LIST", 2L), (told.RequesterId, told.Answer, told.AggregateVersion));
        Assert.Equal(33, (await received.FirstAsync<WaitDeclared>(e => e.AggregateId == IdOf("q-stale"))).Days);
        Assert.Equal(
            ["ATTENTE:SAID", "MODALITE:SAID"],
            await directory.Database.ReadAllAsync<string>($"""
                select espace_group || ':' || kind from espace_changes where espace_id = '{IdOf("q-stale")}' and source = 'PUSHED' order by 1
                """));

        var again = await Refusal.OfAsync(espace.AnswerCapacityAsync(
            new() { EnquiryId = pending.EnquiryId, Answer = CapacityAnswer.HasCapacity, RequestId = NewId() }, cancellationToken: Cancel));
        Assert.Equal(("STATE_FORBIDS", StatusCode.FailedPrecondition), (again.Reason, again.Code));
    }

    [Fact]
    public async Task AnswerCapacity_ANo_FillsTheModaliteOnlyWhenNothingSpecialWasAskedFor()
    {
        foreach (var (id, ages) in new[] { ("q-no-ages", true), ("q-no-all", false) })
        {
            await directory.ImportAsync(Espace(id));
            await AgeAsync(id);
            var ask = Ask(id);
            if (ages)
                ask.Mesure.ChildAges.Add(2);
            var enquiry = (await directory.Court.RequestCapacityAsync(ask, cancellationToken: Cancel)).Enquiry;
            await directory.Gestionnaire("G-" + id).AnswerCapacityAsync(new() { EnquiryId = enquiry.EnquiryId, Answer = CapacityAnswer.NoCapacity, RequestId = NewId() }, cancellationToken: Cancel);
        }

        Assert.Equal(CapacityStatus.Unconfirmed, (await ResultAsync("q-no-ages")).CapacityStatus);
        Assert.Equal(CapacityStatus.Full, (await ResultAsync("q-no-all")).CapacityStatus);
    }

    [Fact]
    public async Task RequestCapacity_SameQuestionOpen_IsPutOnceAndAnsweredForAll()
    {
        await using var received = await EventTests.Listener.StartAsync(directory.Prefix);
        await directory.ImportAsync(Espace("q-same"));
        await AgeAsync("q-same");
        var courts = new[] { "tj69123", "tj38185", "tj75056" };
        RequestCapacityRequest For(int age)
        {
            var ask = Ask("q-same");
            ask.Mesure.ChildAges.Add(age);
            return ask;
        }

        var asked = await Task.WhenAll(courts.Select(async c =>
            (await directory.Client(Roles.Juridiction, StableIds.Court(c)).RequestCapacityAsync(For(5), cancellationToken: Cancel)).Enquiry));
        var again = (await directory.Court.RequestCapacityAsync(For(5), cancellationToken: Cancel)).Enquiry;
        var other = (await directory.Court.RequestCapacityAsync(For(6), cancellationToken: Cancel)).Enquiry;

        Assert.All(asked, e => Assert.Equal(EnquiryState.Pending, e.State));
        Assert.Equal(3, asked.Select(e => e.EnquiryId).Distinct().Count());
        Assert.Equal(asked[0], again);
        var items = (await directory.Gestionnaire("G-q-same").ListUpkeepItemsAsync(new() { Kinds = { UpkeepKind.Enquiry } }, cancellationToken: Cancel)).Items;
        Assert.Equal(2, items.Count);
        Assert.Contains(items, i => i.EnquiryId == other.EnquiryId);
        var first = items.Single(i => i.EnquiryId != other.EnquiryId).EnquiryId;
        Assert.Contains(first, asked.Select(e => e.EnquiryId));

        await directory.Gestionnaire("G-q-same").AnswerCapacityAsync(new() { EnquiryId = first, Answer = CapacityAnswer.NoCapacity, RequestId = NewId() }, cancellationToken: Cancel);

        foreach (var (court, enquiry) in courts.Zip(asked))
        {
            var answered = (await directory.Client(Roles.Juridiction, StableIds.Court(court)).GetCapacityEnquiryAsync(new() { EnquiryId = enquiry.EnquiryId }, cancellationToken: Cancel)).Enquiry;
            Assert.Equal((CapacityAnswer.NoCapacity, EnquiryAnsweredBy.Espace), (answered.Answer, answered.AnsweredBy));
            var told = await received.FirstAsync<CapacityEnquiryAnswered>(e => e.AggregateId == Guid.Parse(enquiry.EnquiryId));
            Assert.Equal(StableIds.Court(court), told.RequesterId);
        }
    }

    [Theory]
    [InlineData(CapacityAnswer.NoCapacity)]
    [InlineData(CapacityAnswer.AssessmentRequired)]
    public async Task RequestCapacity_AnsweredBefore_IsAnsweredAgainUntilItExpiresOrTheEspaceSaysOtherwise(CapacityAnswer answer)
    {
        var id = $"q-held-{answer}";
        await directory.ImportAsync(Espace(id));
        await AgeAsync(id);
        var ask = Ask(id);
        ask.Mesure.ChildAges.Add(2);
        var espace = directory.Gestionnaire("G-" + id);
        var first = (await directory.Court.RequestCapacityAsync(ask, cancellationToken: Cancel)).Enquiry;
        first = (await espace.AnswerCapacityAsync(new() { EnquiryId = first.EnquiryId, Answer = answer, RequestId = NewId() }, cancellationToken: Cancel)).Enquiry;
        // Confirmed for others, and so fresh: it still holds for this question.
        await espace.ConfirmEspaceAsync(new() { EspaceId = IdOf(id).ToString(), RequestId = NewId() }, cancellationToken: Cancel);

        var otherCourt = directory.Client(Roles.Juridiction, StableIds.Court("tj38185"));
        ask.RequestId = NewId();
        var second = (await otherCourt.RequestCapacityAsync(ask, cancellationToken: Cancel)).Enquiry;
        Assert.Equal((EnquiryState.Answered, answer, EnquiryAnsweredBy.Espace), (second.State, second.Answer, second.AnsweredBy));
        Assert.Equal((first.AnswerTime, first.ExpireTime), (second.AnswerTime, second.ExpireTime));
        Assert.Equal(EnquiryAnsweredBy.Directory, (await otherCourt.RequestCapacityAsync(Ask(id), cancellationToken: Cancel)).Enquiry.AnsweredBy);

        var wanted = (await directory.Court.GetEspaceAsync(new() { EspaceId = IdOf(id).ToString() }, cancellationToken: Cancel)).Espace;
        wanted.Modalites[0].CapacityFamilies++;
        await espace.UpdateEspaceAsync(new() { Espace = wanted, UpdateMask = new() { Paths = { "modalites" } }, RequestId = NewId() }, cancellationToken: Cancel);
        ask.RequestId = NewId();
        Assert.Equal((CapacityAnswer.HasCapacity, EnquiryAnsweredBy.Directory), (await otherCourt.RequestCapacityAsync(ask, cancellationToken: Cancel)).Enquiry is var e ? (e.Answer, e.AnsweredBy) : default);
    }

    [Fact]
    public async Task RequestCapacity_ModaliteNotListed_IsNoOnlyWhileTheListIsFresh()
    {
        await directory.ImportAsync(Espace("q-unlisted"));
        var ask = Ask("q-unlisted");
        ask.Mesure.Modalite = Modalite.VisiteVisio;
        Assert.Equal(CapacityAnswer.NoCapacity, (await directory.Court.RequestCapacityAsync(ask, cancellationToken: Cancel)).Enquiry.Answer);

        await AgeAsync("q-unlisted");
        ask.RequestId = NewId();
        var pending = (await directory.Court.RequestCapacityAsync(ask, cancellationToken: Cancel)).Enquiry;
        Assert.Equal(EnquiryState.Pending, pending.State);
        await directory.Gestionnaire("G-q-unlisted").AnswerCapacityAsync(new() { EnquiryId = pending.EnquiryId, Answer = CapacityAnswer.NoCapacity, RequestId = NewId() }, cancellationToken: Cancel);
        ask.RequestId = NewId();
        Assert.Equal(EnquiryAnsweredBy.Espace, (await directory.Court.RequestCapacityAsync(ask, cancellationToken: Cancel)).Enquiry.AnsweredBy);
    }

    [Fact]
    public async Task GetCapacityEnquiry_NobodyAnsweredInTime_HasExpired()
    {
        await directory.ImportAsync(Espace("q-late"));
        await AgeAsync("q-late");
        var enquiry = (await directory.Court.RequestCapacityAsync(Ask("q-late"), cancellationToken: Cancel)).Enquiry;
        await directory.Database.RunAsync($"update capacity_enquiries set expires_at = now() - interval '1 second' where id = '{enquiry.EnquiryId}'");

        Assert.Equal(EnquiryState.Expired, (await directory.Court.GetCapacityEnquiryAsync(new() { EnquiryId = enquiry.EnquiryId }, cancellationToken: Cancel)).Enquiry.State);
        var late = await Refusal.OfAsync(directory.Gestionnaire("G-q-late").AnswerCapacityAsync(
            new() { EnquiryId = enquiry.EnquiryId, Answer = CapacityAnswer.HasCapacity, RequestId = NewId() }, cancellationToken: Cancel));
        Assert.Equal("STATE_FORBIDS", late.Reason);
    }

    [Fact]
    public async Task CapacityEnquiry_WhoMayNot_IsRefused()
    {
        await directory.ImportAsync(Espace("q-mine"));
        await AgeAsync("q-mine");
        var enquiry = (await directory.Court.RequestCapacityAsync(Ask("q-mine"), cancellationToken: Cancel)).Enquiry.EnquiryId;
        var ended = Espace("q-ended");
        ended.Agrements[0].EndDate = Today.AddDays(-1).ToProto();
        await directory.ImportAsync(ended);
        var otherCourt = directory.Client(Roles.Juridiction, StableIds.Court("tj38185"));
        var otherEspace = directory.Gestionnaire("G-q-ended");

        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(otherCourt.GetCapacityEnquiryAsync(new() { EnquiryId = enquiry }, cancellationToken: Cancel))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(otherEspace.GetCapacityEnquiryAsync(new() { EnquiryId = enquiry }, cancellationToken: Cancel))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(directory.Court.GetCapacityEnquiryAsync(new() { EnquiryId = NewId() }, cancellationToken: Cancel))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(otherEspace.AnswerCapacityAsync(
            new() { EnquiryId = enquiry, Answer = CapacityAnswer.HasCapacity, RequestId = NewId() }, cancellationToken: Cancel))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(directory.Court.AnswerCapacityAsync(
            new() { EnquiryId = enquiry, Answer = CapacityAnswer.HasCapacity, RequestId = NewId() }, cancellationToken: Cancel))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(otherEspace.RequestCapacityAsync(Ask("q-mine"), cancellationToken: Cancel))).Reason);
        Assert.Equal("ESPACE_NOT_DESIGNABLE", (await Refusal.OfAsync(directory.Court.RequestCapacityAsync(Ask("q-ended"), cancellationToken: Cancel))).Reason);
        Assert.Equal("RESOURCE_NOT_FOUND", (await Refusal.OfAsync(directory.Court.RequestCapacityAsync(Ask("q-nowhere"), cancellationToken: Cancel))).Reason);
        Assert.Equal("RESOURCE_NOT_FOUND", (await Refusal.OfAsync(directory.Operateur.GetCapacityEnquiryAsync(new() { EnquiryId = NewId() }, cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task CapacityEnquiry_BadInput_RefusesWithEveryField()
    {
        var asked = await Refusal.OfAsync(directory.Court.RequestCapacityAsync(new()
        {
            EspaceId = "x",
            Mesure = new() { Modalite = Modalite.Visite, HoteCommuneInsee = "69123", VisiteurCommuneInsee = "38185", ChildAges = { 18 } },
        }, cancellationToken: Cancel));
        var answered = await Refusal.OfAsync(directory.Operateur.AnswerCapacityAsync(new() { WaitDays = 1501, WaitingFamilies = -1 }, cancellationToken: Cancel));
        var nothing = await Refusal.OfAsync(directory.Court.RequestCapacityAsync(new(), cancellationToken: Cancel));

        Assert.Equal(["espace_id", "mesure.hote_commune_insee", "mesure.visiteur_commune_insee", "mesure.child_ages[0]", "request_id"], asked.Fields);
        Assert.Equal(["enquiry_id", "answer", "wait_days", "waiting_families", "request_id"], answered.Fields);
        Assert.Equal(["espace_id", "mesure", "mesure.modalite", "request_id"], nothing.Fields);
    }

    [Fact]
    public async Task RequestCapacity_OneHundredPutToEspacesInADay_AreEnoughForOneCaller()
    {
        await directory.ImportAsync(Espace("q-many"), Espace("q-fresh"));
        await AgeAsync("q-many");
        var court = StableIds.Court("tj13055");
        await directory.Database.RunAsync($"""
            insert into capacity_enquiries (id, espace_id, requester_id, modalite, child_count, situations, protection_order, created_at, expires_at, version)
            select gen_random_uuid(), '{IdOf("q-many")}', '{court}', 'VISITE', n, array[]::text[], false, now(), now() + interval '7 days', 1 from generate_series(1, 100) n
            """);
        var client = directory.Client(Roles.Juridiction, court);

        var refusal = await Refusal.OfAsync(client.RequestCapacityAsync(Ask("q-many"), cancellationToken: Cancel));

        Assert.Equal(("LIMIT_EXCEEDED", StatusCode.ResourceExhausted), (refusal.Reason, refusal.Code));
        Assert.Equal(EnquiryState.Answered, (await client.RequestCapacityAsync(Ask("q-fresh"), cancellationToken: Cancel)).Enquiry.State);
        Assert.Equal(EnquiryState.Pending, (await directory.Court.RequestCapacityAsync(Ask("q-many"), cancellationToken: Cancel)).Enquiry.State);
    }

    [Fact]
    public async Task DemandBalance_MesuresTransmitted_CountOnceWhereTheyLastWentTo()
    {
        await directory.ImportAsync(Espace("d-one"), Espace("d-two"));
        var now = TimeProvider.System.GetUtcNow();
        var (moved, again) = (TestMesure.NewId(), TestMesure.NewId());
        await directory.Host.PublishAsync<DirectoryDbContext>(
            Transmitted(moved, "d-one", 4, now), Transmitted(moved, "d-two", 6, now), Transmitted(moved, "d-one", 5, now),
            Transmitted(TestMesure.NewId(), "d-two", 4, now.AddDays(-300)), Transmitted(TestMesure.NewId(), "d-two", 4, now.AddDays(-370)),
            Transmitted(again, "d-two", 4, now), Transmitted(again, "d-two", 4, now), Transmitted(TestMesure.NewId(), "d-one", 2, now));

        await Eventually.BecomesAsync(
            () => directory.Database.ReadAsync<string>($"""
                select coalesce(string_agg(n, ' ' order by n), '') from
                    (select case espace_id when '{IdOf("d-one")}' then 'one:' else 'two:' end || count(*) as n from mesure_receptions
                        where espace_id in ('{IdOf("d-one")}', '{IdOf("d-two")}') group by espace_id) c
                """),
            counts => counts == "one:1 two:4", "five mesures noted");
        // 10 slots a week are 520 in a year, and a mesure takes 10.7 of them.
        Assert.Equal(new DemandBalance { ReceivedCount = 3, CapacityCount = 49, Ratio = 3 / 49.0 }, (await ResultAsync("d-two")).DemandBalance);
        Assert.Equal(1, (await ResultAsync("d-one")).DemandBalance.ReceivedCount);
    }

    [Fact]
    public async Task DemandBalance_MesureThatGoesOnElsewhereOrThatNoJudgeOrdered_CountsWhereTheFamilyIs()
    {
        await directory.ImportAsync(Espace("d-left"), Espace("d-gone-to"));
        var now = TimeProvider.System.GetUtcNow();
        var left = TestMesure.NewId();
        var draft = new MesureCreated
        {
            EventId = TestMesure.NewId(),
            AggregateId = TestMesure.NewId(),
            AggregateVersion = 1,
            OccurredAt = now,
            RecordedAt = now,
            JuridictionId = StableIds.Court("tj69123"),
            EspaceId = IdOf("d-left"),
            State = "ORDONNEE",
            Holder = "JURIDICTION",
            Modalite = "VISITE",
        };
        await directory.Host.PublishAsync<DirectoryDbContext>(Transmitted(left, "d-left", 4, now));
        await CountsAsync("1 0");

        await directory.Host.PublishAsync<DirectoryDbContext>(
            draft,
            draft with { EventId = TestMesure.NewId(), AggregateId = TestMesure.NewId(), JuridictionId = null, EspaceId = IdOf("d-gone-to"), State = "RECUE" },
            Transmitted(TestMesure.NewId(), "d-gone-to", 3, now) with { PredecessorMesureId = left });

        await CountsAsync("0 2");

        Task CountsAsync(string expected) => Eventually.BecomesAsync(
            () => directory.Database.ReadAsync<string>($"""
                select count(*) filter (where espace_id = '{IdOf("d-left")}') || ' ' || count(*) filter (where espace_id = '{IdOf("d-gone-to")}') from mesure_receptions
                """),
            counts => counts == expected, $"{expected} mesures");
    }

    [Fact]
    public async Task DemandBalance_MesureTransmittedDuringAnImport_WaitsForTheEspaceAndNotWithTheRevision()
    {
        await directory.ImportAsync(Espace("d-imported"));
        var id = IdOf("d-imported");
        await using var import = new NpgsqlConnection(directory.Database.ConnectionString);
        await import.OpenAsync();
        await using var transaction = await import.BeginTransactionAsync();
        await RunAsync($"select from espaces where id = '{id}' for no key update");
        await directory.Host.PublishAsync<DirectoryDbContext>(Transmitted(TestMesure.NewId(), "d-imported", 4, TimeProvider.System.GetUtcNow()));
        await Eventually.BecomesAsync(
            () => directory.Database.ReadAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"),
            waiting => waiting > 0, "the event waits");

        // What an import takes last: whoever held it while waiting for the import's rows would never let it end.
        await RunAsync("select from directory_revision for update nowait");
        await transaction.CommitAsync();

        await Eventually.BecomesAsync(
            () => directory.Database.ReadAsync<long>($"select count(*) from mesure_receptions where espace_id = '{id}'"), n => n == 1, "the mesure is noted");

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, import, transaction);
            await command.ExecuteNonQueryAsync();
        }
    }

    private static MesureTransmitted Transmitted(Guid mesure, string espace, long version, DateTimeOffset at) => new()
    {
        EventId = TestMesure.NewId(),
        AggregateId = mesure,
        AggregateVersion = version,
        OccurredAt = at,
        RecordedAt = at,
        JuridictionId = StableIds.Court("tj69123"),
        EspaceId = IdOf(espace),
        GestionnaireId = StableIds.Gestionnaire("test", "G-" + espace),
        State = "TRANSMISE",
        Holder = "ESPACE",
        Modalite = "VISITE",
    };

    private static RequestCapacityRequest Ask(string espace) =>
        new() { EspaceId = IdOf(espace).ToString(), Mesure = new() { Modalite = Modalite.Visite }, RequestId = NewId() };

    // As if nobody had said anything for a year: what the clock would do in a year, and no rpc can.
    private Task<int> AgeAsync(string espace) => directory.Database.RunAsync($"""
        update espace_groups set confirmed_at = confirmed_at - interval '1 year', said_at = said_at - interval '1 year' where espace_id = '{IdOf(espace)}';
        update modalites set wait_as_of = wait_as_of - 365 where espace_id = '{IdOf(espace)}';
        update espaces set revision = revision where id = '{IdOf(espace)}';
        """);

    private async Task<EspaceResult> ResultAsync(string espace) => (await directory.Court.CheckDesignationAsync(
        new() { EspaceId = IdOf(espace).ToString(), Mesure = new() { Modalite = Modalite.Visite } }, cancellationToken: Cancel)).Result;
}
