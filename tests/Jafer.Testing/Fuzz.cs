using System.Collections;
using System.Reflection;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Enum = System.Enum;

namespace Jafer.Testing;

#pragma warning disable RS0030 // What a client catches.

/// <summary>Random requests: well-typed, mostly senseless. Whatever a client sends, the answer is a status of the contract.</summary>
public static class Fuzz
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static readonly string[] s_texts =
    [
        "", " ", "a", "\0", "\ud83d\ude00", "é́", "'; drop table mesures; --", "<script>", "0198a000-0000-7000-8000-000000000001", "00000000-0000-0000-0000-000000000000",
        "{}", "69123", "2A004", "tj69123", "Europe/Paris", "../..", "%00", "AAAA", new string('x', 300), new string('é', 20_000), "-1", "9223372036854775808", "\u202e", "\r\n",
    ];

    // What numbers of the contracts go up to.
    private static readonly int[] s_most = [5, 12, 31, 60, 120, 240, 365, 720, 44_640];

    // The first and the last instant that a field takes are among them.
    private static readonly long[] s_seconds =
        [long.MinValue, -62_135_596_801, -2_208_988_801, -2_208_988_800, 0, 253_402_128_000, 253_402_128_001, 253_402_300_800, long.MaxValue];

    // What a refusal of the contract may say.
    private static readonly StatusCode[] s_refusals =
    [
        StatusCode.InvalidArgument, StatusCode.NotFound, StatusCode.PermissionDenied, StatusCode.FailedPrecondition, StatusCode.Aborted, StatusCode.OutOfRange,
        StatusCode.ResourceExhausted, StatusCode.Unavailable,
    ];

    private static readonly string[] s_traces = ["Exception", "Npgsql", "System.", "Jafer.Mesures.", "Jafer.ServiceDefaults.", "SQLSTATE", "   at "];

    /// <summary>A random message of a type.</summary>
    /// <param name="descriptor">Type.</param>
    /// <param name="random">Source of chance.</param>
    /// <param name="known">Values that exist, such as ids, mixed in so that deeper code is reached.</param>
    /// <param name="depth">Depth left for nested messages.</param>
    public static IMessage Message(MessageDescriptor descriptor, Random random, IReadOnlyList<string> known, int depth = 4)
    {
        var message = (IMessage)Activator.CreateInstance(descriptor.ClrType)!;
        foreach (var field in descriptor.Fields.InDeclarationOrder().Where(f => !f.IsMap && random.Next(4) > 0))
        {
            if (field.IsRepeated)
            {
                for (var i = random.Next(4); i > 0; i--)
                {
                    Add(message, field, Value(field, random, known, depth));
                }
            }
            else if (Value(field, random, known, depth) is { } value)
            {
                field.Accessor.SetValue(message, value);
            }
        }

        return message;
    }

    /// <summary>
    /// Calls every unary rpc of a service with random requests and returns the statuses that no client should ever see:
    /// UNKNOWN, INTERNAL, and refusals without details.
    /// </summary>
    /// <typeparam name="TClient">Generated client.</typeparam>
    /// <param name="clients">Clients of several callers.</param>
    /// <param name="service">Service.</param>
    /// <param name="seed">Seed, named in a failure so that it can be repeated.</param>
    /// <param name="rounds">Calls of each rpc.</param>
    /// <param name="known">Values that exist.</param>
    public static async Task<IReadOnlyList<string>> FaultsAsync<TClient>(
        IReadOnlyList<TClient> clients, ServiceDescriptor service, int seed, int rounds, IReadOnlyList<string> known)
    {
        var random = new Random(seed);
        var faults = new List<string>();
        foreach (var rpc in service.Methods.Where(m => !m.IsServerStreaming && !m.IsClientStreaming))
        {
            var method = typeof(TClient).GetMethod(rpc.Name + "Async", [rpc.InputType.ClrType, typeof(CallOptions)])!;
            for (var i = 0; i < rounds; i++)
            {
                var request = Message(rpc.InputType, random, known);
                var call = method.Invoke(clients[i % clients.Count], BindingFlags.Default, null, [request, default(CallOptions)], null)!;
                try
                {
                    await (Task)call.GetType().GetProperty("ResponseAsync")!.GetValue(call)!;
                }
                catch (RpcException e) when (e.StatusCode is StatusCode.Unknown or StatusCode.Internal || e.Trailers.GetValueBytes(RpcErrors.DetailsTrailer) is null)
                {
                    faults.Add($"seed {seed}, {rpc.Name} round {i}: {e.StatusCode} {e.Status.Detail}");
                }
                catch (RpcException)
                {
                    // A refusal of the contract.
                }
            }
        }

        return faults;
    }

    /// <summary>
    /// Calls every rpc of some services, streams included, as callers of every role: with random messages, with well-formed ones
    /// of which some fields are spoilt, and with bytes that are no message. Returns the answers that no client should ever see: a
    /// status that is no refusal of the contract, one without details, one that tells of an exception, and none at all.
    /// </summary>
    /// <param name="callers">A channel of each role.</param>
    /// <param name="services">The services.</param>
    /// <param name="seed">Seed, named in a failure so that it can be repeated.</param>
    /// <param name="rounds">Calls of each rpc.</param>
    /// <param name="known">Values that exist, for an rpc.</param>
    /// <param name="wellFormed">A well-formed request of an rpc; null where there is none.</param>
    public static async Task<IReadOnlyList<string>> FaultsAsync(
        IReadOnlyDictionary<string, GrpcChannel> callers, IEnumerable<ServiceDescriptor> services, int seed, int rounds,
        Func<MethodDescriptor, IReadOnlyList<string>> known, Func<MethodDescriptor, Random, IMessage?> wellFormed)
    {
        var faults = new List<string>();
        var tokens = new List<string>();
        foreach (var rpc in services.SelectMany(s => s.Methods))
        {
            // One source of chance for each rpc, so that a new one changes nothing of the others.
            var random = new Random(HashCode(rpc.FullName, seed));
            var all = callers.Keys.Order(StringComparer.Ordinal).ToArray();
            var granted = all.Where(role => AccessTable.BuiltIn.Grant($"/{rpc.Service.FullName}/{rpc.Name}", role) != Tenancy.None).ToArray();
            for (var i = 0; i < rounds; i++)
            {
                var role = granted.Length > 0 && random.Next(8) > 0 ? granted[random.Next(granted.Length)] : all[random.Next(all.Length)];
                var requests = Enumerable.Range(0, rpc.IsClientStreaming ? random.Next(4) : 1)
                    .Select(_ => Bytes(random.Next(4) > 0 && wellFormed(rpc, random) is { } whole
                        ? Spoilt(whole, random, [.. known(rpc), .. tokens])
                        : Message(rpc.InputType, random, [.. known(rpc), .. tokens]), random))
                    .ToList();
                try
                {
                    var options = new CallOptions(deadline: TimeProvider.System.GetUtcNow().Add(s_patience).UtcDateTime);
                    foreach (var response in await Rpcs.ExchangeAsync(callers[role], rpc, requests, options))
                    {
                        Keep(tokens, rpc.OutputType.Parser.ParseFrom(response), random);
                    }
                }
                catch (RpcException e)
                {
                    if (!s_refusals.Contains(e.StatusCode) || e.Trailers.GetValueBytes(RpcErrors.DetailsTrailer) is null
                        || s_traces.Any(trace => e.Status.Detail.Contains(trace, StringComparison.Ordinal)))
                    {
                        faults.Add($"seed {seed}, {rpc.Name} round {i} as {role}: {e.StatusCode} {e.Status.Detail} {string.Join(' ', requests.Select(Convert.ToBase64String))}");
                    }
                }
            }
        }

        return faults;
    }

    /// <summary>A message of which at most two fields are anything.</summary>
    private static IMessage Spoilt(IMessage message, Random random, IReadOnlyList<string> known)
    {
        for (var left = random.Next(3); left > 0; left--)
        {
            Spoil(message, random, known);
        }

        return message;
    }

    private static void Spoil(IMessage message, Random random, IReadOnlyList<string> known)
    {
        var fields = message.Descriptor.Fields.InDeclarationOrder().Where(f => !f.IsMap).ToList();
        if (fields.Count == 0)
        {
            return;
        }

        // What says whom it is about and keeps repetitions apart is seldom wrong: else nothing behind it is reached.
        var field = fields[random.Next(fields.Count)];
        if (field.Name is "mesure_id" or "request_id" or "etag" && random.Next(5) > 0)
        {
            return;
        }

        var held = field.IsRepeated
            ? (IList)field.Accessor.GetValue(message) is { Count: > 0 } list ? list[random.Next(list.Count)] : null
            : field.Accessor.GetValue(message);
        if (held is IMessage inner && random.Next(3) > 0)
        {
            Spoil(inner, random, known);
        }
        else if (field.IsRepeated)
        {
            Add(message, field, Value(field, random, known, 4));
        }
        else if (Value(field, random, known, 4) is { } value)
        {
            field.Accessor.SetValue(message, value);
        }
    }

    private static void Add(IMessage message, FieldDescriptor field, object? value)
    {
        if (value is not null)
        {
            ((IList)field.Accessor.GetValue(message)).Add(value);
        }
    }

    // Now and then what is no message at all.
    private static byte[] Bytes(IMessage message, Random random)
    {
        var bytes = message.ToByteArray();
        if (random.Next(20) == 0 && bytes.Length > 0)
        {
            bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            return random.Next(2) == 0 ? bytes : bytes[..random.Next(bytes.Length)];
        }

        return bytes;
    }

    /// <summary>Keeps a page token of an answer, and one that was tampered with.</summary>
    private static void Keep(List<string> tokens, IMessage response, Random random)
    {
        if (response.Descriptor.FindFieldByName("next_page_token")?.Accessor.GetValue(response) is string { Length: > 0 } token && tokens.Count < 20)
        {
            var mangled = token.ToCharArray();
            mangled[random.Next(mangled.Length)] = 'x';
            tokens.AddRange([token, new string(mangled), token[..random.Next(token.Length)]]);
        }
    }

    private static object? Value(FieldDescriptor field, Random random, IReadOnlyList<string> known, int depth) => field.FieldType switch
    {
        FieldType.String => field.Name == "request_id" && random.Next(5) > 0
            ? Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString()
            : known.Count > 0 && random.Next(2) == 0 ? known[random.Next(known.Count)] : random.Next(3) > 0 ? s_texts[random.Next(s_texts.Length)] : Text(random),
        FieldType.Bool => random.Next(2) == 0,
        FieldType.Int32 => random.Next(5) switch { 0 => random.Next(-5, 100), 1 => int.MaxValue, 2 => int.MinValue, 3 => s_most[random.Next(s_most.Length)], _ => random.Next(2030) },
        FieldType.Int64 => random.Next(4) switch { 0 => long.MinValue, 1 => long.MaxValue, _ => random.NextInt64(0, 4_000_000_000) },
        FieldType.Double => random.Next(4) switch { 0 => double.NaN, 1 => double.PositiveInfinity, _ => (random.NextDouble() * 400) - 100 },
        FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, random.Next(5) == 0 ? random.Next(-1, 500) : random.Next(field.EnumType.Values.Count)),
        FieldType.Bytes => ByteString.CopyFrom(new byte[random.Next(100)]),
        FieldType.Message when field.MessageType == Timestamp.Descriptor => Instant(random),
        FieldType.Message when field.MessageType == Date.Descriptor => Day(random),
        FieldType.Message when depth > 0 => Message(field.MessageType, random, known, depth - 1),
        _ => null,
    };

    // Half of them could be meant: from some months ago to some months ahead.
    private static Timestamp Instant(Random random) => random.Next(2) == 0
        ? Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(random.Next(-5000, 5000)))
        : new Timestamp
        {
            Seconds = s_seconds[random.Next(s_seconds.Length)],
            Nanos = random.Next(6) switch { 0 => random.Next(-1, 1_000_000_001), 1 => int.MinValue, 2 => int.MaxValue, _ => 0 },
        };

    private static Date Day(Random random) => random.Next(2) == 0
        ? new Date { Year = random.Next(2024, 2029), Month = random.Next(1, 13), Day = random.Next(1, 29) }
        : random.Next(2) == 0 ? new Date { Year = random.Next(2) == 0 ? 1900 : 9999, Month = 12, Day = 31 }
        : new Date { Year = Odd(random, 9999), Month = Odd(random, 12), Day = Odd(random, 31) };

    // The last that there is, one beyond, none, one below it.
    private static int Odd(Random random, int last) => random.Next(6) switch { 0 => last, 1 => last + 1, 2 => 0, 3 => -1, 4 => 1, _ => random.Next(last) + 1 };

    private static string Text(Random random)
    {
        // Half of them without control characters, which no text may have.
        var text = new StringBuilder();
        var printed = random.Next(2) == 0;
        for (var left = random.Next(2) == 0 ? random.Next(30) : random.Next(5000); left > 0; left--)
        {
            // Control characters, halves of a surrogate pair, any letter, an emoji of several, or plain ASCII.
            var kind = random.Next(6);
            text.Append(kind == 3 ? "\ud83d\udc68\u200d\ud83d\udc67" : ((char)(kind switch
            {
                0 => printed ? 0x202E : random.Next(32),
                1 => random.Next(0xD800, 0xE000),
                2 => random.Next(0xA0, 0x10000),
                _ => random.Next(32, 127),
            })).ToString());
        }

        return text.ToString();
    }

    // string.GetHashCode differs from one process to the next.
    private static int HashCode(string name, int seed) => name.Aggregate(seed, (hash, c) => unchecked((hash * 31) + c));
}
