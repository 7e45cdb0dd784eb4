using System.Collections.Concurrent;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>
/// Who sees which fields: secrets are planted in a mesure, then every reading rpc is called as everybody, and all that comes back is
/// searched for them.
/// </summary>
public sealed class FieldRulesTests(MesuresFixture jafer)
{
    // A holder reads the file itself by these; all other answers do without what is in it.
    private const string Whole = nameof(MesureService.MesureServiceClient.GetMesure);
    private const string Notice = nameof(DocumentService.DocumentServiceClient.GetParentNotice);
    private const string Note = nameof(DocumentService.DocumentServiceClient.GetFactualNote);

    private static readonly Guid s_operator = StableIds.For("operator");

    private static Gen<Family> Families { get; } =
        from hote in Gen.Elements(true, false)
        from visiteur in Gen.Elements(true, false)
        from transmitted in Gen.Frequency((4, Gen.Constant(true)), (1, Gen.Constant(false)))
        from moved in Gen.Elements(true, false)
        from situation in Gen.Elements(SituationParticuliere.ViolencesIntrafamiliales, SituationParticuliere.Addiction, SituationParticuliere.TroublesPsychiatriques)
        select new Family(hote, visiteur, transmitted, transmitted && moved, situation);

    /// <summary>Everything that anybody can be answered, in any course that a mesure takes.</summary>
    [Fact]
    public async Task EveryReadingRpc_OfAnyMesureAsAnybody_TellsOnlyWhatTheRuleAllows()
    {
        var drawn = Families.Sample(4).Append(new Family(true, true, true, true, SituationParticuliere.ViolencesIntrafamiliales))
            .Append(new Family(false, false, true, false, SituationParticuliere.Addiction)).Distinct();

        var faults = new ConcurrentBag<string>();
        var told = new ConcurrentDictionary<(string, Kind), bool>();
        await Parallel.ForEachAsync(drawn, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (family, _) => await LookAsync(family, faults, told));

        Assert.True(faults.IsEmpty, string.Join('\n', faults.Distinct().Take(40)));
        // The search finds what may be seen: it would find what may not.
        Assert.Superset(
            new HashSet<(string, Kind)>
            {
                (Whole, Kind.Address), (Whole, Kind.Coordinates), (Whole, Kind.Name), (Whole, Kind.Reason), (Whole, Kind.Restriction), (Whole, Kind.Case), (Notice, Kind.Name),
            },
            told.Keys.ToHashSet());
    }

    private async Task LookAsync(Family family, ConcurrentBag<string> faults, ConcurrentDictionary<(string Rpc, Kind Kind), bool> told)
    {
        var (id, secrets) = await PlantAsync(family);
        var callers = new[]
        {
            ("court", Roles.Juridiction, Court, true),
            ("espace", Roles.Espace, Gestionnaire, family.Transmitted),
            ("other court", Roles.Juridiction, OtherCourt, false),
            ("other espace", Roles.Espace, OtherGestionnaire, false),
            ("operator", Roles.Operateur, s_operator, false),
            ("statistician", Roles.Statisticien, s_operator, false),
            ("partner", "partenaire", s_operator, false),
            ("prefecture", "prefecture", s_operator, false),
        };
        foreach (var (name, role, organisation, holds) in callers)
        {
            var channel = jafer.First.Channel(TestIssuer.Shared.Token(role, organisation, person: true));
            foreach (var rpc in Requests.Services.SelectMany(s => s.Methods).Where(IsReading))
            {
                foreach (var (reader, answer) in await AnswersAsync(channel, rpc, id))
                {
                    foreach (var secret in secrets.Where(s => answer.Contains(s.Text, StringComparison.Ordinal)))
                    {
                        told.TryAdd((rpc.Name, secret.Kind), true);
                        if (!MayTell(rpc.Name, holds, reader, secret))
                        {
                            faults.Add($"{rpc.Name} tells the {name} ({secret.Kind} of {secret.Of}; {family})");
                        }
                    }
                }
            }
        }

        // What goes out by itself: the events of the mesure as they stand in the history, and as they were published.
        foreach (var text in await jafer.Database.ReadAllAsync<string>(
            $"select details::text from mesure_facts where mesure_id = '{id}' union all select payload::text from outbox_messages where ordering_key = '{id}'"))
        {
            foreach (var secret in secrets.Where(s => text.Contains(s.Text, StringComparison.Ordinal)))
            {
                faults.Add($"an event tells {secret.Kind} of {secret.Of}");
            }
        }
    }

    /// <summary>The rule: what an answer may hold for one who holds the mesure, or not.</summary>
    private static bool MayTell(string rpc, bool holds, PartyRole reader, Secret secret) => holds && rpc switch
    {
        Whole => secret.Kind != Kind.ProtectedAddress,
        // A paper that one parent takes home: their own name, nothing else of anybody.
        Notice => secret.Kind == Kind.Name && secret.Of == reader,
        // Facts for the judge: who came and who did not.
        Note => secret.Kind is Kind.Name or Kind.Case or Kind.Judge,
        _ => false,
    };

