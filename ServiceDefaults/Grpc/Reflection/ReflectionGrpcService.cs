using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Jafer.ServiceDefaults.Grpc.Reflection.V1;

namespace Jafer.ServiceDefaults.Grpc.Reflection;

/// <summary>
/// grpc.reflection.v1: what this process serves, for tools that know no proto beforehand. A file is sent with everything that
/// it imports, but each file once on a stream.
/// </summary>
[SuppressMessage("Performance", "CA1812", Justification = "made by the gRPC server")]
internal sealed class ReflectionGrpcService(ServedFiles files) : ServerReflection.ServerReflectionBase
{
    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<ServerReflectionRequest> requestStream, IServerStreamWriter<ServerReflectionResponse> responseStream, ServerCallContext context)
    {
        var session = new ReflectionSession(files);
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            await responseStream.WriteAsync(session.Answer(request), context.CancellationToken);
        }
    }
}

/// <summary>grpc.reflection.v1alpha, which older tools ask for: the same messages under another package name.</summary>
[SuppressMessage("Performance", "CA1812", Justification = "made by the gRPC server")]
internal sealed class ReflectionAlphaGrpcService(ServedFiles files) : V1Alpha.ServerReflection.ServerReflectionBase
{
    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<V1Alpha.ServerReflectionRequest> requestStream, IServerStreamWriter<V1Alpha.ServerReflectionResponse> responseStream, ServerCallContext context)
    {
        var session = new ReflectionSession(files);
        await foreach (var request in requestStream.ReadAllAsync(context.CancellationToken))
        {
            var answer = session.Answer(ServerReflectionRequest.Parser.ParseFrom(request.ToByteString()));
            await responseStream.WriteAsync(V1Alpha.ServerReflectionResponse.Parser.ParseFrom(answer.ToByteString()), context.CancellationToken);
        }
    }
}

/// <summary>One stream of questions.</summary>
internal sealed class ReflectionSession(ServedFiles files)
{
    private readonly HashSet<string> _sent = new(StringComparer.Ordinal);

    public ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        var response = new ServerReflectionResponse { ValidHost = request.Host, OriginalRequest = request };
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                response.ListServicesResponse = new ListServiceResponse();
                response.ListServicesResponse.Service.AddRange(files.Services.Order(StringComparer.Ordinal).Select(name => new ServiceResponse { Name = name }));
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                AddFile(response, files.ByName(request.FileByFilename));
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                AddFile(response, files.BySymbol(request.FileContainingSymbol));
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType when files.BySymbol(request.AllExtensionNumbersOfType) is not null:
                response.AllExtensionNumbersResponse = new ExtensionNumberResponse { BaseTypeName = request.AllExtensionNumbersOfType };
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.None:
                response.ErrorResponse = Error(StatusCode.InvalidArgument, "the question is missing");
                break;
            default:
                response.ErrorResponse = NotFound();
                break;
        }

        return response;
    }

    private void AddFile(ServerReflectionResponse response, FileDescriptor? file)
    {
        if (file is null)
        {
            response.ErrorResponse = NotFound();
            return;
        }

        // The file asked for always, its imports unless the client has them already.
        _sent.Remove(file.Name);
        response.FileDescriptorResponse = new FileDescriptorResponse();
        Add(response.FileDescriptorResponse, file);
    }

    private void Add(FileDescriptorResponse response, FileDescriptor file)
    {
        if (!_sent.Add(file.Name))
        {
            return;
        }

        response.FileDescriptorProto.Add(file.SerializedData);
        foreach (var import in file.Dependencies)
        {
            Add(response, import);
        }
    }

    private static ErrorResponse NotFound() => Error(StatusCode.NotFound, "not served here");

    private static ErrorResponse Error(StatusCode code, string message) => new() { ErrorCode = (int)code, ErrorMessage = message };
}
