using Jafer.Contracts.Events;

namespace Jafer.Testing;

/// <summary>Makes events of an espace as the directory would publish them.</summary>
public static class TestEspace
{
    /// <summary>A group that nobody confirmed in time.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="gestionnaireId">Its gestionnaire.</param>
    /// <param name="group">Code of the group.</param>
    /// <param name="key">Code of the modalité; null for the other groups.</param>
    public static EspaceGroupStale GroupStale(Guid espaceId, Guid gestionnaireId, string group, string? key = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new()
        {
            EventId = TestMesure.NewId(),
            AggregateId = espaceId,
            AggregateVersion = 3,
            OccurredAt = now,
            RecordedAt = now,
            GestionnaireId = gestionnaireId,
            Group = group,
            Key = key,
            Since = new DateOnly(2026, 11, 2),
        };
    }

    /// <summary>No agrément is valid any more.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="gestionnaireId">Its gestionnaire.</param>
    /// <param name="lastDay">Last day of the agrément; some day when null.</param>
    public static AgrementEnded AgrementEnded(Guid espaceId, Guid gestionnaireId, DateOnly? lastDay = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new()
        {
            EventId = TestMesure.NewId(),
            AggregateId = espaceId,
            AggregateVersion = 3,
            OccurredAt = now,
            RecordedAt = now,
            GestionnaireId = gestionnaireId,
            LastDay = lastDay ?? new DateOnly(2026, 11, 1),
            Withdrawn = true,
        };
    }
}
