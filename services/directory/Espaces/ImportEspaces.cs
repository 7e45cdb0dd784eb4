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

namespace Jafer.Directory.Espaces;

/// <summary>Creates or replaces espaces by the external id of their source.</summary>
internal sealed class ImportEspaces(
    DirectoryDbContext db, Commands<DirectoryDbContext> commands, SnapshotSource snapshots, UpkeepSignal upkeep, TimeProvider clock)
{
    public async Task<ImportEspacesResponse> HandleAsync(ImportEspacesRequest request, ServerCallContext call)
    {
        var geography = await snapshots.GeographyAsync(call.CancellationToken);
        var today = LocalTime.LatestToday(clock);
        var importer = new EspaceImporter(db, request.Source, geography, Speaker.Importing(call.Caller()), clock.GetStoredNow());
        var check = new FieldChecks();
        var requestId = ImportChecks.Check(check, request, geography, today, _ => HeldParts.None);
        if (!check.Passed)
        {
            // Once more beside what is held: that may stay as it is.
            var held = await HeldParts.LoadAsync(
                db, [.. request.Espaces.Take(ImportChecks.MaxEspaces)], importer.IdOf, clock.TodayInParis(), call.CancellationToken);
            check = new FieldChecks();
            ImportChecks.Check(check, request, geography, today, e => held.GetValueOrDefault(importer.IdOf(e), HeldParts.None));
            check.ThrowIfAny();
        }
        var response = await commands.RunAsync(call, request, requestId, async ct =>
        {
            await importer.BeginAsync(request.Espaces, ct);
            var taken = await importer.WithSiretOfAnotherAsync(request.Espaces, ct);
            foreach (var (i, espace) in request.Espaces.Index())
                check.That(!taken.Contains(importer.IdOf(espace.Gestionnaire)), $"espaces[{i}].gestionnaire.siret", "is that of another gestionnaire");
            check.ThrowIfAny();
            var counts = await importer.ApplyAsync(request.Espaces, ct);
            if (importer.Outdated.Count > 0)
                throw DomainError.EtagMismatch();
            await importer.SaveAsync(ct);
            await db.EndImportAsync(ct);
            return counts;
        }, _ => $"imports/{request.Source}");
        upkeep.Notify();
        return response;
    }
}
