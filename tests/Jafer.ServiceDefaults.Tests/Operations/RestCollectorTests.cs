using Jafer.ServiceDefaults.Operations;
using Microsoft.Extensions.Logging.Abstractions;

namespace Jafer.ServiceDefaults.Tests.Operations;

/// <summary>When a service gives memory back: at rest, after work that left something.</summary>
public sealed class RestCollectorTests : IDisposable
{
    private const long Idle = RestCollector.Resting / 8;

    private readonly RestCollector _collector = new(TimeProvider.System, NullLogger<RestCollector>.Instance);
    private long _allocated;

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void IsDue_Working_WaitsForRest()
    {
        Assert.False(After(RestCollector.Worth));
        Assert.False(After(RestCollector.Resting));

        Assert.True(After(Idle));
    }

    [Fact]
    public void IsDue_Collected_WaitsForMoreToCollect()
    {
        After(RestCollector.Worth);
        Assert.True(After(Idle));

        Assert.False(After(Idle));
        Assert.False(After(Idle));
    }

    [Fact]
    public void IsDue_LittleForLong_CollectsOnceItIsWorthIt()
    {
        var intervals = 1;
        while (!After(Idle))
        {
            intervals++;
        }

        Assert.Equal(RestCollector.Worth / Idle, intervals);
    }

    private bool After(long allocated) => _collector.IsDue(_allocated += allocated);
}
