using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>What the contract promises of every rpc, walked over by the descriptors: a new rpc is tested, or has to say why not.</summary>
public class AllRpcsTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    private static readonly MethodDescriptor[] s_all = [.. DirectoryService.Descriptor.Methods, .. OperationsService.Descriptor.Methods];

    public static TheoryData<string> EveryRpc => new(s_all.Select(m => m.Name));

    /// <summary>All that take anything: GetOutbox has an empty request.</summary>
    public static TheoryData<string> UnaryRpcs => new(Unary.Where(m => m.InputType.Fields.InDeclarationOrder().Count > 0).Select(m => m.Name));

    /// <summary>All unary ones that change something.</summary>
    public static TheoryData<string> MutatingRpcs => new(Unary.Where(m => m.InputType.FindFieldByName("request_id") is not null).Select(m => m.Name));

    /// <summary>All that compare a version.</summary>
    public static TheoryData<string> GuardedRpcs => new(Unary.Where(m => EtagOf(m.InputType) is not null).Select(m => m.Name));

    private static IEnumerable<MethodDescriptor> Unary => s_all.Where(m => !m.IsClientStreaming && !m.IsServerStreaming);

    [Theory]
    [MemberData(nameof(EveryRpc))]
    public async Task AnyRpc_MissingForgedOrExpiredToken_IsUnauthenticated(string rpc)
    {
        var court = StableIds.Court("tj69123");
        foreach (var (token, reason) in new (string?, string)[]
        {
            (null, "TOKEN_MISSING"), ("x.y.z", "TOKEN_INVALID"),
            (TestIssuer.Shared.Token(Roles.Operateur, court, expires: TimeProvider.System.GetUtcNow().AddMinutes(-5)), "TOKEN_INVALID"),
            (TestIssuer.Shared.Token(Roles.Operateur, court, issuer: "https://elsewhere.test"), "TOKEN_INVALID"),
        })
        {
            var refusal = await Refusal.OfAsync(() => Rpcs.OpenAsync(directory.Host.Channel(token), Named(rpc)));
            Assert.Equal((StatusCode.Unauthenticated, reason), (refusal.Code, refusal.Reason));
        }
    }

    [Theory]
    [MemberData(nameof(UnaryRpcs))]
    public async Task AnyRpc_EveryFieldWrong_NamesEachByItsPath(string rpc)
    {
        var input = Named(rpc).InputType;
        var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(Operateur, Named(rpc), Rpcs.Wrong(input)));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.All(refusal.Fields, path => Assert.True(Rpcs.Leads(input, path), path));
        var unnamed = input.Fields.InDeclarationOrder()
            .Where(f => f.FieldType != FieldType.Bool && f.Name is not ("page_token" or "replaced_agrement") && !refusal.Fields.Any(path => path == f.Name || path.StartsWith(f.Name + ".", StringComparison.Ordinal) || path.StartsWith(f.Name + "[", StringComparison.Ordinal)))
            .Select(f => f.Name);
        Assert.Empty(unnamed);
    }

    [Theory]
    [MemberData(nameof(UnaryRpcs))]
    public async Task AnyRpc_EmptyRequest_NamesWhatIsRequiredOrAnswers(string rpc)
    {
        // These have nothing that must be given.
        string[] complete = ["ListEspaces", "ListUpkeepItems", "ListSchoolHolidays", "ListCourts", "ListAlarms"];
        Task CallAsync() => Rpcs.CallAsync(Operateur, Named(rpc), Rpcs.Empty(Named(rpc)));
        if (complete.Contains(rpc))
        {
            await CallAsync();
            return;
        }

        var refusal = await Refusal.OfAsync(CallAsync);
        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.All(refusal.Fields, path => Assert.True(Rpcs.Leads(Named(rpc).InputType, path), path));
        foreach (var required in new[] { "espace_id", "enquiry_id", "organisation_id", "gestionnaire_id", "request_id", "mesure", "level" }.Where(f => Named(rpc).InputType.FindFieldByName(f) is not null))
            Assert.Contains(required, refusal.Fields);
    }

    [Theory]
    [MemberData(nameof(MutatingRpcs))]
    public async Task AnyChange_SameRequestTwice_GivesTheFirstAnswerAndOneEffect(string rpc)
    {
        var (channel, request, _) = await ReadyAsync(rpc);

        var first = await Rpcs.CallAsync(channel, Named(rpc), request);
        var then = await HeldAsync();
        var second = await Rpcs.CallAsync(channel, Named(rpc), request);

        Assert.Equal(first, second);
        Assert.Equal(then, await HeldAsync());
        Assert.Equal(1, await directory.Database.ReadAsync<long>($"select count(*) from processed_requests where request_id = '{IdOf(request)}'"));
    }

    [Theory]
    [MemberData(nameof(MutatingRpcs))]
    public async Task AnyChange_RequestIdOfAnotherRequest_IsRefusedAndChangesNothing(string rpc)
    {
        var (channel, request, other) = await ReadyAsync(rpc);
        await Rpcs.CallAsync(channel, Named(rpc), request);
        var then = await HeldAsync();

        // Where an id is all that is said, another body is that of another rpc.
        var (method, body) = other is null ? (Named(rpc == "RepublishState" ? "RedriveParkedMessages" : "RepublishState"), request) : (Named(rpc), other);
        var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(channel, method, body));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_ID_REUSED"), (refusal.Code, refusal.Reason));
        Assert.Equal(["request_id"], refusal.Fields);
        Assert.Equal(then, await HeldAsync());
    }

    [Theory]
    [MemberData(nameof(GuardedRpcs))]
    public async Task AnyChange_StaleEtag_IsAbortedAndChangesNothing(string rpc)
    {
        var (channel, request, _) = await ReadyAsync(rpc);
        SetEtag(request, "0");
        if (rpc == "DeclareYear")
        {
            // Version 0 is that of a year of which nothing was declared.
            SetEtag(request, "");
            await Rpcs.CallAsync(channel, Named(rpc), request);
            SetEtag(request, "0");
            Renew(request);
        }
        var then = await HeldAsync();

        var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(channel, Named(rpc), request));

        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH", "1"), (refusal.Code, refusal.Reason, refusal.Metadata["etag"]));
        Assert.Equal(then, await HeldAsync());

        // With the version that it tells the same goes through.
        SetEtag(request, refusal.Metadata["etag"]);
        await Rpcs.CallAsync(channel, Named(rpc), request);
    }

    private static MethodDescriptor Named(string rpc) => s_all.Single(m => m.Name == rpc);

    private static string IdOf(IMessage request) => (string)request.Descriptor.FindFieldByName("request_id").Accessor.GetValue(request);

    private static void Renew(IMessage request) => request.Descriptor.FindFieldByName("request_id").Accessor.SetValue(request, NewId());

    // An etag of the request itself, or of what is declared by it.
    private static (FieldDescriptor? Part, FieldDescriptor Etag)? EtagOf(MessageDescriptor input) =>
        input.FindFieldByName("etag") is { } own ? (null, own)
        : input.FindFieldByName("declaration") is { } part && part.MessageType.FindFieldByName("etag") is { } inner ? (part, inner) : null;

    private static void SetEtag(IMessage request, string etag)
    {
        var (part, field) = EtagOf(request.Descriptor)!.Value;
        field.Accessor.SetValue(part is null ? request : (IMessage)part.Accessor.GetValue(request), etag);
    }

    // What the sweep of upkeep tells comes by itself.
    private Task<string> HeldAsync() => Fingerprint.OfAsync(directory.Database, "stale_groups_told", "agrement_ends_told");

    private GrpcChannel Operateur => directory.Host.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national"));

    /// <summary>A caller who may, a request that goes through, and another one of the same request id that would too.</summary>
    private async Task<(GrpcChannel Channel, IMessage Request, IMessage? Other)> ReadyAsync(string rpc)
    {
        var name = $"all-{rpc.ToLowerInvariant()}-{NewId()[^6..]}";
        var (id, own) = (DirectoryFixture.IdOf(name), directory.Host.Channel(Roles.Espace, StableIds.Gestionnaire("test", "G-" + name)));
        if (rpc is not ("ImportEspaces" or "ImportSchoolHolidays" or "RedriveParkedMessages" or "RepublishState"))
            await directory.ImportAsync(Espace(name));
        switch (rpc)
        {
            case "RequestCapacity":
                var ask = new RequestCapacityRequest { EspaceId = id.ToString(), Mesure = new() { Modalite = Modalite.Visite }, RequestId = NewId() };
                return (directory.Host.Channel(Roles.Juridiction, StableIds.Court("tj69123")), ask, With(ask, r => r.Mesure.ChildAges.Add(4)));
            case "AnswerCapacity":
                await directory.Database.RunAsync($"""
                    update espace_groups set confirmed_at = confirmed_at - interval '1 year', said_at = said_at - interval '1 year' where espace_id = '{id}';
                    update espaces set revision = revision where id = '{id}';
                    """);
                var asked = await directory.Court.RequestCapacityAsync(
                    new() { EspaceId = id.ToString(), Mesure = new() { Modalite = Modalite.Visite }, RequestId = NewId() }, cancellationToken: Cancel);
                var answer = new AnswerCapacityRequest { EnquiryId = asked.Enquiry.EnquiryId, Answer = CapacityAnswer.WaitingList, WaitDays = 40, RequestId = NewId() };
                return (own, answer, With(answer, r => r.WaitDays = 41));
            case "DeclareWait":
                var wait = new DeclareWaitRequest { EspaceId = id.ToString(), Modalite = Modalite.Visite, Days = 33, RequestId = NewId() };
                return (own, wait, With(wait, r => r.Days = 34));
            case "UpdateEspace":
                var update = new UpdateEspaceRequest { Espace = new() { EspaceId = id.ToString(), Name = "Espace fictif renommé" }, UpdateMask = new() { Paths = { "name" } }, RequestId = NewId() };
                return (own, update, With(update, r => r.Espace.Name = "Espace fictif autrement"));
            case "RecordAgrement":
                var record = new RecordAgrementRequest
                {
                    EspaceId = id.ToString(),
                    Agrement = new() { Departement = "69", State = AgrementState.Demande, RequestDate = Today.ToProto() },
                    RequestId = NewId(),
                };
                return (directory.Host.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national")), record, With(record, r => r.Agrement.Number = "N-2"));
            case "ConfirmEspace":
                var confirm = new ConfirmEspaceRequest { EspaceId = id.ToString(), RequestId = NewId() };
                return (own, confirm, With(confirm, r => r.Groups.Add(EspaceGroup.Identite)));
            case "DeclareYear":
                var year = new DeclareYearRequest
                {
                    GestionnaireId = StableIds.Gestionnaire("test", "G-" + name).ToString(),
                    Declaration = new()
                    {
                        Year = Today.Year - 1,
                        OpeningHours = 800,
                        Personnels = { new Personnel { Status = PersonnelStatus.Salarie, Function = PersonnelFunction.Juriste, HeadCount = 2, FullTimeEquivalent = 1.5 } },
                        Ressources = { new Ressource { Funder = Funder.Caf, AmountEuros = 40_000 } },
                    },
                    RequestId = NewId(),
                };
                return (own, year, With(year, r => r.Declaration.OpeningHours = 801));
            case "ImportSchoolHolidays":
                var holidays = new ImportSchoolHolidaysRequest
                {
                    Holidays =
                    {
                        new SchoolHoliday
                        {
                            Zone = "A",
                            Name = "Vacances fictives",
                            StartDate = new DateOnly(2041, 2, 1).ToProto(),
                            EndDate = new DateOnly(2041, 2, 15).ToProto(),
                            SchoolYear = "2040-2041",
                            Source = "test",
                        },
                    },
                    RequestId = NewId(),
                };
                return (Operateur, holidays, With(holidays, r => r.Holidays[0].Name = "Vacances fictives d'hiver"));
            case "ImportEspaces":
                var import = Request(Espace(name));
                return (Operateur, import, With(import, r => r.Espaces[0].Name = "Espace fictif renommé"));
            case "ReplaceContacts":
                var contacts = new ReplaceContactsRequest
                {
                    OrganisationId = StableIds.Gestionnaire("test", "G-" + name).ToString(),
                    Contacts = { new Contact { ExternalId = "2", Email = "suivi@example.org", Role = ContactRole.Suivi } },
                    RequestId = NewId(),
                };
                return (own, contacts, With(contacts, r => r.Contacts[0].Role = ContactRole.Direction));
            case "RedriveParkedMessages":
                return (Operateur, new RedriveParkedMessagesRequest { RequestId = NewId() }, null);
            case "RepublishState":
                return (Operateur, new RepublishStateRequest { RequestId = NewId() }, null);
            default:
                throw new NotSupportedException($"{rpc} changes something: give it a request here");
        }
    }

    private static T With<T>(T request, Action<T> change)
        where T : IDeepCloneable<T>
    {
        var other = request.Clone();
        change(other);
        return other;
    }
}
