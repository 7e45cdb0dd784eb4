using Jafer.Mesures.Domain;
using Xunit;

namespace Jafer.Mesures.Tests.Domain;

public sealed class SlotClaimTests
{
    private static readonly DateTimeOffset s_day = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void CompareTo_OfThoseWhoWait_PutsTheFirstRencontreThenTheLongestWaitFirst()
    {
        var (low, high) = (new Guid(1, 0, 0, new byte[8]), new Guid(2, 0, 0, new byte[8]));
        SlotClaim[] inOrder =
        [
            new(true, s_day, low), new(true, s_day, high), new(true, s_day.AddDays(1), low),
            new(false, s_day.AddDays(-9), high), new(false, s_day, low),
        ];

        Assert.Equal(inOrder, inOrder.Reverse().Order());
        Assert.True(inOrder[0] < inOrder[1] && inOrder[3] > inOrder[2] && inOrder[0] <= inOrder[0] && inOrder[0] >= inOrder[0]);
    }
}
