using Google.Protobuf;
using Google.Protobuf.Reflection;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>The access table against the running service, cell by cell.</summary>
public sealed class AccessMatrixTests(MesuresFixture jafer)
{
    [Fact]
    public async Task EveryRpc_EveryRoleTokenAndOwner_AnswersAsTheTableSays()
    {
        var mesure = await jafer.MesureInAsync(MesureState.EnCours);
        var slot = (await jafer.SlotAsync()).SlotId;
        var freeSlot = NewId();
        await jafer.Database.RunAsync($"""
            insert into free_slots (id, espace_id, gestionnaire_id, starts_at, duration_minutes, time_zone, modalite, rencontre_id, freed_at, version)
            select '{freeSlot}', '{Espace}', '{Gestionnaire}', now() + interval '3 days', 60, 'Europe/Paris', 'VISITE', id, now(), 1 from rencontres where mesure_id = '{mesure}' limit 1
            """);
        var sessions = NewId();
        await jafer.Database.RunAsync($"""
            insert into session_requests (id, espace_id, gestionnaire_id, modalite, sessions_per_week, wanted_until, requested_at, state, version)
            values ('{sessions}', '{Espace}', '{Gestionnaire}', 'REMISE_ENFANT', 1, '2027-01-31', now(), 'ASKED', 1)
            """);
        var holders = new Dictionary<string, Guid> { [Roles.Juridiction] = Court, [Roles.Espace] = Gestionnaire };

        var organisations = new TestOrganisations();
        var here = organisations.Add(["69"], [Court, Gestionnaire], [Espace]);
        // Of nobody: other tests send mesures of other courts to this espace.
        var elsewhere = organisations.Add(["2A"], [TestMesure.NewId()], [TestMesure.NewId()]);
        await using var host = await ServiceHost.StartAsync(
            b => MesuresModule.Build([], b), // All calls with bad tokens come from one address.
            new Dictionary<string, string?>(jafer.Settings) { ["Identity:Members"] = "directory", ["Limits:AddressBurst"] = "50000" },
            b => b.Services.AddSingleton<IOrganisations>(organisations));

        // A mesure that the judge moved on, one whose decision names an espace in subsidiary order, and one that no judge ordered.
        var (moved, subsidiary) = (await jafer.MesureInAsync(MesureState.Recue), await jafer.MesureInAsync(MesureState.Recue, r => r.Decision.SubsidiaryEspaceId = YoungEspace.ToString()));
        await jafer.AsCourt.RedesignateMesureAsync(new() { MesureId = moved, Redesignation = new() { EspaceId = YoungEspace.ToString(), DecisionDate = new() { Year = 2026, Month = 4, Day = 1 } }, RequestId = NewId() });
        var nonJudicial = (await jafer.AsEspace.RegisterNonJudicialMesureAsync(NonJudicial())).Mesure.MesureId;
        var job = (await jafer.BulkAsOperator.CloseEspaceAsync(new() { EspaceId = NewId(), ClosingDate = new() { Year = 2026, Month = 4, Day = 1 }, RequestId = NewId() })).Job.JobId;
        var matrix = new AccessMatrix(host, holders, RequestOf, here, elsewhere, related:
        [
            new(Relations.FormerHolder, Roles.Espace, Gestionnaire, rpc => OfMesure(rpc, moved)),
            new(Relations.Subsidiary, Roles.Espace, OtherGestionnaire, rpc => OfMesure(rpc, subsidiary)),
            new(Relations.NonJudicialHolder, Roles.Espace, Gestionnaire, rpc => OfMesure(rpc, nonJudicial)),
        ]);

        var faults = await matrix.FaultsAsync([.. Requests.Services, OperationsService.Descriptor]);

        Assert.True(faults.Count == 0, string.Join("\n", faults));

        IMessage? OfMesure(MethodDescriptor rpc, string id) => rpc.Name is "ReportStatus" or "StreamStatus" ? Reported(rpc, id)
            : rpc.InputType.FindFieldByName("mesure_id") is null ? null : Requests.For(rpc, id);

        IMessage? RequestOf(MethodDescriptor rpc, string role)
        {
            if (rpc.Service == OperationsService.Descriptor)
            {
                return null;
            }

            if (rpc.Name is "ReportStatus" or "StreamStatus")
            {
                return Reported(rpc, mesure);
            }

            var request = Requests.For(rpc, mesure);
            Requests.Name(request, "job_id", job);
            switch (request)
            {
                case CreateMesureRequest create: return Content();
                // Of a court and an espace without mesures: others are of other tests.
                case ProrogueMesuresRequest prorogue:
                    (prorogue.LegalAct, prorogue.Months) = (new() { Kind = LegalActKind.Decret, Reference = "décret fictif", ActDate = new() { Year = 2026, Month = 3, Day = 27 } }, 3);
                    prorogue.JuridictionIds.Add(NewId());
                    return prorogue;
                case CloseEspaceRequest close: (close.EspaceId, close.ClosingDate) = (NewId(), new() { Year = 2026, Month = 4, Day = 1 }); return close;
            }

            Requests.Name(request, "espace_id", rpc.Name is "UpdateMesure" or "CloseEspace" ? "" : Espace.ToString());
            Requests.Name(request, "slot_id", slot);
            Requests.Name(request, "free_slot_id", freeSlot);
            Requests.Name(request, "session_request_id", sessions);
            switch (request)
            {
                case UpdateMesureRequest update: update.EspaceId = Espace.ToString(); break;
                case PublishInterviewSlotsRequest publish:
                    publish.Slots.Add(new InterviewSlotToPublish { ExternalId = NewId(), StartTime = Requests.Planned(3).StartTime, DurationMinutes = 45 });
                    break;
                case WithdrawInterviewSlotsRequest withdraw: withdraw.SlotIds.Add(NewId()); break;
                case BookInterviewRequest: Requests.Name(request, "slot_id", ""); break;
                case GetDelaysRequest or GetImpactRequest: Requests.Name(request, "espace_id", ""); break;
            }

            return request.CalculateSize() == 0 ? null : request;
        }
    }

