using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Jafer.ServiceDefaults.Secrets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;

namespace Jafer.ServiceDefaults.Tests.Secrets;

/// <summary>What is sealed opens again for who has the key and names the column, and for nobody else.</summary>
public sealed class KeyRingTests
{
    private static readonly byte[] s_column = KeyRing.Binding("parties.family_name");
    private static readonly KeyRing s_ring = Ring("one");

    [Fact]
    public void Seal_AnyBytes_OpenAgainAndShowNothing() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<NonNull<string>>(), (bytes, column) =>
    {
        var plain = bytes ?? [];
        var binding = KeyRing.Binding(column.Get);
        var value = s_ring.Seal(plain, binding);
        return s_ring.Open(value, binding).AsSpan().SequenceEqual(plain)
            && (plain.Length == 0 ? value is [0] : KeyRing.KeyIdOf(value) == "one" && s_ring.IsCurrent(value) && !value.AsSpan().SequenceEqual(s_ring.Seal(plain, binding)))
            && (plain.Length < 4 || value.AsSpan().IndexOf(plain) < 0);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Open_AnyChangedByte_IsRefused()
    {
        var value = s_ring.Seal("Martin"u8, s_column);
        for (var i = 0; i < value.Length; i++)
        {
            var changed = (byte[])value.Clone();
            changed[i] ^= 0x41;

            var fault = Record.Exception(() => s_ring.Open(changed, s_column));

            Assert.True(fault is SealBrokenException or SealKeyMissingException, $"byte {i}: {fault}");
            Assert.DoesNotContain("Martin", fault.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Open_AnyBytes_NeverThrowsAnythingElse() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes =>
        Record.Exception(() => s_ring.Open([1, .. bytes ?? []], s_column)) is SealBrokenException or SealKeyMissingException).QuickCheckThrowOnFailure();

    [Fact]
    public void Open_MovedToAnotherColumn_IsRefused() =>
        Assert.Throws<SealBrokenException>(() => s_ring.Open(s_ring.Seal("Martin"u8, s_column), KeyRing.Binding("parties.given_name")));

    [Fact]
    public void Open_UnderAKeyThatIsNotThere_SaysSoAndNothingElse() =>
        Assert.Equal("a value is sealed under a key that is not in the ring", Assert.Throws<SealKeyMissingException>(() => Ring("two").Open(s_ring.Seal("Martin"u8, s_column), s_column)).Message);

    [Fact]
    public void Open_UnderAnOlderKeyOfTheRing_OpensAndIsToBeSealedAnew()
    {
        var both = Ring("two", "one");
        var old = s_ring.Seal("Martin"u8, s_column);

        Assert.Equal("Martin"u8, both.Open(old, s_column));
        Assert.False(both.IsCurrent(old));
        Assert.Equal("two", KeyRing.KeyIdOf(both.Seal("Martin"u8, s_column)));
        Assert.Equal("Martin"u8, both.Open(KeyRing.InClear("Martin"u8), s_column));
        Assert.False(both.IsCurrent(KeyRing.InClear("Martin"u8)));
    }

    [Fact]
    public void IsCurrent_OfAnIdThatBeginsAlike_IsNot()
    {
        var longer = Ring("one-more", "one");

        Assert.False(longer.IsCurrent(s_ring.Seal("x"u8, s_column)));
        Assert.False(s_ring.IsCurrent(longer.Seal("x"u8, s_column)));
    }

    [Fact]
    public void Seal_ManyValues_TakesDataKeysByTurns()
    {
        var ring = Ring("one");
        var keys = Enumerable.Range(0, 3 * 65_536).Select(_ => Encoding.Latin1.GetString(ring.Seal("x"u8, s_column).AsSpan(5, 40))).Distinct().Count();

        Assert.InRange(keys, 3, 4);
    }

    [Theory]
    [InlineData("Production", null, null, "Secrets:Keys is not configured")]
    [InlineData("Production", "a", "AAAA", "must be 32 bytes in base64")]
    [InlineData("Production", "a b", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "must be 1 to 32 letters")]
    [InlineData("Production", "development", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "development machines")]
    [InlineData("Development", "a", null, "neither Secrets:Keys:0:Key nor Secrets:Keys:0:KeyFile")]
    public void Read_ConfiguredWrongly_SaysWhat(string environment, string? id, string? key, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidOperationException>(() => Read(environment, [("Id", id), ("Key", key)])).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Read_KeysAndFiles_FirstSealsAndAllOpen()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Convert.ToBase64String(Key("one")) + "\n", TestContext.Current.CancellationToken);

        var ring = Read("Production", [("Id", "two"), ("Key", Convert.ToBase64String(Key("two")))], [("Id", "one"), ("KeyFile", file)]);
        File.Delete(file);

        Assert.Equal("two", ring.CurrentId);
        Assert.Equal("Martin"u8, ring.Open(s_ring.Seal("Martin"u8, s_column), s_column));
    }

    [Fact]
    public void Read_DevelopmentWithoutKeys_HasItsOwnWhichProductionRefuses()
    {
        var value = Read("Development").Seal("Martin"u8, s_column);

        Assert.Equal(KeyRing.DevelopmentId, KeyRing.KeyIdOf(value));
        Assert.Throws<SealKeyMissingException>(() => s_ring.Open(value, s_column));
    }

    private static byte[] Key(string id) => System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(id));

    private static KeyRing Ring(params string[] ids) => new(ids[0], ids.ToDictionary(id => id, Key));

    private static KeyRing Read(string environment, params (string Name, string? Value)[][] keys) => KeyRing.Read(
        new ConfigurationBuilder().AddInMemoryCollection(keys.SelectMany((k, i) => k.Where(v => v.Value is not null).Select(v => new KeyValuePair<string, string?>($"Secrets:Keys:{i}:{v.Name}", v.Value)))).Build(),
        new HostingEnvironment { EnvironmentName = environment });
}
