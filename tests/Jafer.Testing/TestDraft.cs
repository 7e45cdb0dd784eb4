using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Testing;

/// <summary>Makes what a court sends to draft a mesure.</summary>
public static class TestDraft
{
    /// <summary>A whole and lawful content; nobody in it exists.</summary>
    /// <param name="espace">The espace that is designated.</param>
    /// <param name="decided">Day of the decision; 2 March 2026 when null.</param>
    /// <param name="number">Number of the case and of the family, so that no two are taken for one.</param>
    public static CreateMesureRequest Content(Guid espace, DateOnly? decided = null, int number = 1)
    {
        var request = new CreateMesureRequest
        {
            Decision = new Decision
            {
                Nature = DecisionNature.Jugement,
                RgNumber = $"26/{number:D5}",
                DecisionDate = (decided ?? new DateOnly(2026, 3, 2)).ToProto(),
                LegalBasis = LegalBasis.Article37329,
                JudgeName = "Juge fictive",
                ParentalAuthority = ParentalAuthority.Joint,
                DurationMonths = 12,
                Periodicity = new Periodicity { RencontreCount = 2, IntervalCount = 1, Unit = PeriodicityUnit.Month },
                RencontreMinutes = 120,
                Modalite = Modalite.Visite,
            },
            EspaceId = espace.ToString(),
            RequestId = TestMesure.NewId().ToString(),
        };
        request.Parties.Add(new Party { Role = PartyRole.Hote, Kind = PartyKind.Parent, GivenName = "Hote", FamilyName = $"Fictif {number}", CommuneInsee = "69123" });
        request.Parties.Add(new Party { Role = PartyRole.Visiteur, Kind = PartyKind.Parent, GivenName = "Visiteur", FamilyName = $"Fictif {number}", CommuneInsee = "69266" });
        request.Children.Add(new Child { GivenName = "Enfant", FamilyName = $"Fictif {number}", BirthDate = new DateOnly(2019, 5, 4).ToProto() });
        return request;
    }
}
