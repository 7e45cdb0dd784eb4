namespace Jafer.Directory.Search;

/// <summary>Reads communes and espaces while the service starts, so that the first caller does not wait for it.</summary>
internal sealed class SnapshotWarmUp(SnapshotSource snapshots, ILogger<SnapshotWarmUp> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await snapshots.GetAsync(stoppingToken);

            // Reading 35,000 communes leaves as much garbage again, which no later work would make the collector give back.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
#pragma warning disable CA1031 // The first call meets the same fault and reports it to whoever can act.
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            logger.LogWarning("the directory could not be read ahead ({Fault})", e.GetType().Name);
        }
    }
}
