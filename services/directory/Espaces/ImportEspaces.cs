using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Search;
using Jafer.Directory.Upkeep;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Espaces;

/// <summary>Creates or replaces espaces by the external id of their source.</summary>
internal sealed class ImportEspaces(
    DirectoryDbContext db, Commands<DirectoryDbContext> commands, SnapshotSource snapshots, UpkeepSignal upkeep, TimeProvider clock)
{
    public async Task<ImportEspacesResponse> HandleAsync(ImportEspacesRequest request, ServerCallContext call)
    {
        var geography = await snapshots.GeographyAsync(call.CancellationToken);
        var requestId = ImportChecks.Check(request, geography, LocalTime.LatestToday(clock));
        var response = await commands.RunAsync(call, request, requestId, async ct =>
        {
            await db.BeginEspaceWriteAsync(ct);
            return await new EspaceImporter(db, request.Source, geography, Speaker.Importing(call.Caller()), clock.GetStoredNow()).ApplyAsync(request.Espaces, ct);
        }, _ => $"imports/{request.Source}");
        upkeep.AgrementsMayHaveChanged();
        return response;
    }
}
