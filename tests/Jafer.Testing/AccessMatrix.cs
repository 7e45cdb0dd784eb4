using System.Collections;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Access;
using Microsoft.Extensions.DependencyInjection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Jafer.Testing;

/// <summary>An organisation that is something else to a thing than its holder.</summary>
/// <param name="Relation">What it is.</param>
/// <param name="Role">Its role.</param>
/// <param name="Organisation">The organisation.</param>
/// <param name="RequestOf">A well-formed request of an rpc about the thing; null where the rpc is about no such thing.</param>
public sealed record Related(Relations Relation, string Role, Guid Organisation, Func<MethodDescriptor, IMessage?> RequestOf);

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
/// <param name="related">Organisations that are something else to a thing than its holder; null for none.</param>
public sealed class AccessMatrix(
    ServiceHost host, IReadOnlyDictionary<string, Guid> holders, Func<MethodDescriptor, string, IMessage?> requestOf, Guid here, Guid elsewhere,
    Func<MethodDescriptor, string, IMessage?>? requestOfHere = null, IReadOnlyList<Related>? related = null)
{
    private const string Forbidden = "PermissionDenied CALLER_FORBIDDEN";
    private const string Unknown = "inconnu";

    // About a zone of France and not about a thing.
    private static readonly string[] s_ofAZone = ["GetCoverage"];

    // What they make is the caller's, whoever calls.
    private static readonly string[] s_ofTheirOwn = ["CreateMesure", "CreateEndpoint"];

    // What a caller was refused is kept as theirs: lists of the stranger would show it.
    private static readonly string[] s_onRecord = [.. s_ofTheirOwn, "ReportStatus", "StreamStatus"];

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
            await RelationsAsync(channel, cell.rpc, cell.role);
        });
        return [.. _faults.Order(StringComparer.Ordinal)];
    }

    /// <summary>
    /// What belongs to another within what is one's own: for each rpc and each field that names such a thing, the answer is compared with that
    /// for one that does not exist, byte for byte but for the id itself.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="requestOfOwn">A well-formed request about what the holder of a role has.</param>
    /// <param name="anothers">Ids of things of another, by the name of the field that takes them.</param>
    public async Task<IReadOnlyList<string>> PartsOfAnotherAsync(
        IEnumerable<ServiceDescriptor> services, Func<MethodDescriptor, IMessage?> requestOfOwn, IReadOnlyDictionary<string, string> anothers)
    {
        using var channel = GrpcChannel.ForAddress(host.Grpc);
        foreach (var rpc in services.SelectMany(s => s.Methods))
        {
            foreach (var (role, holder) in holders)
            {
                var cell = AccessTable.BuiltIn.Cell($"/{rpc.Service.FullName}/{rpc.Name}", role);
                if (cell.Tenancy != Tenancy.Own || requestOfOwn(rpc) is not { } request)
                {
                    continue;
                }

                var token = Token(role, holder, new[] { Actors.Software, Actors.SoftwareForPerson, Actors.Person }.First(a => cell.Actors.HasFlag(a)));
                foreach (var (field, id) in anothers)
                {
                    var nobodys = TestMesure.NewId().ToString();
                    var (real, missing) = (Copy(request), Copy(request));
                    if (!Name(real, field, id) || !Name(missing, field, nobodys))
                    {
                        continue;
                    }

                    var told = await AskAsync(channel, rpc, real, token, hidden: id);
                    var nothing = await AskAsync(channel, rpc, Set(missing, "request_id", TestMesure.NewId().ToString()), token, hidden: nobodys);
                    Named.Add($"{rpc.Name}.{field}");
                    if (told != nothing)
                    {
                        Fault(rpc, role, $"{field} of another is told from none", $"{told} | {nothing}");
                    }
                }
            }
        }

        return [.. _faults.Order(StringComparer.Ordinal)];

        // The first place of that name, in the request or in what it holds.
        static bool Name(IMessage message, string field, string id)
        {
            foreach (var of in message.Descriptor.Fields.InDeclarationOrder().Where(f => !f.IsMap))
            {
                var value = of.Accessor.GetValue(message);
                if (of.Name == field && of.FieldType == FieldType.String)
                {
                    if (value is IList list)
                    {
                        list.Add(id);
                    }
                    else
                    {
                        of.Accessor.SetValue(message, id);
                    }

                    return true;
                }

                if ((value is IMessage inner && Name(inner, field, id)) || (value is IList { Count: > 0 } many && many[0] is IMessage first && Name(first, field, id)))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The fields that <see cref="PartsOfAnotherAsync"/> tried, as "Rpc.field".</summary>
    public ICollection<string> Named { get; } = [];

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
        var stranger = s_onRecord.Contains(rpc.Name) ? TestMesure.NewId() : _stranger;
        var anothers = await AskAsync(channel, rpc, about, Token(role, stranger, may));
        if (s_ofTheirOwn.Contains(rpc.Name) && requestOf(rpc, role) is not null)
        {
            // The same request id of two organisations is two requests: neither is given what the other made.
            if (!own.StartsWith("OK", StringComparison.Ordinal) || !anothers.StartsWith("OK", StringComparison.Ordinal) || own == anothers)
            {
                Fault(rpc, role, "each makes their own", $"{own} | {anothers}");
            }

            return;
        }

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

        var nothing = await AskAsync(channel, rpc, Missing(about), Token(role, stranger, may));
        var ownNothing = await AskAsync(channel, rpc, Missing(about), Token(role, holder, may));
        if (anothers != nothing || (IsRefused(anothers) && anothers != ownNothing))
        {
            Fault(rpc, role, "another's is told from nothing", $"{anothers} | {nothing} | {ownNothing}");
        }
        else if (!IsRefused(anothers) && !IsList(rpc))
        {
            Fault(rpc, role, "another's is let in", anothers);
        }

        async Task ExpectForbiddenAsync(string token, IMessage request, string what)
        {
            var answer = await AskAsync(channel, rpc, request, token, s_patience);
            // For a role of nobody no issuer speaks.
            var expected = role == Unknown ? "Unauthenticated TOKEN_INVALID" : Forbidden;
            if (!answer.StartsWith(expected, StringComparison.Ordinal) || answer.Length > expected.Length + 70)
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
        else if (!IsRefused(away) && !IsList(rpc))
        {
            Fault(rpc, role, "what lies elsewhere is let in", away);
        }
    }

    // Who is something else to a thing than its holder is let in as far as the cell names that relation, and is else a stranger.
    private async Task RelationsAsync(GrpcChannel channel, MethodDescriptor rpc, string role)
    {
        var cell = AccessTable.BuiltIn.Cell($"/{rpc.Service.FullName}/{rpc.Name}", role);
        foreach (var (relation, ofRole, organisation, of) in related ?? [])
        {
            if (ofRole != role || cell.Tenancy != Tenancy.Own || of(rpc) is not { } request)
            {
                continue;
            }

            var about = Whole(rpc, role, request);
            var token = Token(role, organisation, new[] { Actors.Software, Actors.SoftwareForPerson, Actors.Person }.First(a => cell.Actors.HasFlag(a)));
            var answer = await AskAsync(channel, rpc, about, token);
            if (IsList(rpc))
            {
                continue;
            }

            if (IsRefused(answer) == cell.Admits(relation))
            {
                Fault(rpc, role, $"{relation}, {(cell.Admits(relation) ? "is refused" : "is let in")}", answer);
            }
            else if (IsRefused(answer) && await AskAsync(channel, rpc, Missing(about), token) is var nothing && nothing != answer)
            {
                Fault(rpc, role, $"{relation}, is told from nothing", $"{answer} | {nothing}");
            }
        }
    }

    private static bool IsList(MethodDescriptor rpc) => rpc.Name.StartsWith("List", StringComparison.Ordinal) || rpc.Name.StartsWith("GetWorklists", StringComparison.Ordinal);

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

    private static IMessage Copy(IMessage request) => request.Descriptor.Parser.ParseFrom(request.ToByteArray());

    private static IMessage Set(IMessage request, string field, object value)
    {
        var copy = Copy(request);
        if (copy.Descriptor.FindFieldByName(field) is { } known)
        {
            known.Accessor.SetValue(copy, known.FieldType == FieldType.Enum ? Enum.ToObject(known.EnumType.ClrType, value) : value);
        }

        return copy;
    }

    // The same about something that does not exist: every id that is given is another one.
    private static IMessage Missing(IMessage request)
    {
        var copy = Copy(request);
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
                else if (value is IMessage inner)
                {
                    Replace(inner);
                }
                else if (value is IList many)
                {
                    for (var i = 0; i < many.Count; i++)
                    {
                        if (many[i] is IMessage one)
                        {
                            Replace(one);
                        }
                        else if (many[i] is string { Length: 36 } && field.Name.EndsWith("_ids", StringComparison.Ordinal))
                        {
                            many[i] = TestMesure.NewId().ToString();
                        }
                    }
                }
            }
        }
    }

    private static bool IsRefused(string answer) => answer.StartsWith("PermissionDenied", StringComparison.Ordinal) || answer.StartsWith("Unauthenticated", StringComparison.Ordinal);

    private static async Task<string> AskAsync(GrpcChannel channel, MethodDescriptor rpc, IMessage request, string? token, TimeSpan? patience = null, string? hidden = null)
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

        if (hidden is not null && refusal is not null)
        {
            return $"{refusal.Code} {refusal.Message} {refusal.Bytes.Replace(Convert.ToHexString(System.Text.Encoding.ASCII.GetBytes(hidden)), "", StringComparison.Ordinal)}"
                .Replace(hidden, "", StringComparison.Ordinal);
        }

        return refusal is null
            ? (answers.Count > 0 && answers.All(a => RefusesAll(rpc, a)) ? Forbidden + " item by item " : "OK ") + string.Join(' ', answers.Select(a => Convert.ToHexString(SHA256.HashData(a))))
            : $"{refusal.Code} {refusal.Reason} {refusal.Message} {string.Join(',', refusal.Metadata)}{string.Join(',', refusal.Fields)}{string.Join(',', refusal.Rules)} {Digest(refusal.Bytes)}";
    }

    private static string Digest(string text) => Convert.ToHexString(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(text)).AsSpan(0, 4));

    // What is reported item by item is refused item by item.
    private static bool RefusesAll(MethodDescriptor rpc, byte[] answer) =>
        rpc.OutputType.FindFieldByName("results")?.MessageType?.FindFieldByName("reason") is { FieldType: FieldType.Enum } reason
        && rpc.OutputType.FindFieldByName("results").Accessor.GetValue(rpc.OutputType.Parser.ParseFrom(answer)) is IList { Count: > 0 } results
        && results.Cast<IMessage>().All(r => reason.Accessor.GetValue(r) is ErrorReason.CallerForbidden);

    private void Fault(MethodDescriptor rpc, string role, string what, string answer) => _faults.Add($"{rpc.Name} as {role}, {what}: {answer}");
}
