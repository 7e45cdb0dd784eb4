using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Directory.Domain;

/// <summary>What a mesure asks of an espace. No personal data. Immutable.</summary>
internal sealed record MesureNeeds
{
    /// <summary>The modalité.</summary>
    public required Modalite Modalite { get; init; }

    /// <summary>Date of the decision, on which the agrément must be valid.</summary>
    public required DateOnly Decision { get; init; }

    /// <summary>The day on which the question is asked.</summary>
    public required DateOnly Today { get; init; }

    /// <summary>Youngest child in years; null when ages do not restrict.</summary>
    public int? YoungestAge { get; init; }

    /// <summary>Oldest child in years; null when ages do not restrict.</summary>
    public int? OldestAge { get; init; }

    /// <summary>Number of children; 0 when not known.</summary>
    public int Children { get; init; }

    /// <summary>Particular situations, one bit each.</summary>
    public uint Situations { get; init; }

    /// <summary>Whether an ordonnance de protection is in force.</summary>
    public bool ProtectionOrder { get; init; }

    /// <summary>Frequency wished; null for any.</summary>
    public Frequency? Frequency { get; init; }

    /// <summary>Length of a rencontre in minutes; 0 for any.</summary>
    public int Minutes { get; init; }

    /// <summary>Duration of the mesure in months; 0 when not known.</summary>
    public int DurationMonths { get; init; }

    /// <summary>Languages without which the rencontre cannot be held, as <see cref="LanguageCodes"/> compares them, sorted, French left out.</summary>
    public string[] Languages { get; init; } = [];

    /// <summary>Needs to come and be received, one bit each.</summary>
    public uint Besoins { get; init; }

    /// <summary>Code of the court; empty when not given.</summary>
    public string Court { get; init; } = "";

    /// <summary>INSEE codes of the parents' communes, as far as given.</summary>
    public string[] Communes { get; init; } = [];

    /// <summary>Espaces that the caller leaves out.</summary>
    public IReadOnlySet<Guid> Excluded { get; init; } = System.Collections.Frozen.FrozenSet<Guid>.Empty;

    /// <summary>The day from which waiting counts: the later of today and the decision.</summary>
    public DateOnly From => Decision > Today ? Decision : Today;

    /// <summary>True when the family has this need.</summary>
    public bool Needs(BesoinAccueil besoin) => (Besoins >> (int)besoin & 1) != 0;

    /// <summary>Last day of the mesure; null when its duration is not known.</summary>
    public DateOnly? Term => DurationMonths > 0 && Decision.Year < 9990 ? Decision.AddMonths(DurationMonths).AddDays(-1) : null;
}
