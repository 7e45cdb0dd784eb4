using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Access;
using Xunit;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>Every way in which a mesure may end counts in one category of the national survey.</summary>
public sealed class ClosuresTests
{
    public static TheoryData<ClosureReason> Reasons => [.. Enum.GetValues<ClosureReason>().Where(r => r != ClosureReason.Unspecified)];

    [Theory]
    [MemberData(nameof(Reasons))]
    public void CategoryOf_AnyReasonScheduledOrNot_FollowsItsNameAndThePivot(ClosureReason reason)
    {
        var name = reason.ToString();
        foreach (var scheduled in new[] { false, true })
        {
            var expected = name switch
            {
                "ErreurDeSaisie" or "Doublon" or "Transfert" => ClosureCategory.HorsStatistique,
                "ArriveeATerme" when scheduled => ClosureCategory.ArriveeATerme,
                _ when name.StartsWith("SansSuite", StringComparison.Ordinal) && !scheduled => ClosureCategory.SansSuite,
                "InterruptionMeilleurAccord" or "InterruptionHoteAutre" when scheduled => ClosureCategory.InterruptionHote,
                _ when name.StartsWith("Interruption", StringComparison.Ordinal) && scheduled => ClosureCategory.InterruptionEspace,
                _ when name.StartsWith("Juge", StringComparison.Ordinal) && scheduled => ClosureCategory.InterruptionJuge,
                _ => ClosureCategory.Autre,
            };
            Assert.Equal(expected, Closures.CategoryOf(reason, scheduled));
        }
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public void MayGive_AnyReasonButTransfert_SomebodyMay(ClosureReason reason) =>
        Assert.Equal(reason != ClosureReason.Transfert, Closures.MayGive(Roles.Juridiction, reason) || Closures.MayGive(Roles.Espace, reason));
}
