using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Espaces;

/// <summary>Records the wait that an espace declares for a modalité.</summary>
internal sealed class DeclareWait(DirectoryDbContext db, Commands<DirectoryDbContext> commands, TimeProvider clock)
{
    public Task<DeclareWaitResponse> HandleAsync(DeclareWaitRequest request, ServerCallContext call)
    {
        var today = clock.TodayInParis();
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var modalite = check.Known("modalite", request.Modalite);
        var days = check.Range("days", request.Days, 0, Wait.MaxDays);
        var asOf = check.OptionalDate("as_of_date", request.AsOfDate) ?? today;
        check.That(asOf <= LocalTime.LatestToday(clock), "as_of_date", "must not lie in the future");
        if (request.HasFreePlaces)
            check.Range("free_places", request.FreePlaces, 0, DeclaredPlaces.Most);
        var etag = check.Etag(request.Etag);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(call, request, requestId, async ct =>
        {
            var caller = call.Caller();
            await db.BeginEspaceWriteAsync(espaceId, ct);
            var espace = await db.Espaces.Include(e => e.Modalites).Include(e => e.Groups).AsSplitQuery().SingleOrDefaultAsync(e => e.Id == espaceId, ct);
            caller.RequireEspace(espace);
            if (espace is null)
                throw DomainError.NotFound($"espaces/{espaceId}");
            if (etag is { } read && read != espace.Version)
                throw DomainError.EtagMismatch(espace.Version.ToEtag());
            var offered = espace.Modalites.SingleOrDefault(m => m.Modalite == modalite);
            if (offered is not { IsOffered: true })
                throw DomainError.StateForbids(ModaliteState.Fermee.ToCode(), "DECLARE_WAIT", "the espace does not offer this modalité");

            var now = clock.GetStoredNow();
            var speaker = Speaker.Of(caller);
            var edit = EspaceEdit.Begin(espace, EspaceGroup.Attente);
            var held = offered.Declare(new Wait(days, asOf), speaker.Source);
            // As with the wait, what is dated before what is held replaces nothing.
            if (request.HasFreePlaces && !(asOf < offered.Places?.AsOf))
                offered.Places = new(request.FreePlaces, asOf);
            edit.Conclude(db, speaker, now, confirms: key => held && key.Key == modalite.ToCode());
            WaitDeclarations.Record(db, espace, modalite, new Wait(days, asOf), speaker, now);
            return new DeclareWaitResponse
            {
                DeclaredWait = offered.Wait.ToProto(offered.WaitSource ?? speaker.Source, today),
                Etag = espace.Version.ToEtag(),
            };
        }, _ => $"espaces/{espaceId}");
    }
}

/// <summary>The history of declared waits, and what others are told of each.</summary>
internal static class WaitDeclarations
{
    /// <summary>Records a declaration, also one that does not replace what is held. Called once the espace has its new version.</summary>
    public static void Record(DirectoryDbContext db, EspaceRow espace, Modalite modalite, Wait wait, Speaker speaker, DateTimeOffset now)
    {
        db.WaitDeclarations.Add(new WaitDeclarationRow
        {
            EspaceId = espace.Id,
            Modalite = modalite,
            Days = wait.Days,
            AsOf = wait.AsOf,
            Source = speaker.Source,
            RecordedAt = now,
        });
        db.Publish(new WaitDeclared
        {
            EventId = Guid.CreateVersion7(now),
            AggregateId = espace.Id,
            AggregateVersion = espace.Version,
            OccurredAt = now,
            RecordedAt = now,
            CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
            GestionnaireId = espace.GestionnaireId,
            Modalite = modalite.ToCode(),
            Days = wait.Days,
            AsOfDate = wait.AsOf,
        });
    }
}
