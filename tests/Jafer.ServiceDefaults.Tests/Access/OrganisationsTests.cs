using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Tests.Access;

#pragma warning disable RS0030 // What a client throws.

public sealed class OrganisationsTests
{
    private const string Siret = "12345678900011";

    private readonly TestClock _clock = new(new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero));
    private readonly Directory _directory = new();
    private readonly DirectoryOrganisations _organisations;

    public OrganisationsTests() => _organisations = new DirectoryOrganisations(
        new ServiceCollection().AddSingleton<OrganisationService.OrganisationServiceClient>(_directory).BuildServiceProvider(), _clock);

    [Fact]
    public async Task OfSiret_AskedAgain_IsAnsweredFromWhatWasSaid()
    {
        var id = TestMesure.NewId();
        _directory.Known[Siret] = id;

        Assert.Equal(id, await OfAsync(Siret));
        _clock.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(id, await OfAsync(Siret));
        Assert.Equal(1, _directory.Asked);

        // Another gestionnaire has it by now.
        _directory.Known[Siret] = Guid.Empty;
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Guid.Empty, await OfAsync(Siret));
    }

    [Fact]
    public async Task OfSiret_ThatNobodyHas_IsAskedForAgainSooner()
    {
        Assert.Null(await OfAsync(Siret));
        Assert.Null(await OfAsync(Siret));
        Assert.Equal(1, _directory.Asked);

        _directory.Known[Siret] = TestMesure.NewId();
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull(await OfAsync(Siret));
    }

    [Fact]
    public async Task OfSiret_DirectoryAway_WhatItSaidGoesOnForADay()
    {
        _directory.Known[Siret] = TestMesure.NewId();
        await OfAsync(Siret);
        _directory.Answers = false;

        _clock.Advance(TimeSpan.FromHours(23));
        Assert.NotNull(await OfAsync(Siret));
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<DomainError>(() => OfAsync("12345678900029"))).Code);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<DomainError>(() => OfAsync(Siret))).Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1234567890001")]
    [InlineData("1234567890001a")]
    [InlineData("१२३४५६७८९०००११")]
    public async Task OfSiret_NoSiret_IsNobodyAndNotAskedFor(string siret)
    {
        Assert.Null(await OfAsync(siret));
        Assert.Equal(0, _directory.Asked);
    }

    private Task<Guid?> OfAsync(string siret) => _organisations.OfSiretAsync(siret, CancellationToken.None);

    private sealed class Directory : OrganisationService.OrganisationServiceClient
    {
        public Dictionary<string, Guid> Known { get; } = [];

        public bool Answers { get; set; } = true;

        public int Asked { get; private set; }

        public override AsyncUnaryCall<GetGestionnaireOfSiretResponse> GetGestionnaireOfSiretAsync(
            GetGestionnaireOfSiretRequest request, Metadata? headers = null, DateTime? deadline = null, CancellationToken cancellationToken = default)
        {
            Asked++;
            var answer = Answers
                ? Task.FromResult(new GetGestionnaireOfSiretResponse { GestionnaireId = Known.TryGetValue(request.Siret, out var id) ? id.ToString() : "" })
                : Task.FromException<GetGestionnaireOfSiretResponse>(new RpcException(new Status(StatusCode.Unavailable, "")));
            return new AsyncUnaryCall<GetGestionnaireOfSiretResponse>(answer, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }
    }
}
