using System.Collections.Concurrent;
using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.ServiceDefaults.Access;
using Microsoft.Extensions.DependencyInjection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Jafer.Testing;

/// <summary>
/// Calls every rpc of some services as every role, with every kind of token, about a thing of the caller's, of another's and one that does
/// not exist, and compares with the access table. What it returns are the cells that did not answer as the table says.
/// </summary>
/// <param name="host">The service.</param>
/// <param name="holders">Organisations, by their role, that hold what requests are about. A role that is not here holds nothing.</param>
/// <param name="requestOf">
/// A well-formed request of an rpc for a role, about what the holder of that role holds; null where the rpc is about nothing that stands
/// before it. Ids in it are replaced by unknown ones for what does not exist.
/// </param>
/// <param name="here">An organisation with a territory in which what requests are about lies, whatever its role.</param>
/// <param name="elsewhere">One with a territory in which nothing of it lies.</param>
/// <param name="requestOfHere">
/// As <paramref name="requestOf"/>, for the organisation of the territory: where it has things of its own. Null, of an rpc or altogether,
/// where requests are about the same.
/// </param>
public sealed class AccessMatrix(
    ServiceHost host, IReadOnlyDictionary<string, Guid> holders, Func<MethodDescriptor, string, IMessage?> requestOf, Guid here, Guid elsewhere,
    Func<MethodDescriptor, string, IMessage?>? requestOfHere = null)
{
    private const string Forbidden = "PermissionDenied CALLER_FORBIDDEN";
    private const string Unknown = "inconnu";

    // About a zone of France and not about a thing.
    private static readonly string[] s_ofAZone = ["GetCoverage"];

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    // A stream without end tells nothing: who gets no refusal within this time was let in.
    private static readonly TimeSpan s_watching = TimeSpan.FromSeconds(2);

    private readonly ConcurrentBag<string> _faults = [];

    // Signing costs more than a call.
    private readonly ConcurrentDictionary<(string Role, Guid Organisation, Actors Actor), string> _tokens = new();
    private readonly ConcurrentDictionary<string, (string What, string? Token)[]> _badTokens = new(StringComparer.Ordinal);
    private readonly Guid _stranger = TestMesure.NewId();

    private static IEnumerable<string> Roles => AccessTable.BuiltIn.Roles.Append(Unknown);

    /// <summary>Walks over all cells.</summary>
    /// <param name="services">The services.</param>
    public async Task<IReadOnlyList<string>> FaultsAsync(IEnumerable<ServiceDescriptor> services)
    {
        using var channel = GrpcChannel.ForAddress(host.Grpc, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { EnableMultipleHttp2Connections = true } });
        var cells = services.SelectMany(s => s.Methods).SelectMany(rpc => Roles.Select(role => (rpc, role))).ToList();
        await Parallel.ForEachAsync(cells, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (cell, _) =>
        {
            await TokensAsync(channel, cell.rpc, cell.role);
            await TableAsync(channel, cell.rpc, cell.role);
        });
        return [.. _faults.Order(StringComparer.Ordinal)];
    }

    // No token and a bad one are refused before anything is looked at, for every role alike.
    private async Task TokensAsync(GrpcChannel channel, MethodDescriptor rpc, string role)
    {
        var request = Request(rpc, role);
        foreach (var (what, token) in _badTokens.GetOrAdd(role, BadTokens))
        {
            var answer = await AskAsync(channel, rpc, request, token, s_patience);
            if (!answer.StartsWith(token is null ? "Unauthenticated TOKEN_MISSING" : "Unauthenticated TOKEN_INVALID", StringComparison.Ordinal))
            {
                Fault(rpc, role, $"token {what}", answer);
            }
        }
    }

    private (string What, string? Token)[] BadTokens(string role)
    {
        var now = TimeProvider.System.GetUtcNow();
        var holder = holders.GetValueOrDefault(role, _stranger);
        var own = host.App.Services.GetRequiredService<ServiceAudience>().Value;
        var usual = role == ServiceDefaults.Access.Roles.Systeme ? own : "jafer";
        return
        [
            ("missing", null),
            ("expired", TestIssuer.Shared.Token(role, holder, audience: usual, expires: now.AddMinutes(-5))),
            ("wrong audience", TestIssuer.Shared.Token(role, holder, audience: "elsewhere")),
            ("wrong issuer", TestIssuer.Shared.Token(role, holder, audience: usual, issuer: "https://elsewhere.test")),
            ("algorithm none", TestIssuer.WithoutSignature(TestIssuer.Shared.Token(role, holder, audience: usual))),
            ("another service's audience", TestIssuer.Shared.Token(role, holder, audience: own == "mesure" ? "messaging" : "mesure")),
            ("audience of the other kind", TestIssuer.Shared.Token(role, holder, audience: usual == own ? "jafer" : own)),
        ];
    }

    private async Task TableAsync(GrpcChannel channel, MethodDescriptor rpc, string role)
    {
        var cell = AccessTable.BuiltIn.Cell($"/{rpc.Service.FullName}/{rpc.Name}", role);
        var about = Request(rpc, role);
        var holder = holders.GetValueOrDefault(role, _stranger);
        foreach (var actor in new[] { Actors.Person, Actors.Software, Actors.SoftwareForPerson }.Where(a => !cell.Actors.HasFlag(a)))
        {
            await ExpectForbiddenAsync(Token(role, holder, actor), about, $"{actor}");
            await ExpectForbiddenAsync(Token(role, holder, actor), Missing(about), $"{actor}, nothing there");
        }

        if (cell.Tenancy == Tenancy.None)
        {
            return;
        }

        var may = new[] { Actors.Software, Actors.SoftwareForPerson, Actors.Person }.First(a => cell.Actors.HasFlag(a));
        if (cell.OnlyForEspace)
        {
            var alone = Set(about, "on_behalf_of_espace", false);
            alone.Descriptor.FindFieldByName("on_behalf_source").Accessor.Clear(alone);
            await ExpectForbiddenAsync(Token(role, holder, may), alone, "not on behalf of the espace");
        }

        await TerritoryAsync(channel, rpc, role, cell, may, requestOfHere?.Invoke(rpc, role) is { } ofHere ? Whole(rpc, role, ofHere) : about);
        if (cell.OnlyWhereSaid)
        {
            return;
        }

        var own = await AskAsync(channel, rpc, about, Token(role, holder, may));
        var lets = cell.Tenancy != Tenancy.Own || cell.Admits(Relations.Holder);
        if (holders.ContainsKey(role) && IsRefused(own) == lets)
        {
            Fault(rpc, role, lets ? "own is refused" : "own is let in", own);
        }

        // Who may touch all learns whether there is anything; all others get one answer.
        var anothers = await AskAsync(channel, rpc, about, Token(role, _stranger, may));
        if (cell.Tenancy != Tenancy.Own)
        {
            if (IsRefused(anothers))
            {
                Fault(rpc, role, "another's is refused", anothers);
            }

            return;
        }

        if (requestOf(rpc, role) is null || !holders.ContainsKey(role))
        {
            return;
        }

        var nothing = await AskAsync(channel, rpc, Missing(about), Token(role, _stranger, may));
        var ownNothing = await AskAsync(channel, rpc, Missing(about), Token(role, holder, may));
        if (anothers != nothing || (IsRefused(anothers) && anothers != ownNothing))
        {
            Fault(rpc, role, "another's is told from nothing", $"{anothers} | {nothing} | {ownNothing}");
        }
        else if (!IsRefused(anothers) && !rpc.Name.StartsWith("List", StringComparison.Ordinal) && !rpc.Name.StartsWith("GetWorklists", StringComparison.Ordinal))
        {
            Fault(rpc, role, "another's is let in", anothers);
        }

        async Task ExpectForbiddenAsync(string token, IMessage request, string what)
        {
            var answer = await AskAsync(channel, rpc, request, token, s_patience);
            if (!answer.StartsWith(Forbidden, StringComparison.Ordinal) || answer.Length > Forbidden.Length + 60)
            {
                Fault(rpc, role, what, answer);
            }
        }
    }

    // Who is competent for a part of France has what lies there, and learns nothing of what does not.
    private async Task TerritoryAsync(GrpcChannel channel, MethodDescriptor rpc, string role, AccessCell cell, Actors may, IMessage about)
    {
        if (!cell.AsksForTerritory)
        {
            return;
        }

        var lying = await AskAsync(channel, rpc, about, Token(role, here, may));
        var away = await AskAsync(channel, rpc, about, Token(role, elsewhere, may));
        if (IsRefused(lying) != cell.OnlyForNation)
        {
            Fault(rpc, role, cell.OnlyForNation ? "an act for the nation is let in for a territory" : "what lies in the territory is refused", lying);
        }

        if (cell.OnlyWhereSaid && await AskAsync(channel, rpc, about, Token(role, _stranger, may)) is var nowhere && !nowhere.StartsWith(Forbidden, StringComparison.Ordinal))
        {
            Fault(rpc, role, "without a territory is let in", nowhere);
        }

        if (cell.OnlyForNation && !away.StartsWith(Forbidden, StringComparison.Ordinal))
        {
            Fault(rpc, role, "an act for the nation is let in for a territory elsewhere", away);
        }

        // Figures of all are of the territory: what they count is for their own tests.
        if (!cell.WithTerritory || requestOf(rpc, role) is null || s_ofAZone.Contains(rpc.Name))
        {
            return;
        }

        var nothing = await AskAsync(channel, rpc, Missing(about), Token(role, elsewhere, may));
        var nothingHere = await AskAsync(channel, rpc, Missing(about), Token(role, here, may));
        if (away != nothing || (IsRefused(away) && away != nothingHere))
        {
            Fault(rpc, role, "what lies elsewhere is told from nothing", $"{away} | {nothing} | {nothingHere}");
        }
        else if (!IsRefused(away) && !rpc.Name.StartsWith("List", StringComparison.Ordinal) && !rpc.Name.StartsWith("GetWorklists", StringComparison.Ordinal))
        {
            Fault(rpc, role, "what lies elsewhere is let in", away);
        }
    }

    private string Token(string role, Guid organisation, Actors actor) => _tokens.GetOrAdd((role, organisation, actor), _ => TestIssuer.Shared.Token(
        role, organisation, subject: $"matrix.{role}.{organisation}", person: actor == Actors.Person,
        audience: role == ServiceDefaults.Access.Roles.Systeme ? host.App.Services.GetRequiredService<ServiceAudience>().Value : "jafer",
        more: actor == Actors.SoftwareForPerson ? new Dictionary<string, object?> { ["on_behalf_of"] = "personne.1" } : null));

    private IMessage Request(MethodDescriptor rpc, string role) => requestOf(rpc, role) is { } request ? Whole(rpc, role, request) : Rpcs.Empty(rpc);

    private static IMessage Whole(MethodDescriptor rpc, string role, IMessage request)
    {
        request = Set(request, "request_id", TestMesure.NewId().ToString());

        // A version that nobody has read: who gets as far as being told so was let in, and changes nothing.
        request = Set(request, "etag", "999999");
        return AccessTable.BuiltIn.Cell($"/{rpc.Service.FullName}/{rpc.Name}", role).OnlyForEspace
            ? Set(Set(request, "on_behalf_of_espace", true), "on_behalf_source", 1)
            : request;
    }

    private static IMessage Set(IMessage request, string field, object value)
    {
        var copy = request.Descriptor.Parser.ParseFrom(request.ToByteArray());
        if (copy.Descriptor.FindFieldByName(field) is { } known)
        {
            known.Accessor.SetValue(copy, known.FieldType == FieldType.Enum ? Enum.ToObject(known.EnumType.ClrType, value) : value);
        }

        return copy;
    }

    // The same about something that does not exist: every id that is given is another one.
    private static IMessage Missing(IMessage request)
    {
        var copy = request.Descriptor.Parser.ParseFrom(request.ToByteArray());
        Replace(copy);
        return copy;

        static void Replace(IMessage message)
        {
            foreach (var field in message.Descriptor.Fields.InDeclarationOrder().Where(f => !f.IsMap))
            {
                var value = field.Accessor.GetValue(message);
                if (value is string { Length: 36 } && field.Name.EndsWith("_id", StringComparison.Ordinal))
                {
                    field.Accessor.SetValue(message, TestMesure.NewId().ToString());
                }
                else if (value is IMessage inner && !field.IsRepeated)
                {
                    Replace(inner);
                }
            }
        }
    }

    private static bool IsRefused(string answer) => answer.StartsWith("PermissionDenied", StringComparison.Ordinal) || answer.StartsWith("Unauthenticated", StringComparison.Ordinal);

    private static async Task<string> AskAsync(GrpcChannel channel, MethodDescriptor rpc, IMessage request, string? token, TimeSpan? patience = null)
    {
        var headers = new Metadata();
        if (token is not null)
        {
            headers.Add("authorization", "Bearer " + token);
        }

        var watches = rpc.Name.StartsWith("Watch", StringComparison.Ordinal);
        var deadline = TimeProvider.System.GetUtcNow().Add(patience ?? (watches ? s_watching : s_patience)).UtcDateTime;
        IReadOnlyList<byte[]> answers = [];
        Refusal? refusal;
        try
        {
            refusal = await Refusal.OrNullAsync(async () =>
                answers = await Rpcs.ExchangeAsync(channel, rpc, [request.ToByteArray()], new CallOptions(headers, deadline)));
        }
        catch (InvalidOperationException e)
        {
            // The deadline, which the client itself tells without details.
            return e.Message;
        }

        return refusal is null
            ? "OK " + string.Join(' ', answers.Select(a => Convert.ToHexString(SHA256.HashData(a))))
            : $"{refusal.Code} {refusal.Reason} {refusal.Message} {string.Join(',', refusal.Metadata)}{string.Join(',', refusal.Fields)}{string.Join(',', refusal.Rules)}";
    }

    private void Fault(MethodDescriptor rpc, string role, string what, string answer) => _faults.Add($"{rpc.Name} as {role}, {what}: {answer}");
}
