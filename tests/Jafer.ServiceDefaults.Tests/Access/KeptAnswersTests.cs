using Grpc.Core;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;

namespace Jafer.ServiceDefaults.Tests.Access;

public sealed class KeptAnswersTests
{
    private readonly TestClock _clock = new(new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero));
    private readonly KeptAnswers<string, string> _kept;
    private string? _says = "first";
    private bool _mayAsk = true;
    private int _asked;

    public KeptAnswersTests() => _kept = new(_clock, (_, _) =>
    {
        Interlocked.Increment(ref _asked);
        return Task.FromResult<string?>(_says);
    }, () => _mayAsk);

    [Fact]
    public async Task Of_ManyAtOnce_AskOnce()
    {
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => OfAsync())), answer => Assert.Equal("first", answer));
        Assert.InRange(_asked, 1, 2);
    }

    [Fact]
    public async Task Of_AnswerThatAges_IsRenewedBesideTheCallAndThenByIt()
    {
        await OfAsync();
        _says = "second";
        _clock.Advance(TimeSpan.FromSeconds(19));
        Assert.Equal(("first", 1), (await OfAsync(), _asked));

        // The call does not wait; one after it has what came.
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("first", await OfAsync());
        await Eventually.BecomesAsync(OfAsync, answer => answer == "second", "the new answer");
        _says = "third";
        _clock.Advance(TimeSpan.FromSeconds(45));
        Assert.Equal("third", await OfAsync());
    }

    [Fact]
    public async Task Of_DirectoryAway_WhatItSaidGoesOnForADay()
    {
        await OfAsync();
        _says = null;
        _clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal("first", await OfAsync());

        // Nobody waits while it is known to be away.
        var asked = _asked;
        Assert.Equal("first", await OfAsync());
        Assert.Equal(asked, _asked);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<DomainError>(OfAsync)).Code);
        _says = "back";
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("back", await OfAsync());
    }

    [Fact]
    public async Task Of_NeverAskedAndDirectoryAwayOrTooMany_IsUnavailable()
    {
        _says = null;
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<DomainError>(OfAsync)).Code);
        (_says, _mayAsk) = ("first", false);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<DomainError>(async () => await _kept.OfAsync("another", CancellationToken.None))).Code);
    }

    [Fact]
    public async Task OfNow_WhateverIsKept_IsAskedAndKept()
    {
        await OfAsync();
        _says = "second";
        Assert.Equal("second", await _kept.OfNowAsync("key", CancellationToken.None));
        Assert.Equal("second", await OfAsync());
        Assert.Equal(2, _asked);
    }

    private async Task<string> OfAsync() => await _kept.OfAsync("key", CancellationToken.None);
}
