using Google.Protobuf.Reflection;
using Grpc.Core;
using Jafer.ServiceDefaults.Grpc.Reflection.V1;
using Alpha = Jafer.ServiceDefaults.Grpc.Reflection.V1Alpha;

namespace Jafer.ServiceDefaults.Tests.Grpc;

public sealed class ReflectionTests(ProbeHost probe) : IClassFixture<ProbeHost>
{
    [Fact]
    public async Task ListServices_WithoutToken_NamesWhatIsServed()
    {
        var answers = await AskAsync(new ServerReflectionRequest { ListServices = "" });

        Assert.Equal(
            [
                "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
                "jafer.operations.v1.OperationsService", "jafer.probe.v1.ProbeService",
            ],
            answers[0].ListServicesResponse.Service.Select(s => s.Name));
    }

    [Theory]
    [InlineData("jafer.probe.v1.ProbeService", "jafer/probe/v1/probe_service.proto")]
    [InlineData("jafer.probe.v1.ProbeService.WriteNote", "jafer/probe/v1/probe_service.proto")]
    [InlineData("jafer.probe.v1.WriteNoteRequest", "jafer/probe/v1/probe_service.proto")]
    [InlineData("jafer.probe.v1.WriteNoteRequest.note_id", "jafer/probe/v1/probe_service.proto")]
    [InlineData("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto")]
    public async Task FileContainingSymbol_ServedSymbol_GivesItsFile(string symbol, string file)
    {
        var answers = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = symbol });

        var descriptor = FileDescriptorProto.Parser.ParseFrom(answers[0].FileDescriptorResponse.FileDescriptorProto[0]);
        Assert.Equal(file, descriptor.Name);
    }

    [Fact]
    public async Task FileContainingSymbol_AnyService_CanBeBuiltFromWhatIsSent()
    {
        var list = await AskAsync(new ServerReflectionRequest { ListServices = "" });
        foreach (var service in list[0].ListServicesResponse.Service)
        {
            var answers = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = service.Name });

            // As a tool does: the imports first, all of them from the answer.
            var files = answers[0].FileDescriptorResponse.FileDescriptorProto.ToList();
            files.Reverse();
            var built = FileDescriptor.BuildFromByteStrings(files);
            Assert.Contains(built.SelectMany(f => f.Services), s => s.FullName == service.Name);
        }
    }

    [Fact]
    public async Task FileByFilename_AskedTwice_GivesTheFileBothTimes()
    {
        var request = new ServerReflectionRequest { Host = "here", FileByFilename = "grpc/health/v1/health.proto" };

        var answers = await AskAsync(request, request);

        Assert.All(answers, a => Assert.Single(a.FileDescriptorResponse.FileDescriptorProto));
        Assert.All(answers, a => Assert.Equal(("here", request), (a.ValidHost, a.OriginalRequest)));
    }

    [Fact]
    public async Task Ask_UnknownThings_AnswersErrorsAndGoesOn()
    {
        var answers = await AskAsync(
            new ServerReflectionRequest { FileContainingSymbol = "jafer.absent.v1.Absent" },
            new ServerReflectionRequest { FileByFilename = "absent.proto" },
            new ServerReflectionRequest { FileContainingExtension = new ExtensionRequest { ContainingType = "jafer.probe.v1.FailRequest", ExtensionNumber = 7 } },
            new ServerReflectionRequest { AllExtensionNumbersOfType = "jafer.absent.v1.Absent" },
            new ServerReflectionRequest(),
            new ServerReflectionRequest { AllExtensionNumbersOfType = "jafer.probe.v1.FailRequest" });

        Assert.Equal(
            [StatusCode.NotFound, StatusCode.NotFound, StatusCode.NotFound, StatusCode.NotFound, StatusCode.InvalidArgument],
            answers.Take(5).Select(a => (StatusCode)a.ErrorResponse.ErrorCode));
        Assert.Empty(answers[5].AllExtensionNumbersResponse.ExtensionNumber);
    }

    [Fact]
    public async Task Alpha_SameQuestion_GivesTheSameAnswer()
    {
        using var call = new Alpha.ServerReflection.ServerReflectionClient(probe.Host.Channel(null)).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new() { FileContainingSymbol = "jafer.probe.v1.ProbeService" }, TestContext.Current.CancellationToken);
        Assert.True(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));

        var answers = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = "jafer.probe.v1.ProbeService" });

        Assert.Equal(
            answers[0].FileDescriptorResponse.FileDescriptorProto,
            call.ResponseStream.Current.FileDescriptorResponse.FileDescriptorProto);
    }

    private async Task<List<ServerReflectionResponse>> AskAsync(params ServerReflectionRequest[] requests)
    {
        using var call = new ServerReflection.ServerReflectionClient(probe.Host.Channel(null)).ServerReflectionInfo();
        foreach (var request in requests)
        {
            await call.RequestStream.WriteAsync(request, TestContext.Current.CancellationToken);
        }

        await call.RequestStream.CompleteAsync();
        var answers = await call.ResponseStream.ReadAllAsync(TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(requests.Length, answers.Count);
        return answers;
    }
}