    [Fact]
    public async Task AnyRpc_NamesAPartOfAnothersMesure_AnswersAsIfThereWereNone()
    {
        var (mesure, theirs) = (await jafer.MesureInAsync(MesureState.EnCours), await jafer.MesureInAsync(MesureState.EnCours));
        var difficulty = (await jafer.AsEspace.ReportDifficultyAsync((ReportDifficultyRequest)Requests.For("ReportDifficulty", theirs))).DifficultyId;
        var slot = (await jafer.SlotAsync()).SlotId;
        var interview = (await jafer.InterviewsAsEspace.BookInterviewAsync((BookInterviewRequest)Requests.For("BookInterview", theirs))).InterviewId;
        var (rencontre, free, sessions) = (await jafer.Database.ReadAsync<Guid>($"select id from rencontres where mesure_id = '{theirs}' limit 1"), NewId(), NewId());
        var child = await jafer.Database.ReadAsync<Guid>($"select id from children where mesure_id = '{theirs}' limit 1");
        await jafer.Database.RunAsync($"""
            update mesures set juridiction_id = '{OtherCourt}', gestionnaire_id = '{OtherGestionnaire}', espace_id = '{YoungEspace}' where id = '{theirs}';
            update interview_slots set espace_id = '{YoungEspace}', gestionnaire_id = '{OtherGestionnaire}' where id = '{slot}';
            insert into free_slots (id, espace_id, gestionnaire_id, starts_at, duration_minutes, time_zone, modalite, rencontre_id, freed_at, version)
            values ('{free}', '{YoungEspace}', '{OtherGestionnaire}', now() + interval '3 days', 60, 'Europe/Paris', 'VISITE', '{rencontre}', now(), 1);
            insert into session_requests (id, espace_id, gestionnaire_id, modalite, sessions_per_week, wanted_until, requested_at, state, version)
            values ('{sessions}', '{YoungEspace}', '{OtherGestionnaire}', 'REMISE_ENFANT', 1, '2027-01-31', now(), 'ASKED', 1)
            """);
        var holders = new Dictionary<string, Guid> { [Roles.Juridiction] = Court, [Roles.Espace] = Gestionnaire };
        var matrix = new AccessMatrix(jafer.First, holders, (_, _) => null, NewGuid(), NewGuid());

        var faults = await matrix.PartsOfAnotherAsync(
            [.. Requests.Services],
            // Slots of interviews are published: every court sees those of every espace.
            rpc => rpc.Name is "ReportStatus" or "StreamStatus" or "HoldInterviewSlot" or "ReleaseInterviewSlot" ? null : Requests.For(rpc, mesure),
            new Dictionary<string, string>
            {
                ["mesure_id"] = theirs,
                ["predecessor_mesure_id"] = theirs,
                ["difficulty_id"] = difficulty,
                ["slot_id"] = slot,
                ["slot_ids"] = slot,
                ["interview_id"] = interview,
                ["rencontre_id"] = rencontre.ToString(),
                ["free_slot_id"] = free,
                ["session_request_id"] = sessions,
                ["present_child_ids"] = child.ToString(),
            });

        Assert.True(faults.Count == 0, string.Join("\n", faults));
        Assert.Superset(
            new HashSet<string> { "RecordRencontreOutcome.rencontre_id", "AnswerDifficulty.difficulty_id", "CancelInterview.interview_id", "BookInterview.slot_id", "TakeFreeSlot.free_slot_id", "AnswerExtraSessions.session_request_id", "RegisterNonJudicialMesure.predecessor_mesure_id" },
            matrix.Named.ToHashSet());

        static Guid NewGuid() => TestMesure.NewId();
    }