    private static bool IsReading(MethodDescriptor rpc) =>
        !rpc.IsClientStreaming && (rpc.Name.StartsWith("Get", StringComparison.Ordinal) || rpc.Name.StartsWith("List", StringComparison.Ordinal) || rpc.Name.StartsWith("Check", StringComparison.Ordinal));

    /// <summary>All that one caller is answered, refusals with their details included, and for which parent a paper is.</summary>
    private static async Task<List<(PartyRole Reader, string Answer)>> AnswersAsync(GrpcChannel channel, MethodDescriptor rpc, string mesureId)
    {
        var request = Requests.For(rpc, mesureId);
        Requests.Name(request, "espace_id", rpc.Service == BulkService.Descriptor || rpc.Name is "GetDelays" or "GetImpact" ? "" : Espace.ToString());
        IReadOnlyList<IMessage> requests = request is GetParentNoticeRequest
            ? [new GetParentNoticeRequest { MesureId = mesureId, PartyRole = PartyRole.Hote }, new GetParentNoticeRequest { MesureId = mesureId, PartyRole = PartyRole.Visiteur }]
            : [request];
        var answers = new List<(PartyRole, string)>();
        foreach (var each in requests)
        {
            var reader = (each as GetParentNoticeRequest)?.PartyRole ?? PartyRole.Unspecified;
            answers.Add((reader, await AnswerAsync(channel, rpc, each)));
        }

        return answers;
    }

#pragma warning disable RS0030 // What a client catches.
    private static async Task<string> AnswerAsync(GrpcChannel channel, MethodDescriptor rpc, IMessage request)
    {
        try
        {
            var answer = await Rpcs.ExchangeAsync(channel, rpc, [request.ToByteArray()]);
            return string.Concat(answer.Select(a => Encoding.Latin1.GetString(a)));
        }
        catch (RpcException e)
        {
            return e.Status.Detail + string.Concat(e.Trailers.Select(t => t.IsBinary ? Encoding.Latin1.GetString(t.ValueBytes) : t.Value));
        }
    }
#pragma warning restore RS0030

    /// <summary>A mesure that takes the course of the family, with a secret in every text.</summary>
    private async Task<(string Id, IReadOnlyList<Secret> Secrets)> PlantAsync(Family family)
    {
        var secrets = new List<Secret>();
        string Hide(Kind kind, PartyRole of = PartyRole.Unspecified)
        {
            secrets.Add(new Secret(kind, of, $"zq{Guid.CreateVersion7(TimeProvider.System.GetUtcNow()):N}"));
            return secrets[^1].Text;
        }

        void Fill(CreateMesureRequest draft)
        {
            foreach (var party in draft.Parties)
            {
                party.AddressProtected = party.Role == PartyRole.Hote ? family.HoteProtected : family.VisiteurProtected;
                party.Address = Hide(party.AddressProtected ? Kind.ProtectedAddress : Kind.Address, party.Role);
                (party.GivenName, party.FamilyName) = (Hide(Kind.Name, party.Role), Hide(Kind.Name, party.Role));
                party.Email = Hide(Kind.Coordinates, party.Role) + "@courriel.test";
            }

            draft.Children[0].GivenName = Hide(Kind.Name, PartyRole.Enfant);
            draft.Decision.JudgeName = Hide(Kind.Judge);
            draft.Decision.Restrictions = Hide(Kind.Restriction);
            draft.Decision.RgNumber += " " + Hide(Kind.Case);
            draft.Decision.Situations.Add(family.Situation);
            draft.Decision.PrincipalSituation = family.Situation;
        }

        var id = await jafer.MesureInAsync(family.Transmitted ? MesureState.Recue : MesureState.Ordonnee, Fill);
        if (family.Transmitted)
        {
            await jafer.AsEspace.RequestInformationAsync(new() { MesureId = id, Reason = InformationReason.Other, Question = Hide(Kind.Reason), RequestId = NewId() });
            await jafer.AsCourt.ProvideInformationAsync(new() { MesureId = id, Answer = Hide(Kind.Reason), RequestId = NewId() });
            await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Capacity, Comment = Hide(Kind.Reason), RequestId = NewId() });
        }

        if (family.Moved)
        {
            await jafer.AsCourt.RedesignateMesureAsync(new RedesignateMesureRequest
            {
                MesureId = id,
                Redesignation = new() { EspaceId = YoungEspace.ToString(), DecisionDate = new() { Year = 2026, Month = 4, Day = 1 } },
                RequestId = NewId(),
            });
        }

        return (id, secrets);
    }

    /// <summary>What a secret is.</summary>
    private enum Kind
    {
        ProtectedAddress,
        Address,
        Coordinates,
        Name,
        Case,
        Judge,
        Restriction,
        Reason,
    }

    private sealed record Secret(Kind Kind, PartyRole Of, string Text);

    private sealed record Family(bool HoteProtected, bool VisiteurProtected, bool Transmitted, bool Moved, SituationParticuliere Situation);
}
