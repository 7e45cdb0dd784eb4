using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;

namespace Jafer.Directory.Tests.Data;

public class ModaliteRowTests
{
    [Theory]
    [InlineData(ModaliteState.Ouverte, false)]
    [InlineData(ModaliteState.ListeAttente, false)]
    [InlineData(ModaliteState.Fermee, true)]
    public void State_OfAFullModaliteChanged_KeepsTheDayOfReopeningOnlyWhileItIsClosed(ModaliteState state, bool kept)
    {
        var row = new ModaliteRow
        {
            EspaceId = Guid.Empty,
            Modalite = Modalite.Visite,
            State = ModaliteState.Complete,
            CapacityFamilies = 1,
            SlotsPerWeek = 1,
            MinAge = 0,
            MaxAge = 17,
            AcceptedSituations = [],
            ProtectionOrderAccepted = false,
            ReopeningDate = new(2027, 1, 4),
        };

        row.State = state;

        Assert.Equal(kept, row.ReopeningDate is not null);
    }
}
