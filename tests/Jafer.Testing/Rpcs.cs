using System.Text.RegularExpressions;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;

namespace Jafer.Testing;

/// <summary>Calls rpcs by their descriptors, for tests that walk over all of a service.</summary>
public static partial class Rpcs
{
    private static readonly Marshaller<byte[]> s_bytes = Marshallers.Create(bytes => bytes, bytes => bytes);

    /// <summary>The rpcs with one request and one response.</summary>
    /// <param name="service">The service.</param>
    public static IEnumerable<MethodDescriptor> UnaryOf(ServiceDescriptor service) => service.Methods.Where(m => !m.IsClientStreaming && !m.IsServerStreaming);

    /// <summary>An empty request of an rpc.</summary>
    /// <param name="rpc">The rpc.</param>
    public static IMessage Empty(MethodDescriptor rpc) => Empty(rpc.InputType);

    /// <summary>Calls a unary rpc.</summary>
    /// <param name="channel">Channel of the caller.</param>
    /// <param name="rpc">The rpc.</param>
    /// <param name="request">A message of its input type.</param>
    public static async Task<IMessage> CallAsync(GrpcChannel channel, MethodDescriptor rpc, IMessage request)
    {
        using var call = channel.CreateCallInvoker().AsyncUnaryCall(Method(rpc, MethodType.Unary), null, default, request.ToByteArray());
        return rpc.OutputType.Parser.ParseFrom(await call);
    }

    /// <summary>Opens any rpc, streams included, sends an empty request and reads the first response.</summary>
    /// <param name="channel">Channel of the caller.</param>
    /// <param name="rpc">The rpc.</param>
    public static async Task OpenAsync(GrpcChannel channel, MethodDescriptor rpc)
    {
        // On the wire the four kinds differ only in how many messages go each way.
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(Method(rpc, MethodType.DuplexStreaming), null, default);
        await SendAsync(call, [[]]);
        await call.ResponseStream.MoveNext(CancellationToken.None);
    }

    /// <summary>Calls any rpc, streams included, with all requests at once and returns all responses, as bytes.</summary>
    /// <param name="channel">Channel of the caller.</param>
    /// <param name="rpc">The rpc.</param>
    /// <param name="requests">Bytes of the requests.</param>
    /// <param name="options">Options of the call.</param>
    public static async Task<IReadOnlyList<byte[]>> ExchangeAsync(GrpcChannel channel, MethodDescriptor rpc, IEnumerable<byte[]> requests, CallOptions options = default)
    {
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(Method(rpc, MethodType.DuplexStreaming), null, options);
        await SendAsync(call, requests);
        var responses = new List<byte[]>();
        await foreach (var response in call.ResponseStream.ReadAllAsync())
        {
            responses.Add(response);
        }

        return responses;
    }

    /// <summary>
    /// A message of which every field is as wrong as its type allows, a bool and a page token apart: texts with a control character, ids that
    /// are none, numbers below zero or not a number, unknown values of enums, days and instants that do not exist.
    /// </summary>
    /// <param name="type">Its type.</param>
    /// <param name="depth">Depth left for nested messages.</param>
    public static IMessage Wrong(MessageDescriptor type, int depth = 5)
    {
        var message = Empty(type);
        foreach (var field in type.Fields.InDeclarationOrder().Where(f => !f.IsMap && f.FieldType != FieldType.Bool && f.Name != "page_token"))
        {
            if (Value(field, depth) is not { } value)
            {
                continue;
            }

            if (field.IsRepeated)
            {
                ((System.Collections.IList)field.Accessor.GetValue(message)).Add(value);
            }
            else
            {
                field.Accessor.SetValue(message, value);
            }
        }

        return message;
    }

    /// <summary>True when a path of a violation, such as "decision.periodicity.unit" or "parties[1].role", leads through a message's fields.</summary>
    /// <param name="type">Type of the message.</param>
    /// <param name="path">The path.</param>
    public static bool Leads(MessageDescriptor type, string path)
    {
        var at = type;
        foreach (var step in path.Split('.'))
        {
            var match = Step().Match(step);
            if (!match.Success || at?.FindFieldByName(match.Groups["name"].Value) is not { } field || (match.Groups["index"].Success && !field.IsRepeated))
            {
                return false;
            }

            // Beyond a list one of its entries must be named.
            at = field.FieldType == FieldType.Message && (!field.IsRepeated || match.Groups["index"].Success) ? field.MessageType : null;
        }

        return true;
    }

    private static async Task SendAsync(AsyncDuplexStreamingCall<byte[], byte[]> call, IEnumerable<byte[]> requests)
    {
        try
        {
            foreach (var request in requests)
            {
                await call.RequestStream.WriteAsync(request);
            }

            await call.RequestStream.CompleteAsync();
        }
#pragma warning disable RS0030 // What a client catches.
        catch (Exception e) when (e is InvalidOperationException or RpcException)
#pragma warning restore RS0030
        {
            // Refused before anything was sent, or while it was: reading tells why.
        }
    }

    [GeneratedRegex(@"\A(?<name>[a-z][a-z0-9_]*)(?<index>\[[0-9]+\])?\z")]
    private static partial Regex Step();

    private static IMessage Empty(MessageDescriptor type) => (IMessage)Activator.CreateInstance(type.ClrType)!;

    private static Method<byte[], byte[]> Method(MethodDescriptor rpc, MethodType type) => new(type, rpc.Service.FullName, rpc.Name, s_bytes, s_bytes);

    private static object? Value(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.String => field.Name.EndsWith("_id", StringComparison.Ordinal) || field.Name.EndsWith("_ids", StringComparison.Ordinal) ? "not-an-id\0" : "\0",
        FieldType.Int32 => -1,
        FieldType.Int64 => -1L,
        FieldType.Double => double.NaN,
        FieldType.Float => float.NaN,
        FieldType.Enum => Enum.ToObject(field.EnumType.ClrType, 999),
        FieldType.Message when field.MessageType.FullName == "google.protobuf.Timestamp" => new Google.Protobuf.WellKnownTypes.Timestamp { Seconds = long.MaxValue },
        FieldType.Message when depth > 0 => Wrong(field.MessageType, depth - 1),
        _ => null,
    };
}
