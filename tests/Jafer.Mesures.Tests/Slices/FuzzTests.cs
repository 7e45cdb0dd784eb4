using Jafer.Contracts.Mesure.V1;
using Jafer.Testing;
using Xunit;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Whatever a client sends, the answer is a status of the contract.</summary>
public sealed class FuzzTests(MesuresFixture jafer)
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task AnyRpc_RandomRequests_NeverFaults(int seed)
    {
        var known = new List<string> { MesuresFixture.Espace.ToString() };
        foreach (var state in new[] { MesureState.Ordonnee, MesureState.Completee, MesureState.Transmise, MesureState.Recue, MesureState.EnAttente, MesureState.Programmee })
        {
            known.Add(await jafer.MesureInAsync(state));
        }

        known.AddRange((await jafer.GetAsync(known[^1])).Rencontres.Select(r => r.RencontreId));
        known.Add((await jafer.SlotAsync()).SlotId);
        Assert.Empty(await Fuzz.FaultsAsync([jafer.InterviewsAsCourt, jafer.InterviewsAsEspace], InterviewService.Descriptor, seed, 60, known));
        Assert.Empty(await Fuzz.FaultsAsync([jafer.AsCourt, jafer.AsEspace], MesureService.Descriptor, seed, 60, known));
        Assert.Empty(await Fuzz.FaultsAsync(
            [new RencontreService.RencontreServiceClient(jafer.First.Channel("espace", MesuresFixture.Gestionnaire))], RencontreService.Descriptor, seed, 60, known));
    }
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task WorklistsDelaysAndProofs_RandomRequests_NeverFault(int seed)
    {
        var court = jafer.First.Channel("juridiction", MesuresFixture.Court);
        var operateur = jafer.First.Channel("operateur", MesuresFixture.Court);
        var known = new List<string> { MesuresFixture.Espace.ToString(), MesuresFixture.Court.ToString(), await jafer.MesureInAsync(MesureState.Transmise) };

        Assert.Empty(await Fuzz.FaultsAsync<WorklistService.WorklistServiceClient>([new(court), new(operateur)], WorklistService.Descriptor, seed, 40, known));
        Assert.Empty(await Fuzz.FaultsAsync<DelaysService.DelaysServiceClient>([new(court), new(operateur)], DelaysService.Descriptor, seed, 40, known));
        Assert.Empty(await Fuzz.FaultsAsync<ImpactService.ImpactServiceClient>([new(court), new(operateur)], ImpactService.Descriptor, seed, 40, known));
        Assert.Empty(await Fuzz.FaultsAsync<TransmissionService.TransmissionServiceClient>([new(court), new(operateur)], TransmissionService.Descriptor, seed, 40, known));
    }
}
