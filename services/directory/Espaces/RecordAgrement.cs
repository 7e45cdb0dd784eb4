using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Search;
using Jafer.Directory.Upkeep;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Espaces;

/// <summary>
/// Records what a préfet decided of the agrément of an espace, for the préfecture itself or for an operator in its stead. Once a
/// préfecture has done it, what the préfet decided is changed in no other way.
/// </summary>
internal sealed class RecordAgrement(
    DirectoryDbContext db, Commands<DirectoryDbContext> commands, SnapshotSource snapshots, UpkeepSignal upkeep, TimeProvider clock)
{
    public async Task<RecordAgrementResponse> HandleAsync(RecordAgrementRequest request, ServerCallContext call)
    {
        var geography = await snapshots.GeographyAsync(call.CancellationToken);
        var caller = call.Caller();
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        check.That(request.Agrement is not null, "agrement", "is required");
        var said = request.Agrement ?? new Proto.Agrement();
        if (request.Agrement is not null)
            CheckDecision(check, said);
        var etag = check.Etag(request.Etag);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        var response = await commands.RunAsync(call, request, requestId, async ct =>
        {
            await db.BeginEspaceWriteAsync(espaceId, ct);
            var row = await db.WholeEspaces.SingleOrDefaultAsync(e => e.Id == espaceId, ct);
            caller.RequireEspace(row);
            if (row is null)
                throw DomainError.NotFound($"espaces/{espaceId}");
            var held = HeldParts.Of(row, clock.TodayInParis(), request.Etag);
            var agrements = Placed(check, held, request, said);
            var lieux = row.Lieux.Select(l => l.ExternalId).ToHashSet(StringComparer.Ordinal);
            EspaceChecks.Agrements(check, "agrement", agrements, lieux, row.Departement, geography, LocalTime.LatestToday(clock), held, said);
            check.ThrowIfAny();
            if (etag is { } read && read != row.Version)
                throw DomainError.EtagMismatch(row.Version.ToEtag());

            var now = clock.GetStoredNow();
            var edit = EspaceEdit.Begin(row, EspaceEdit.AllGroups);
            EspaceParts.Apply(row, agrements);
            if (caller.Role == Roles.Prefecture)
                row.PrefectureId = caller.OrganisationId;
            edit.Conclude(db, Speaker.Of(caller), now, confirms: key => key.Group == EspaceGroup.Agrement);
            return new RecordAgrementResponse { Espace = row.ToProto(geography, clock.TodayInParis()) };
        }, _ => $"espaces/{espaceId}");
        upkeep.Notify();
        return response;
    }

    private void CheckDecision(FieldChecks check, Proto.Agrement said)
    {
        var decided = said.State is AgrementState.Accorde or AgrementState.Refuse or AgrementState.Retire or AgrementState.Suspendu;
        check.That(!decided || said.DecisionDate is not null, "agrement.decision_date", "is required: the day on which the préfet decided");
        check.That(
            !(check.OptionalDate("agrement.decision_date", said.DecisionDate) > LocalTime.LatestToday(clock)), "agrement.decision_date", "must not lie in the future");
        check.That(said.State != AgrementState.Accorde || !string.IsNullOrWhiteSpace(said.Number), "agrement.number", "is required in this state");
    }

    // In the place of the one that it replaces, or beside those that are held.
    private static List<Proto.Agrement> Placed(FieldChecks check, HeldParts held, RecordAgrementRequest request, Proto.Agrement said)
    {
        List<Proto.Agrement> agrements = [.. held.Agrements];
        if (request.ReplacedAgrement is not { } replaced)
            return [.. agrements, said];
        var at = held.Find([replaced])[0] is { } known ? agrements.FindIndex(a => ReferenceEquals(a, known)) : -1;
        check.That(at >= 0, "replaced_agrement", "is none of the espace's agréments as they were read");
        return at < 0 ? [.. agrements, said] : [.. agrements[..at], said, .. agrements[(at + 1)..]];
    }
}
