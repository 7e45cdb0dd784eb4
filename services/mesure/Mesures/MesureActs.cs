using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Mesures;

/// <summary>What every act on a mesure carries.</summary>
/// <param name="MesureId">The mesure.</param>
/// <param name="Etag">Etag that the caller read.</param>
/// <param name="RequestId">Request id.</param>
/// <param name="OccurredTime">Business time.</param>
/// <param name="ForEspace">Whether others than the espace may do it on its behalf, and what they said; null when nobody may.</param>
internal readonly record struct ActHeader(string MesureId, string Etag, string RequestId, Timestamp? OccurredTime = null, OnBehalf? ForEspace = null)
{
    /// <summary>Whether the business time may not lie ahead at all: what went on paper has gone.</summary>
    public bool HasGone { get; init; }
}

/// <summary>What a request says of whoever acts on behalf of an espace that is not connected.</summary>
/// <param name="Claimed">Whether the caller says that they do.</param>
/// <param name="Source">How the espace told it.</param>
internal readonly record struct OnBehalf(bool Claimed, OnBehalfSource Source)
{
    /// <summary>How the espace told it; null when the caller acts for itself.</summary>
    /// <exception cref="DomainError">The access table lets them do it only on behalf of the espace, and they do not say that they do.</exception>
    public OnBehalfSource? By(Caller caller, FieldChecks check)
    {
        if (caller.Role == Roles.Espace || !(Claimed || caller.Cell.OnlyForEspace))
        {
            check.That(!Claimed, "on_behalf_of_espace", "is for others than the espace");
            check.That(Source == OnBehalfSource.Unspecified, "on_behalf_source", "belongs to on_behalf_of_espace alone");
            return null;
        }

        return Claimed ? check.Known("on_behalf_source", Source) : throw DomainError.Forbidden();
    }
}

/// <summary>
/// The way of every act on an existing mesure: validate, load, admit the caller, compare the etag, decide, publish, save. The
/// caller is admitted before anything is said about the mesure.
/// </summary>
internal sealed class MesureActs(MesuresDbContext db, Commands<MesuresDbContext> commands, TimeProvider clock)
{
    /// <summary>Runs an act.</summary>
    /// <param name="call">The call.</param>
    /// <param name="request">The whole request.</param>
    /// <param name="header">What every act carries.</param>
    /// <param name="check">Checks to which the act has already added its own.</param>
    /// <param name="act">Decides; may load what it needs.</param>
    /// <remarks>An act of the espace is refused to others unless they say that they act on its behalf.</remarks>
    public Task<TResponse> RunAsync<TResponse>(
        ServerCallContext call, IMessage request, ActHeader header, FieldChecks check, Func<Mesure, Acting, CancellationToken, Task<TResponse>> act)
        where TResponse : class, IMessage<TResponse>, new()
    {
        var caller = call.Caller();
        var now = clock.GetStoredNow();
        var source = header.ForEspace?.By(caller, check);
        var mesureId = check.Uuid("mesure_id", header.MesureId);
        var etag = check.Etag(header.Etag);
        var requestId = check.RequestId(header.RequestId);
        var occurredAt = check.BusinessTime("occurred_time", header.OccurredTime, now, header.HasGone ? 0 : 1);
        check.ThrowIfAny();
        return etag is null ? InTurnAsync(RunOnceAsync) : RunOnceAsync();

        Task<TResponse> RunOnceAsync() => commands.RunAsync(call, request, requestId, async ct =>
        {
            var mesure = await LoadAsync(mesureId, caller, ct);
            mesure.RequireContent();
            if (etag is not null && etag != mesure.Version)
            {
                throw DomainError.EtagMismatch(mesure.Version.ToEtag());
            }

            var response = await act(mesure, new Acting(caller.OrganisationId, caller.Subject, occurredAt, now, source), ct);
            Publish(mesure);
            return response;
        }, _ => $"mesures/{mesureId}");
    }

    /// <summary>
    /// Runs an act of somebody to whom the version does not matter: one that met another writer, such as a proof of delivery that
    /// came meanwhile, is tried on what that one left.
    /// </summary>
    public static async Task<TResponse> InTurnAsync<TResponse>(Func<Task<TResponse>> run)
    {
        for (var left = 2; ; left--)
        {
            try
            {
                return await run();
            }
            catch (DomainError e) when (left > 0 && e.Reason == ErrorReason.EtagMismatch)
            {
            }
        }
    }

    /// <summary>
    /// The mesure, if the caller holds it: for all others the same refusal, whether it exists or not. An operator comes this far
    /// only by the rpcs that the access table grants them, and in a territory by what lies there: for an act on behalf of an espace that
    /// espace, for others its court too.
    /// </summary>
    public async Task<Mesure> LoadAsync(Guid mesureId, Caller caller, CancellationToken ct)
    {
        var mesure = await db.MesureAsync(mesureId, ct) ?? throw DomainError.Forbidden();
        if (caller.Role == Roles.Juridiction)
        {
            caller.Require(mesure.JuridictionId);
        }
        else if (!caller.HasInTerritory(mesure.EspaceId, caller.Cell.OnlyForEspace ? null : mesure.JuridictionId) && !await IsSubsidiaryAsync(mesure, caller, ct))
        {
            caller.Require(mesure.GestionnaireId, RelationOfGestionnaire(mesure));
        }

        return mesure;
    }

    /// <summary>What the gestionnaire of its espace is to a mesure.</summary>
    public static Relations RelationOfGestionnaire(Mesure mesure) =>
        mesure.Nature == MesureNature.NonJudiciaire ? Relations.NonJudicialHolder
        : mesure.ClosureReason == ClosureReason.Transfert ? Relations.FormerHolder
        : Relations.Holder;

    private async Task<bool> IsSubsidiaryAsync(Mesure mesure, Caller caller, CancellationToken ct) =>
        caller.Cell.Admits(Relations.Subsidiary) && mesure.Decision.SubsidiaryEspaceId is { } espaceId
        && (await db.EspaceAsync(espaceId, ct))?.GestionnaireId == caller.OrganisationId;

    /// <summary>Adds the new facts of a mesure to the history and to the outbox.</summary>
    public void Publish(Mesure mesure)
    {
        foreach (var fact in mesure.NewFacts)
        {
            db.Append(fact);
            db.Publish(MesureEvents.From(mesure, fact));
        }
    }
}
