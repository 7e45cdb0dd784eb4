using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Clients;

namespace Jafer.Mesures.Documents;

/// <summary>
/// Asks the directory for what a parent must know of an espace. The telephone number is that of the gestionnaire's contact who
/// follows mesures: the only one that the directory keeps; no name and no mail address of staff is taken.
/// </summary>
internal sealed class DirectoryWelcome(TimeProvider clock, DirectoryService.DirectoryServiceClient directory)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>What is known; null when the directory does not answer or does not know the espace.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<EspaceWelcome?> OfAsync(Guid espaceId, CancellationToken ct)
    {
        var deadline = (clock.GetUtcNow() + s_patience).UtcDateTime;
        try
        {
            var espace = (await directory.GetEspaceAsync(new GetEspaceRequest { EspaceId = espaceId.ToString() }, deadline: deadline, cancellationToken: ct).OrNoAnswerAsync(ct))?.Espace;
            if (espace is null)
            {
                return null;
            }

            var contacts = await directory.ListContactsAsync(
                new ListContactsRequest { OrganisationId = espace.GestionnaireId, PageSize = 50 }, deadline: deadline, cancellationToken: ct).OrNoAnswerAsync(ct);
            var phone = contacts?.Contacts.FirstOrDefault(c => c.Role == ContactRole.Suivi && c.Phone.Length > 0)?.Phone;
            return ToWelcome(espace, phone ?? "");
        }
#pragma warning disable RS0030 // A client's catch.
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
#pragma warning restore RS0030
        {
            return null;
        }
    }

    private static EspaceWelcome ToWelcome(Espace espace, string phone)
    {
        var accueil = espace.Accueil ?? new Accueil();
        return new EspaceWelcome(
            espace.Name,
            espace.Fictive,
            [.. espace.Lieux.Select(ToPlace)],
            phone,
            accueil.PremierContact == PremierContact.Espace,
            accueil.ContactDeadlineDays,
            [.. accueil.Documents],
            accueil.ParticipationFeeCents);
    }

    private static WelcomePlace ToPlace(Lieu lieu) => new(
        Guid.TryParseExact(lieu.LieuId, "D", out var id) ? id : Guid.Empty,
        lieu.Name,
        lieu.AddressLine,
        lieu.CommuneName,
        [.. lieu.Dessertes.Select(d => new WelcomeStop(d.Mode, d.Line, d.Stop, d.WalkMinutes))],
        lieu.WheelchairAccessible,
        lieu.CarPark);
}
