using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>What an espace asked of its gestionnaire: more sessions for those who wait. Figures and codes, nobody's data.</summary>
[Holds(DataCategory.Organisation, Processing.Mesures, Kept.WithOrganisation)]
internal sealed class SessionRequest
{
    public required Guid Id { get; init; }

    public required Guid EspaceId { get; init; }

    /// <summary>The gestionnaire of the espace when it was asked.</summary>
    public required Guid GestionnaireId { get; init; }

    public required Modalite Modalite { get; init; }

    public required int SessionsPerWeek { get; init; }

    /// <summary>Last day for which they are wanted.</summary>
    public required DateOnly WantedUntil { get; init; }

    public required DateTimeOffset RequestedAt { get; init; }

    public ExtraSessionState State { get; private set; } = ExtraSessionState.Asked;

    public DateTimeOffset? AnsweredAt { get; private set; }

    /// <summary>1 when asked, 2 when answered.</summary>
    public long Version { get; private set; } = 1;

    /// <summary>The gestionnaire answers, once.</summary>
    public void Answer(ExtraSessionState answer, DateTimeOffset now)
    {
        if (State != ExtraSessionState.Asked)
        {
            throw DomainError.StateForbids(State.ToCode(), "ANSWER_EXTRA_SESSIONS");
        }

        (State, AnsweredAt, Version) = (answer, now, Version + 1);
    }
}
