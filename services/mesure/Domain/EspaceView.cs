using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>What this service knows of an espace: a projection of the directory's events, so that a transmission works while the directory is away.</summary>
[Holds(DataCategory.Organisation, Processing.Mesures, Kept.WithOrganisation)]
internal sealed class EspaceView
{
    public required Guid Id { get; init; }

    public required Guid GestionnaireId { get; set; }

    /// <summary>State of the espace, such as "OUVERT".</summary>
    public required string State { get; set; }

    /// <summary>Periods in which it may be designated.</summary>
    public required IReadOnlyList<ApprovedPeriod> AgrementPeriods { get; set; }

    /// <summary>Lieux that not every one of its agréments covers; all others share its periods.</summary>
    public IReadOnlyList<ApprovedLieu> LieuAgrements { get; set; } = [];

    /// <summary>All its lieux; null where it was told before this was kept.</summary>
    public Guid[]? LieuIds { get; set; }

    /// <summary>IANA zone.</summary>
    public required string TimeZone { get; set; }

    /// <summary>Families at the same time, of the modalités for which the espace says so.</summary>
    public IReadOnlyList<DeclaredCapacity> Capacities { get; set; } = [];

    /// <summary>How long families wait there, of the modalités for which the espace said so.</summary>
    public IReadOnlyList<KnownWait> Waits { get; set; } = [];

    /// <summary>Code of its département; null where it was told before this was kept.</summary>
    public string? Departement { get; set; }

    /// <summary>Version of the event that this comes from.</summary>
    public required long Version { get; set; }

    /// <summary>Whether it is closed for good, or receives no mesure for a time. A state that a later version of the directory adds is none of both.</summary>
    public bool Closed => State is "FERME" or "SUSPENDU";

    /// <summary>Families that it receives at the same time; null when it does not say.</summary>
    public int? CapacityOf(Modalite modalite) => Capacities.FirstOrDefault(c => c.Modalite == modalite)?.Families;

    /// <summary>Days from the transmission to the first rencontre, as it declared; null when it did not.</summary>
    public int? WaitOf(Modalite modalite) => Waits.FirstOrDefault(w => w.Modalite == modalite)?.Days;

    /// <summary>Whether an agrément is valid on a day.</summary>
    public bool ApprovedOn(DateOnly day) => AgrementPeriods.Any(p => p.Contains(day));

    /// <summary>Whether not every one of its agréments covers the lieu.</summary>
    public bool TellsApart(Guid lieuId) => LieuAgrements.Any(l => l.LieuId == lieuId);

    /// <summary>Whether an agrément that covers the lieu is valid on a day. Of a lieu that it does not tell apart, whether one is.</summary>
    public bool ApprovedOn(DateOnly day, Guid lieuId) =>
        LieuAgrements.FirstOrDefault(l => l.LieuId == lieuId) is { } lieu ? lieu.Periods.Any(p => p.Contains(day)) : ApprovedOn(day);
}

/// <summary>Families that an espace receives at the same time.</summary>
/// <param name="Modalite">Modalité.</param>
/// <param name="Families">Families, from 1.</param>
internal sealed record DeclaredCapacity(Modalite Modalite, int Families);

/// <summary>How long families wait at an espace.</summary>
/// <param name="Modalite">Modalité.</param>
/// <param name="Days">Days from the transmission to the first rencontre.</param>
internal sealed record KnownWait(Modalite Modalite, int Days);

/// <summary>A period in which an espace may be designated.</summary>
/// <param name="From">First day.</param>
/// <param name="To">Last day, included; null when it has no end.</param>
internal sealed record ApprovedPeriod(DateOnly From, DateOnly? To)
{
    public bool Contains(DateOnly day) => From <= day && (To is null || day <= To);
}

/// <summary>A lieu with the periods in which an agrément covers it.</summary>
/// <param name="LieuId">The lieu.</param>
/// <param name="Periods">The periods; none: no agrément ever did.</param>
internal sealed record ApprovedLieu(Guid LieuId, IReadOnlyList<ApprovedPeriod> Periods);
