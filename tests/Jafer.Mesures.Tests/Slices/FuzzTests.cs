using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Whatever a client sends, the answer is a status of the contract.</summary>
public sealed class FuzzTests(MesuresFixture jafer)
{
    private static readonly string[] s_roles =
        [Roles.Juridiction, Roles.Espace, Roles.Operateur, Roles.Statisticien, Roles.Systeme, "partenaire", "prefecture"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task AnyRpcOfAnyService_RandomRequestsOfEveryRole_NeverFaults(int seed)
    {
        var mesures = new List<string>();
        foreach (var state in new[] { MesureState.Ordonnee, MesureState.Completee, MesureState.Transmise, MesureState.Recue, MesureState.EnAttente, MesureState.Programmee, MesureState.EnCours })
        {
            mesures.Add(await jafer.MesureInAsync(state));
        }

        mesures.Add((await jafer.AsEspace.RegisterNonJudicialMesureAsync(NonJudicial())).Mesure.MesureId);
        var whole = await jafer.GetAsync(mesures[5]);
        var difficulty = (await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = mesures[5], Reason = DifficultyReason.Danger, RequestId = NewId() })).DifficultyId;
        var slot = (await jafer.SlotAsync()).SlotId;
        var known = new List<string>(mesures)
        {
            whole.Rencontres[0].RencontreId, whole.Children[0].ChildId, difficulty, slot, Espace.ToString(), Court.ToString(), Gestionnaire.ToString(),
        };
        var callers = s_roles.ToDictionary(
            role => role, role => jafer.First.Channel(role, role == Roles.Juridiction ? Court : role == Roles.Espace ? Gestionnaire : s_other));

        // The acts that close come last.
        var faults = await Fuzz.FaultsAsync(callers, Requests.Services.Reverse(), seed, 12, rpc => rpc.Service == BulkService.Descriptor ? s_harmless : known, WellFormed);

        Assert.True(faults.Count == 0, string.Join("\n", faults));

        IMessage WellFormed(MethodDescriptor rpc, Random random)
        {
            var id = mesures[random.Next(3) == 0 ? 5 : random.Next(mesures.Count)];
            var request = Requests.For(rpc, id);
            if (id == mesures[5])
            {
                Requests.Name(request, "rencontre_id", whole.Rencontres[0].RencontreId);
                Requests.Name(request, "difficulty_id", difficulty);
            }

            Requests.Name(request, "slot_id", slot);
            if (rpc.InputType.FindFieldByName("on_behalf_of_espace") is { } flag && random.Next(2) == 0)
            {
                flag.Accessor.SetValue(request, true);
                rpc.InputType.FindFieldByName("on_behalf_source").Accessor.SetValue(request, OnBehalfSource.Mail);
            }

            return request switch
            {
                CreateMesureRequest => Content(r => r.Decision.ContactDeadline = new() { Year = 2026, Month = 12, Day = 24 }),
                UpdateMesureRequest update => Whole(update),
                ListInterviewSlotsRequest list => Of(list),
                PublishInterviewSlotsRequest publish => Published(publish),
                _ => request,
            };
        }

        static UpdateMesureRequest Whole(UpdateMesureRequest update)
        {
            var content = Content();
            (update.Decision, update.Parties, update.Children) = (content.Decision, new PartyList { Parties = { content.Parties } }, new ChildList { Children = { content.Children } });
            return update;
        }

        static ListInterviewSlotsRequest Of(ListInterviewSlotsRequest list)
        {
            list.EspaceId = Espace.ToString();
            return list;
        }

