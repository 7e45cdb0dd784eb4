using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Grpc;
using Xunit;

namespace Jafer.Mesures.Tests.Slices;

public class DirectoryForecastTests
{
    private static readonly DateOnly Decided = new(2026, 11, 21);

    [Fact]
    public async Task ExpectedFirstVisit_EspaceWithAWait_IsTheDateThatASearchShows()
    {
        var directory = new Answering(new() { Result = new() { ExpectedFirstVisitDate = new DateOnly(2027, 1, 9).ToProto() } });
        var espace = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());

        var forecast = await AskAsync(directory, espace, Modalite.Visite);

        Assert.Equal((new DateOnly(2027, 1, 9), true), (forecast.Date, forecast.Available));
        Assert.Empty(forecast.Unmet);
        Assert.Equal(espace.ToString(), directory.Asked!.EspaceId);
        Assert.Equal(new MesureProfile { Modalite = Modalite.Visite, DecisionDate = Decided.ToProto() }, directory.Asked.Mesure);
    }

    [Fact]
    public async Task ExpectedFirstVisit_NoWaitOrModaliteNotKnown_IsNoDate()
    {
        foreach (var answer in new[] { new CheckDesignationResponse { Result = new() }, new() })
        {
            var forecast = await AskAsync(new Answering(answer), Guid.Empty, Modalite.Visite);
            Assert.Equal((null, true), (forecast.Date, forecast.Available));
        }
    }

    [Fact]
    public async Task ExpectedFirstVisit_ModaliteLeftOpen_AsksNothing()
    {
        var directory = new Answering(new());

        Assert.Equal(Forecast.NotAsked, await AskAsync(directory, Guid.Empty, Modalite.Unspecified));
        Assert.Null(directory.Asked);
    }

    [Fact]
    public async Task Ask_EspaceThatCannotTakeIt_TellsEveryRuleThatItFails()
    {
        var answer = new CheckDesignationResponse();
        answer.Findings.Add(new RuleFinding { Rule = DesignationRule.AgesReceived, LegalSource = "capacité de l'espace" });
        answer.Findings.Add(new RuleFinding { Rule = DesignationRule.ModaliteOffered, LegalSource = "capacité de l'espace" });

        var forecast = await AskAsync(new Answering(answer), Guid.Empty, Modalite.Visite);

        Assert.Equal([DesignationRule.AgesReceived, DesignationRule.ModaliteOffered], forecast.Unmet.Select(u => u.Rule));
    }

    private static Task<Forecast> AskAsync(Answering directory, Guid espace, Modalite modalite) =>
        new DirectoryForecast(TimeProvider.System, directory).AskAsync(
            espace, new MesureProfile { Modalite = modalite, DecisionDate = Decided.ToProto() }, TestContext.Current.CancellationToken);

    private sealed class Answering(CheckDesignationResponse answer) : DirectoryService.DirectoryServiceClient
    {
        public CheckDesignationRequest? Asked { get; private set; }

        public override AsyncUnaryCall<CheckDesignationResponse> CheckDesignationAsync(CheckDesignationRequest request, CallOptions options)
        {
            Asked = request;
            return new(Task.FromResult(answer), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }
    }
}
