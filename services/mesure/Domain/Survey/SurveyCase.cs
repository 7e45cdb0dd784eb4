using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Mesures.Domain.Survey;

/// <summary>What the survey looks at in one mesure that an espace received. Codes, dates and numbers only. Days are those of Paris, of rencontres those of their lieu.</summary>
internal sealed record SurveyCase
{
    public required Guid MesureId { get; init; }

    public required Guid GestionnaireId { get; init; }

    /// <summary>Code of the espace's département; empty when it is not known.</summary>
    public required string Departement { get; init; }

    public required MesureNature Nature { get; init; }

    public required NonJudicialOrigin Origin { get; init; }

    public required DecisionNature DecisionNature { get; init; }

    public required LegalBasis LegalBasis { get; init; }

    public required IReadOnlyCollection<SituationParticuliere> Situations { get; init; }

    public required SituationParticuliere PrincipalSituation { get; init; }

    /// <summary>Whether it came from another espace, which the judge redesignated.</summary>
    public required bool ByTransfer { get; init; }

    /// <summary>Day on which the espace received it.</summary>
    public required DateOnly ReceivedOn { get; init; }

    /// <summary>Day of the first contact with either party; an interview that took place is one.</summary>
    public DateOnly? ContactedOn { get; init; }

    /// <summary>Day on which a rencontre was first scheduled.</summary>
    public DateOnly? ScheduledOn { get; init; }

    /// <summary>Day for which the first one was planned.</summary>
    public DateOnly? PlannedOn { get; init; }

    /// <summary>Day of the first rencontre held.</summary>
    public DateOnly? HeldOn { get; init; }

    /// <summary>Day of the closing; null while open.</summary>
    public DateOnly? ClosedOn { get; init; }

    public ClosureReason ClosureReason { get; init; }

    /// <summary>Whether a rencontre was ever scheduled.</summary>
    public bool EverScheduled { get; init; }

    /// <summary>Rencontres by the year of their day and what became of them.</summary>
    public IReadOnlyCollection<(int Year, RencontreOutcome Outcome, int Count)> Rencontres { get; init; } = [];

    /// <summary>Children who came to a rencontre that was held, each once a year, with their age as it is known.</summary>
    public IReadOnlyCollection<(int Year, int? Age)> Children { get; init; } = [];
}
