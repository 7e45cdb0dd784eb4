using System.Security.Cryptography;
using Grpc.Core;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.IdentityModel.Tokens;

namespace Jafer.ServiceDefaults.Tests.Access;

public sealed class IssuerKeysTests
{
    private static readonly CancellationToken s_ct = CancellationToken.None;

    private readonly TestClock _clock = new(new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero));
    private readonly KeyOptions _options = new();
    private readonly IssuerKeys _keys;
    private string[] _published = ["one"];
    private bool _answers = true;
    private int _read;

    public IssuerKeysTests() => _keys = new IssuerKeys(ReadAsync, _options, _clock, NullLogger.Instance);

    [Fact]
    public async Task Find_KnownKeys_AreReadOnceForAll()
    {
        var found = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _keys.FindAsync("one", s_ct).AsTask()));

        Assert.All(found, Assert.NotNull);
        Assert.Equal(1, _read);
    }

    [Fact]
    public async Task Find_NewKey_IsFoundAtItsFirstTokenAndAskedForAtMostEveryHalfMinute()
    {
        Assert.NotNull(await _keys.FindAsync("one", s_ct));
        _published = ["one", "two"];
        _clock.Advance(_options.RetryAfter);
        Assert.NotNull(await _keys.FindAsync("two", s_ct));
        Assert.Equal(2, _read);

        for (var i = 0; i < 50; i++)
        {
            Assert.Null(await _keys.FindAsync($"unknown-{i}", s_ct));
        }

        Assert.Equal(2, _read);
    }

    [Fact]
    public async Task Find_WithdrawnKey_IsGivenUpWhenTheKeysAreReadAgain()
    {
        Assert.NotNull(await _keys.FindAsync("one", s_ct));
        _published = ["two"];
        _clock.Advance(_options.RefreshAfter);

        // The caller that finds the keys old does not wait for the new ones.
        Assert.NotNull(await _keys.FindAsync("one", s_ct));
        await Eventually.BecomesAsync(async () => await _keys.FindAsync("one", s_ct), key => key is null, "the withdrawn key to be gone");
        Assert.Equal(2, _read);
    }

    [Fact]
    public async Task Find_IssuerDown_KnownKeysGoOnForTheirTimeAndNobodyAfterIt()
    {
        Assert.NotNull(await _keys.FindAsync("one", s_ct));
        _answers = false;
        _clock.Advance(_options.MaxAge - TimeSpan.FromSeconds(1));
        Assert.NotNull(await _keys.FindAsync("one", s_ct));

        // One that may be new cannot be judged now.
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<DomainError>(async () => await _keys.FindAsync("two", s_ct))).Code);

        _clock.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<DomainError>(async () => await _keys.FindAsync("one", s_ct))).Code);

        _answers = true;
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await _keys.FindAsync("one", s_ct));
    }

    [Fact]
    public async Task Find_SecretAmongTheKeys_IsNoKey()
    {
        var keys = new IssuerKeys(
            _ => Task.FromResult<IEnumerable<SecurityKey>>([new SymmetricSecurityKey(new byte[32]) { KeyId = "secret" }, new RsaSecurityKey(RSA.Create(2048)) { KeyId = "one" }]),
            _options, _clock, NullLogger.Instance);

        Assert.Null(await keys.FindAsync("secret", s_ct));
        Assert.NotNull(await keys.FindAsync("one", s_ct));
    }

    private Task<IEnumerable<SecurityKey>> ReadAsync(CancellationToken ct)
    {
        Interlocked.Increment(ref _read);
        return _answers
            ? Task.FromResult<IEnumerable<SecurityKey>>(_published.Select(id => new RsaSecurityKey(RSA.Create(2048)) { KeyId = id }))
            : throw new HttpRequestException("no answer");
    }
}
