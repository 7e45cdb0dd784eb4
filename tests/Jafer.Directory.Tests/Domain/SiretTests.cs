using FsCheck;
using FsCheck.Fluent;
using Jafer.Directory.Domain;

namespace Jafer.Directory.Tests.Domain;

public class SiretTests
{
    [Theory]
    [InlineData("73282932000074")] // INSEE's own example of a key
    [InlineData("35600000000048")] // La Poste, head office: plain Luhn
    [InlineData("35600000049837")] // La Poste, an office: digits add up to 45
    public void IsValid_RightKey_True(string siret) => Assert.True(Siret.IsValid(siret));

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("73282932000075")]
    [InlineData("7328293200007")]
    [InlineData("732829320000741")]
    [InlineData("7328293200007A")]
    [InlineData("７３２８２９３２００００７４")]
    [InlineData("35600000049838")]
    [InlineData("73282932100073")] // right key over 14 digits, wrong key of the SIREN
    public void IsValid_WrongKeyOrShape_False(string? siret) => Assert.False(Siret.IsValid(siret));

    [Fact]
    public void IsValid_OneDigitChanged_False() =>
        Prop.ForAll(Gen.Choose(0, 13).Zip(Gen.Choose(1, 9)).ToArbitrary(), change =>
        {
            var digits = "73282932000074".ToCharArray();
            digits[change.Item1] = (char)('0' + (digits[change.Item1] - '0' + change.Item2) % 10);
            Assert.False(Siret.IsValid(new string(digits)));
        }).QuickCheckThrowOnFailure();
}
