using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Espaces;

/// <summary>Says that what is held of an espace is still true.</summary>
internal sealed class ConfirmEspace(DirectoryDbContext db, Commands<DirectoryDbContext> commands, SnapshotSource snapshots, TimeProvider clock)
{
    public async Task<ConfirmEspaceResponse> HandleAsync(ConfirmEspaceRequest request, ServerCallContext call)
    {
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        check.That(request.Groups.Count <= 20, "groups", "must have at most 20 entries");
        foreach (var (i, group) in request.Groups.Take(20).Index())
        {
            check.Known($"groups[{i}]", group);
            check.That(group != EspaceGroup.Attente, $"groups[{i}]", "a declared wait is not confirmed: declare it anew with its day");
        }
        check.That(request.Modalites.Count <= 50, "modalites", "must have at most 50 entries");
        foreach (var (i, modalite) in request.Modalites.Take(50).Index())
            check.Known($"modalites[{i}]", modalite);
        check.That(
            request.Modalites.Count == 0 || request.Groups.Contains(EspaceGroup.Modalite), "modalites", "must be empty unless groups names MODALITE");
        var etag = check.Etag(request.Etag);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        var geography = await snapshots.GeographyAsync(call.CancellationToken);
        return await commands.RunAsync(call, request, requestId, async ct =>
        {
            var caller = call.Caller();
            await db.BeginEspaceWriteAsync(espaceId, ct);
            var espace = await db.WholeEspaces.SingleOrDefaultAsync(e => e.Id == espaceId, ct);
            caller.RequireEspace(espace);
            if (espace is null)
                throw DomainError.NotFound($"espaces/{espaceId}");
            if (etag is { } read && read != espace.Version)
                throw DomainError.EtagMismatch(espace.Version.ToEtag());
            foreach (var (i, modalite) in request.Modalites.Index())
                check.That(espace.Modalites.Exists(m => m.Modalite == modalite), $"modalites[{i}]", "is not offered by the espace");
            check.ThrowIfAny();

            var edit = EspaceEdit.Begin(espace, EspaceEdit.AllGroups);
            edit.Conclude(db, Speaker.Of(caller), clock.GetStoredNow(), confirms: key =>
                key.Group != EspaceGroup.Attente
                && (request.Groups.Count == 0 || request.Groups.Contains(key.Group))
                && (key.Group != EspaceGroup.Modalite || request.Modalites.Count == 0 || request.Modalites.Any(m => m.ToCode() == key.Key)));
            var now = espace.ToProto(geography, clock.TodayInParis());
            return new ConfirmEspaceResponse { Provenances = { now.Provenances }, Etag = now.Etag };
        }, _ => $"espaces/{espaceId}");
    }
}