    // One that happened to nobody's harm.
    private static IMessage Reported(MethodDescriptor rpc, string mesureId)
    {
        var item = Reports.Item(mesureId, 1, Reports.Attempt);
        (item.SourceSystem, item.ExternalId) = ("matrice", $"matrice/{NewId()[^12..]}");
        return rpc.Name == "ReportStatus" ? new ReportStatusRequest { Items = { item } } : new StreamStatusRequest { Items = { item } };
    }

    [Fact]
    public async Task GetMesure_OfAMesureThatTheJudgeMovedOn_IsReadByTheFormerEspaceButNotActedOn()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        await jafer.AsCourt.RedesignateMesureAsync(new RedesignateMesureRequest
        {
            MesureId = id,
            Redesignation = new() { EspaceId = YoungEspace.ToString(), DecisionDate = new() { Year = 2026, Month = 4, Day = 1 } },
            RequestId = NewId(),
        });

        Assert.Equal(MesureState.Cloturee, (await jafer.AsEspace.GetMesureAsync(new GetMesureRequest { MesureId = id })).Mesure.Summary.State);
        foreach (var act in new Func<Task>[]
        {
            () => Requests.CallAsync(jafer.AsEspace, "ReopenMesure", id),
            () => Requests.CallAsync(jafer.AsEspace, "TakeCharge", id),
            () => Requests.CallAsync(jafer.AsEspace, "ReportDifficulty", id),
        })
        {
            Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(act)).Reason);
        }

        // What was late to be told of its time there still is.
        Assert.NotEqual("CALLER_FORBIDDEN", (await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsEspace, "RecordRencontreOutcome", id))).Reason);
    }

    [Fact]
    public async Task GetMesure_OfTheEspaceInSubsidiaryOrder_IsRefusedAsIfThereWereNone()
    {
        var other = NewId();
        await jafer.Database.RunAsync($"""
            insert into espaces select (jsonb_populate_record(e, jsonb_build_object('id', '{other}', 'gestionnaire_id', '{OtherGestionnaire}'))).* from espaces e where e.id = '{Espace}'
            """);
        var id = await jafer.MesureInAsync(MesureState.Recue, r => r.Decision.SubsidiaryEspaceId = other);

        var named = await Refusal.OfAsync(jafer.AsOtherEspace.GetMesureAsync(new GetMesureRequest { MesureId = id }));
        var none = await Refusal.OfAsync(jafer.AsOtherEspace.GetMesureAsync(new GetMesureRequest { MesureId = NewId() }));

        Assert.Equal((none.Code, none.Reason, none.Message, "CALLER_FORBIDDEN"), (named.Code, named.Reason, named.Message, named.Reason));
    }
}
