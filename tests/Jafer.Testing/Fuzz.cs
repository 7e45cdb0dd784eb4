using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Jafer.Testing;

#pragma warning disable RS0030 // What a client catches.

/// <summary>Random requests: well-typed, mostly senseless. Whatever a client sends, the answer is a status of the contract.</summary>
public static class Fuzz
{
    private static readonly string[] s_texts =
    [
        "", " ", "a", "\0", "\ud83d\ude00", "é́", "'; drop table mesures; --", "<script>", "0198a000-0000-7000-8000-000000000001", "00000000-0000-0000-0000-000000000000",
        "{}", "69123", "2A004", "tj69123", "Europe/Paris", "../..", "%00", "AAAA", new string('x', 300), new string('é', 20_000), "-1", "9223372036854775808", "\u202e", "\r\n",
    ];

    /// <summary>A random message of a type.</summary>
    /// <param name="descriptor">Type.</param>
    /// <param name="random">Source of chance.</param>
    /// <param name="known">Values that exist, such as ids, mixed in so that deeper code is reached.</param>
    /// <param name="depth">Depth left for nested messages.</param>
    public static IMessage Message(MessageDescriptor descriptor, Random random, IReadOnlyList<string> known, int depth = 4)
    {
        var message = (IMessage)Activator.CreateInstance(descriptor.ClrType)!;
        foreach (var field in descriptor.Fields.InDeclarationOrder())
        {
            if (random.Next(4) == 0)
            {
                continue;
            }

            if (field.IsMap)
            {
                continue;
            }

            if (field.IsRepeated)
            {
                var list = (System.Collections.IList)field.Accessor.GetValue(message);
                for (var i = random.Next(4); i > 0; i--)
                {
                    if (Value(field, random, known, depth) is { } item)
                    {
                        list.Add(item);
                    }
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
                catch (RpcException e) when (e.StatusCode is StatusCode.Unknown or StatusCode.Internal || e.Trailers.GetValueBytes("grpc-status-details-bin") is null)
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

    private static object? Value(FieldDescriptor field, Random random, IReadOnlyList<string> known, int depth) => field.FieldType switch
    {
        FieldType.String => field.Name == "request_id" && random.Next(5) > 0
            ? Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString()
            : known.Count > 0 && random.Next(2) == 0 ? known[random.Next(known.Count)] : s_texts[random.Next(s_texts.Length)],
        FieldType.Bool => random.Next(2) == 0,
        FieldType.Int32 => random.Next(3) switch { 0 => random.Next(-5, 100), 1 => int.MaxValue, _ => random.Next(2030) },
        FieldType.Int64 => random.Next(4) switch { 0 => long.MinValue, 1 => long.MaxValue, _ => random.NextInt64(0, 4_000_000_000) },
        FieldType.Double => random.Next(4) switch { 0 => double.NaN, 1 => double.PositiveInfinity, _ => (random.NextDouble() * 400) - 100 },
        FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, random.Next(5) == 0 ? random.Next(-1, 500) : random.Next(field.EnumType.Values.Count)),
        FieldType.Bytes => ByteString.CopyFrom(new byte[random.Next(100)]),
        FieldType.Message when depth > 0 => Message(field.MessageType, random, known, depth - 1),
        _ => null,
    };
}
