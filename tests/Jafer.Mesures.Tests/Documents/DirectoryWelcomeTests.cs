using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Mesures.Documents;
using Xunit;

namespace Jafer.Mesures.Tests.Documents;

/// <summary>What a notice takes from the directory.</summary>
public sealed class DirectoryWelcomeTests
{
    private static readonly Espace s_espace = new()
    {
        Name = "Le Pont",
        GestionnaireId = Samples.Lieu.ToString(),
        Lieux = { new Lieu { LieuId = Samples.Lieu.ToString(), Name = "Maison", AddressLine = "12 rue des Tilleuls", CommuneName = "Villeurbanne", WheelchairAccessible = true } },
        Accueil = new Accueil { PremierContact = PremierContact.Espace, ContactDeadlineDays = 15, Documents = { DocumentDemande.Sante } },
    };

    [Fact]
    public async Task OfAsync_AnEspace_IsToldWithTheTelephoneOfWhoFollowsMesuresAlone()
    {
        var welcome = await AskAsync(new Answering(s_espace, [
            new Contact { Role = ContactRole.Direction, Phone = "01 00 00 00 00", Name = "Directrice" },
            new Contact { Role = ContactRole.Suivi, Name = "Sans numéro" },
            new Contact { Role = ContactRole.Suivi, Phone = "04 78 00 00 00", Name = "Accueil", Email = "accueil@exemple.fr" },
        ]));

        Assert.Equal(("Le Pont", "04 78 00 00 00", true, 15), (welcome!.Name, welcome.Phone, welcome.CallsFirst, welcome.ContactDeadlineDays));
        Assert.Equal("12 rue des Tilleuls", Assert.Single(welcome.Places).AddressLine);
        Assert.DoesNotContain("exemple.fr", welcome.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OfAsync_NoAnswerOfTheContacts_IsWithoutTelephone() => Assert.Equal("", (await AskAsync(new Answering(s_espace, null)))!.Phone);

    [Theory]
    [InlineData(StatusCode.NotFound)]
    [InlineData(StatusCode.Unavailable)]
    [InlineData(StatusCode.DeadlineExceeded)]
    public async Task OfAsync_NoEspace_IsNull(StatusCode status) => Assert.Null(await AskAsync(new Answering(null, [], status)));

    private static Task<EspaceWelcome?> AskAsync(Answering directory) => new DirectoryWelcome(TimeProvider.System, directory).OfAsync(Samples.Lieu, TestContext.Current.CancellationToken);

    private sealed class Answering(Espace? espace, IEnumerable<Contact>? contacts, StatusCode status = StatusCode.Unavailable) : DirectoryService.DirectoryServiceClient
    {
        public override AsyncUnaryCall<GetEspaceResponse> GetEspaceAsync(GetEspaceRequest request, CallOptions options) =>
            Answer(espace is null ? null : new GetEspaceResponse { Espace = espace });

        public override AsyncUnaryCall<ListContactsResponse> ListContactsAsync(ListContactsRequest request, CallOptions options)
        {
            Assert.Equal(s_espace.GestionnaireId, request.OrganisationId);
            return Answer(contacts is null ? null : new ListContactsResponse { Contacts = { contacts } });
        }

        private AsyncUnaryCall<T> Answer<T>(T? answer)
            where T : class =>
#pragma warning disable RS0030 // What a client catches.
            new(answer is null ? Task.FromException<T>(new RpcException(new Status(status, ""))) : Task.FromResult(answer), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
#pragma warning restore RS0030
    }
}
