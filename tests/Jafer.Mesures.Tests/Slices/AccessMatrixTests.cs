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
            b => MesuresModule.Build([], b), new Dictionary<string, string?>(jafer.Settings) { ["Identity:Members"] = "directory" },
            b => b.Services.AddSingleton<IOrganisations>(organisations));

        var faults = await new AccessMatrix(host, holders, RequestOf, here, elsewhere).FaultsAsync([.. Requests.Services, OperationsService.Descriptor]);

        Assert.True(faults.Count == 0, string.Join("\n", faults));

        IMessage? RequestOf(MethodDescriptor rpc, string role)
        {
            // What is begun here stands on nothing; bulk acts would touch the mesures of other tests.
            if (rpc.Service == OperationsService.Descriptor || rpc.Service == BulkService.Descriptor || rpc.Name is "CreateMesure" or "ReportStatus" or "StreamStatus")
            {
                return null;
            }

            var request = Requests.For(rpc, mesure);
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
