namespace Jafer.Directory.Search;

/// <summary>Reads communes and espaces while the service starts, so that the first caller does not wait for it.</summary>
internal sealed class SnapshotWarmUp(SnapshotSource snapshots, ILogger<SnapshotWarmUp> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await snapshots.GetAsync(stoppingToken);
        }
#pragma warning disable CA1031 // The first call meets the same fault and reports it to whoever can act.
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            logger.LogWarning("the directory could not be read ahead ({Fault})", e.GetType().Name);
        }
    }
}
