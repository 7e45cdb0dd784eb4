using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Messaging;

namespace Jafer.Testing;

/// <summary>Makes events of an espace as the directory would publish them.</summary>
public static class TestEspace
{
    /// <summary>Its current state.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="gestionnaireId">Its gestionnaire.</param>
    /// <param name="version">Version of the espace.</param>
    /// <param name="departement">Code of its département.</param>
    /// <param name="timeZone">IANA name of its time zone.</param>
    public static EspacePublished Published(Guid espaceId, Guid gestionnaireId, long version = 1, string departement = "69", string timeZone = "Europe/Paris") => About<EspacePublished>(espaceId, version) with
    {
        GestionnaireId = gestionnaireId,
        Departement = departement,
        State = "OUVERT",
        AgrementPeriods = [],
        OpenModalites = ["VISITE"],
        TimeZone = timeZone,
    };

    /// <summary>An espace, or who is above, is reminded of its upkeep.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="gestionnaireId">Its gestionnaire.</param>
    /// <param name="kind">Of what.</param>
    /// <param name="rung">Who is reminded.</param>
    /// <param name="reminder">Which reminder of that rung.</param>
    public static UpkeepReminderDue UpkeepReminder(Guid espaceId, Guid gestionnaireId, string kind, string rung, int reminder = 1) => About<UpkeepReminderDue>(espaceId, 3) with
    {
        GestionnaireId = gestionnaireId,
        Kind = kind,
        DueDate = new DateOnly(2026, 11, 1),
        Rung = rung,
        Reminder = reminder,
    };

    /// <summary>A credential of an organisation ends soon.</summary>
    /// <param name="credentialId">The credential.</param>
    /// <param name="organisationId">The organisation.</param>
    /// <param name="role">Its role.</param>
    /// <param name="days">How many days ahead.</param>
    public static CredentialEnding CredentialEnding(Guid credentialId, Guid organisationId, string role, int days) => About<CredentialEnding>(credentialId, 2) with
    {
        OrganisationId = organisationId,
        Role = role,
        LastDay = new DateOnly(2026, 12, 31),
        DaysAhead = days,
    };

    /// <summary>A group that nobody confirmed in time.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="gestionnaireId">Its gestionnaire.</param>
    /// <param name="group">Code of the group.</param>
    /// <param name="key">Code of the modalité; null for the other groups.</param>
    public static EspaceGroupStale GroupStale(Guid espaceId, Guid gestionnaireId, string group, string? key = null) => About<EspaceGroupStale>(espaceId, 3) with
    {
        GestionnaireId = gestionnaireId,
        Group = group,
        Key = key,
        Since = new DateOnly(2026, 11, 2),
    };

    /// <summary>A group that had gone stale is confirmed.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="gestionnaireId">Its gestionnaire.</param>
    /// <param name="group">Code of the group.</param>
    /// <param name="key">Code of the modalité; null for the other groups.</param>
    public static EspaceGroupConfirmed GroupConfirmed(Guid espaceId, Guid gestionnaireId, string group, string? key = null) => About<EspaceGroupConfirmed>(espaceId, 4) with
    {
        GestionnaireId = gestionnaireId,
        Group = group,
        Key = key,
    };

    /// <summary>It declared its wait for a modalité.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="gestionnaireId">Its gestionnaire.</param>
    /// <param name="modalite">Code of the modalité.</param>
    public static WaitDeclared WaitDeclared(Guid espaceId, Guid gestionnaireId, string modalite) => About<WaitDeclared>(espaceId, 4) with
    {
        GestionnaireId = gestionnaireId,
        Modalite = modalite,
        Days = 40,
        AsOfDate = new DateOnly(2026, 11, 20),
    };

    /// <summary>No agrément is valid any more.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="gestionnaireId">Its gestionnaire.</param>
    /// <param name="lastDay">Last day of the agrément; some day when null.</param>
    public static AgrementEnded AgrementEnded(Guid espaceId, Guid gestionnaireId, DateOnly? lastDay = null) => About<AgrementEnded>(espaceId, 3) with
    {
        GestionnaireId = gestionnaireId,
        LastDay = lastDay ?? new DateOnly(2026, 11, 1),
        Withdrawn = true,
    };

    /// <summary>The time of a lost rencontre became free.</summary>
    /// <param name="slotId">The slot.</param>
    /// <param name="gestionnaireId">The gestionnaire of its espace.</param>
    public static SlotFreed SlotFreed(Guid slotId, Guid gestionnaireId) => About<SlotFreed>(slotId, 1) with
    {
        EspaceId = TestMesure.NewId(),
        GestionnaireId = gestionnaireId,
        StartsAt = TimeProvider.System.GetUtcNow().AddDays(3),
        DurationMinutes = 120,
        RencontreId = TestMesure.NewId(),
    };

