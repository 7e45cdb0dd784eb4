using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Xunit;
using IntakeItem = Jafer.Mesures.Domain.IntakeItem;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>In which order items of one mesure and source are taken.</summary>
public sealed class IntakeSequenceTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly HoldLimits s_limits = new(TimeSpan.FromHours(1), 1000);

    [Fact]
    public void TakeDue_AnyOrderAndSplitting_TakesEachOnceFromTheFirstOn() => Prop.ForAll(
        Gen.Choose(1, 60).ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (count, seed) =>
        {
            var random = new Random(seed);
            var told = Enumerable.Range(1, count).SelectMany(n => Enumerable.Repeat((long)n, random.Next(1, 4))).ToArray();
            random.Shuffle(told);
            var sequence = Sequence();
            var taken = new List<long>();
            foreach (var number in told)
            {
                if (!sequence.HasPassed(number) && sequence.At(number) is null)
                {
                    sequence.Add(Held(number));
                }

                if (random.Next(3) == 0)
                {
                    taken.AddRange(Due(sequence));
                }
            }

            taken.AddRange(Due(sequence));
            return taken.SequenceEqual(Enumerable.Range(1, count).Select(n => (long)n)) && sequence.NextSequence == count + 1;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void TakeDue_GapWithinTheLimits_Waits()
    {
        var sequence = Sequence(Held(1), Held(3));

        Assert.Equal([1], Due(sequence));
        Assert.Equal(2, sequence.NextSequence);
        Assert.Empty(Due(sequence, s_now.AddHours(1).AddTicks(-1)));
    }

    [Fact]
    public void TakeDue_HeldForTooLong_PassesTheGapAndTellsHowWideItIs()
    {
        var late = Held(9, s_now.AddMinutes(30));
        var sequence = Sequence(Held(3), Held(4), late);

        var taken = new List<IntakeItem>();
        while (sequence.TakeDue(s_now.AddHours(1), s_limits) is { } item)
        {
            taken.Add(item);
        }

        Assert.Equal([(3, 2), (4, 0)], taken.Select(i => (i.Sequence, i.GapBefore)));
        Assert.True(sequence.HasPassed(2));
        Assert.Equal([late], sequence.Ahead);
    }

    [Fact]
    public void TakeDue_TooManyHeld_PassesTheGap()
    {
        var sequence = Sequence(Held(3), Held(4), Held(6));

        Assert.Empty(Due(sequence, s_now, new HoldLimits(TimeSpan.FromHours(1), 3)));
        Assert.Equal([3, 4], Due(sequence, s_now, new HoldLimits(TimeSpan.FromHours(1), 2)));
    }

    [Fact]
    public void TakeDue_DecidedOutOfTurn_IsPassedOverAndIsNoGap()
    {
        var refused = Held(2);
        refused.Decide(IntakeResult.Refused, s_now);
        var sequence = Sequence(Held(1), refused, Held(3));

        Assert.Equal([1, 3], Due(sequence));
    }

    private static List<long> Due(IntakeSequence sequence, DateTimeOffset? now = null, HoldLimits? limits = null)
    {
        var taken = new List<long>();
        while (sequence.TakeDue(now ?? s_now, limits ?? s_limits) is { } item)
        {
            taken.Add(item.Sequence);
        }

        return taken;
    }

    private static IntakeSequence Sequence(params IntakeItem[] items)
    {
        var sequence = new IntakeSequence { MesureId = Guid.Empty, SourceSystem = "planning" };
        foreach (var item in items)
        {
            sequence.Add(item);
        }

        return sequence;
    }

    private static IntakeItem Held(long number, DateTimeOffset? receivedAt = null) => new()
    {
        GestionnaireId = Guid.Empty,
        SourceSystem = "planning",
        ExternalId = $"{number}",
        Sequence = number,
        MesureId = Guid.Empty,
        Act = MesureAct.ContactAttempted,
        OccurredAt = s_now,
        ReceivedAt = receivedAt ?? s_now,
        Subject = "test",
        RequestId = Guid.Empty,
        ContentHash = Guid.Empty,
        Result = IntakeResult.Held,
    };
}