        static PublishInterviewSlotsRequest Published(PublishInterviewSlotsRequest publish)
        {
            publish.EspaceId = YoungEspace.ToString();
            publish.Slots.Add(new InterviewSlotToPublish { ExternalId = NewId(), StartTime = Requests.Planned(3).StartTime, DurationMinutes = 45, TimeZone = "Europe/Paris" });
            return publish;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnyRpcOfAnyService_FirstOrLastDayOrInstantThatAFieldTakes_NeverFaults(bool last)
    {
        var day = last ? new Date { Year = 9999, Month = 12, Day = 31 } : new Date { Year = 1900, Month = 1, Day = 1 };
        var instant = new Timestamp { Seconds = last ? 253_402_128_000 : -2_208_988_800 };
        var faults = new List<string>();
        var (id, rencontre) = await MakeAsync(day);
        foreach (var rpc in Requests.Services.Where(s => s != BulkService.Descriptor).SelectMany(s => s.Methods))
        {
            foreach (var role in new[] { Roles.Juridiction, Roles.Espace }.Where(r => AccessTable.BuiltIn.Grant($"/{rpc.Service.FullName}/{rpc.Name}", r) != Tenancy.None))
            {
                var channel = jafer.First.Channel(role, role == Roles.Juridiction ? Court : Gestionnaire);
                var request = About(rpc, id, rencontre);
                for (var i = 0; i < Times(request).Count; i++)
                {
                    var (holder, field) = Times(request)[i];
                    field.Accessor.SetValue(holder, field.MessageType == Date.Descriptor ? day : instant);
                    var refusal = await Refusal.OrNullAsync(() => Rpcs.ExchangeAsync(channel, rpc, [request.ToByteArray()]));
                    var after = await Refusal.OrNullAsync(() => jafer.GetAsync(id));
                    if (refusal is { Code: StatusCode.Unknown or StatusCode.Internal } || after is not null)
                    {
                        faults.Add($"{rpc.Name} as {role}, {field.FullName}: {refusal?.Code} {refusal?.Message}, then {after?.Code}");
                    }

                    // What was refused or only read changed nothing: the next request is about the same mesure.
                    if (after is not null || (refusal is null && rpc.InputType.FindFieldByName("request_id") is not null))
                    {
                        (id, rencontre) = await MakeAsync(day);
                    }

                    if (refusal is null || after is not null)
                    {
                        request = About(rpc, id, rencontre);
                    }
                    else
                    {
                        field.Accessor.Clear(holder);
                    }
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join("\n", faults));
    }

    [Fact]
    public async Task AnyRpcOfAnyService_BytesThatAreNoMessage_AreInvalidAndNothingElse()
    {
        foreach (var rpc in Requests.Services.SelectMany(s => s.Methods))
        {
            var role = s_roles.First(r => AccessTable.BuiltIn.Grant($"/{rpc.Service.FullName}/{rpc.Name}", r) != Tenancy.None);

            // A field without its end, and one of no wire type.
            foreach (var bytes in new byte[][] { [0x0A, 0x7F, 0x41], [0x0F] })
            {
                var refusal = await Refusal.OfAsync(() => Rpcs.ExchangeAsync(jafer.First.Channel(role, Court), rpc, [bytes]));
                Assert.Equal((rpc.Name, StatusCode.InvalidArgument, "REQUEST_INVALID"), (rpc.Name, refusal.Code, refusal.Reason));
            }
        }
    }

    [Fact]
    public void Services_AreAllOfThePackage() => Assert.Equal(
        typeof(MesureService).Assembly.GetTypes().Where(t => t.Namespace == typeof(MesureService).Namespace && t is { IsAbstract: true, IsSealed: true })
            .Select(t => t.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null)).OfType<ServiceDescriptor>().Select(s => s.Name).Order(),
        Requests.Services.Select(s => s.Name).Order());

    // A mesure whose own days are as odd, in a state in which most can be done, and its rencontre.
    private async Task<(string MesureId, string RencontreId)> MakeAsync(Date contactDeadline)
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee, r => r.Decision.ContactDeadline = contactDeadline);
        return (id, (await jafer.GetAsync(id)).Rencontres[0].RencontreId);
    }

    private static IMessage About(MethodDescriptor rpc, string mesureId, string rencontreId)
    {
        var request = rpc.Name == "CreateMesure" ? Content() : Requests.For(rpc, mesureId);
        Requests.Name(request, "rencontre_id", rencontreId);
        if (request is PublishInterviewSlotsRequest publish)
        {
            publish.EspaceId = YoungEspace.ToString();
            publish.Slots.Add(new InterviewSlotToPublish { ExternalId = NewId(), DurationMinutes = 240 });
        }

        return request;
    }

    /// <summary>The fields of a message for a day or an instant, those of the messages that it holds included.</summary>
    private static List<(IMessage Holder, FieldDescriptor Field)> Times(IMessage message) =>
    [
        .. message.Descriptor.Fields.InDeclarationOrder().Where(f => f.FieldType == FieldType.Message && !f.IsMap).SelectMany(f =>
            f.IsRepeated ? ((System.Collections.IList)f.Accessor.GetValue(message)).OfType<IMessage>().SelectMany(Times)
            : f.MessageType == Date.Descriptor || f.MessageType == Timestamp.Descriptor ? [(message, f)]
            : f.Accessor.GetValue(message) is IMessage inner ? Times(inner) : []),
    ];

    private static readonly Guid s_other = new("0198a000-0000-7000-8000-0000000000fe");

    // A job on many mesures of a known espace or court would be one on those of other tests.
    private static readonly string[] s_harmless = [UnapprovedEspace.ToString(), s_other.ToString()];
}