    /// <summary>A rencontre took a free slot.</summary>
    /// <param name="freed">The slot as it became free.</param>
    public static SlotTaken SlotTaken(SlotFreed freed)
    {
        ArgumentNullException.ThrowIfNull(freed);
        return new()
        {
            EventId = TestMesure.NewId(),
            AggregateId = freed.AggregateId,
            AggregateVersion = 2,
            OccurredAt = freed.OccurredAt,
            RecordedAt = freed.RecordedAt,
            EspaceId = freed.EspaceId,
            GestionnaireId = freed.GestionnaireId,
            StartsAt = freed.StartsAt,
            MesureId = TestMesure.NewId(),
            RencontreId = TestMesure.NewId(),
        };
    }

    /// <summary>No agrément covers a lieu any more.</summary>
    /// <param name="espaceId">The espace.</param>
    /// <param name="gestionnaireId">Its gestionnaire.</param>
    /// <param name="lieuId">The lieu; some lieu when null.</param>
    /// <param name="lastDay">Last day on which it was covered; some day when null.</param>
    public static AgrementLieuEnded AgrementLieuEnded(Guid espaceId, Guid gestionnaireId, Guid? lieuId = null, DateOnly? lastDay = null) => About<AgrementLieuEnded>(espaceId, 3) with
    {
        GestionnaireId = gestionnaireId,
        LieuId = lieuId ?? TestMesure.NewId(),
        LastDay = lastDay ?? new DateOnly(2026, 11, 1),
        Withdrawn = true,
    };

    /// <summary>The reader of an organisation's feed has fallen silent.</summary>
    /// <param name="organisationId">The organisation.</param>
    public static ConsumerSilent ConsumerSilent(Guid organisationId) => About<ConsumerSilent>(TestMesure.NewId(), 1) with
    {
        OrganisationId = organisationId,
        LastDay = new DateOnly(2026, 11, 1),
    };

    /// <summary>Software of a gestionnaire has fallen silent.</summary>
    /// <param name="gestionnaireId">The gestionnaire.</param>
    public static SourceSilent SourceSilent(Guid gestionnaireId) => About<SourceSilent>(TestMesure.NewId(), 1) with
    {
        GestionnaireId = gestionnaireId,
        SourceSystem = "planning",
        LastDay = new DateOnly(2026, 11, 1),
        UsualDays = 3,
    };

    /// <summary>No run of retention was finished for too long.</summary>
    public static RetentionOverdue RetentionOverdue() => About<RetentionOverdue>(TestMesure.NewId(), 1) with
    {
        LastRunAt = new DateTimeOffset(2026, 11, 1, 1, 0, 0, TimeSpan.Zero),
    };

    /// <summary>A court asks whether there is room.</summary>
    /// <param name="enquiryId">The enquiry.</param>
    /// <param name="gestionnaireId">The gestionnaire of the espace asked.</param>
    public static CapacityEnquiryOpened EnquiryOpened(Guid enquiryId, Guid gestionnaireId) => About<CapacityEnquiryOpened>(enquiryId, 1) with
    {
        GestionnaireId = gestionnaireId,
        EspaceId = TestMesure.NewId(),
        Modalite = "VISITE",
        ExpiresAt = TimeProvider.System.GetUtcNow().AddDays(7),
    };

    /// <summary>The espace answers.</summary>
    /// <param name="enquiryId">The enquiry.</param>
    /// <param name="gestionnaireId">The gestionnaire of the espace asked.</param>
    /// <param name="requesterId">The organisation that asked.</param>
    public static CapacityEnquiryAnswered EnquiryAnswered(Guid enquiryId, Guid gestionnaireId, Guid requesterId) => About<CapacityEnquiryAnswered>(enquiryId, 2) with
    {
        GestionnaireId = gestionnaireId,
        RequesterId = requesterId,
        EspaceId = TestMesure.NewId(),
        Modalite = "VISITE",
        Answer = "HAS_CAPACITY",
    };

    // What all of them say: what happened just now to what.
    private static T About<T>(Guid aggregateId, long version)
        where T : DomainEvent
    {
        var now = TimeProvider.System.GetUtcNow();
        return (T)(EventTypes.Blank<T>() with { EventId = TestMesure.NewId(), AggregateId = aggregateId, AggregateVersion = version, OccurredAt = now, RecordedAt = now });
    }
}
