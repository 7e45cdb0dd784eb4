using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using ProtoDate = Jafer.Contracts.Type.V1.Date;

namespace Jafer.ServiceDefaults.Tests.Grpc;

public sealed class FieldChecksTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void ThrowIfAny_SeveralViolations_TellsAllInTheirOrder()
    {
        var check = new FieldChecks();
        check.Uuid("mesure_id", "");
        check.Text("text", new string('a', 11), 10);
        check.Range("minutes", 61, 0, 60);

        var error = Assert.Throws<DomainError>(check.ThrowIfAny);

        Assert.Equal(
            [("mesure_id", "is required"), ("text", "must have at most 10 characters"), ("minutes", "must be from 0 to 60")],
            error.Fields.Select(f => (f.Field, f.Description)));
    }

    [Theory]
    [InlineData("0198c0de-0000-7000-8000-000000000001", true)]
    [InlineData("0198C0DE-0000-7000-8000-000000000001", true)]
    [InlineData("{0198c0de-0000-7000-8000-000000000001}", false)]
    [InlineData("0198c0de00007000800000000000000a", false)]
    [InlineData("00000000-0000-0000-0000-000000000000", false)]
    [InlineData("mesures/1", false)]
    [InlineData("", false)]
    [InlineData(" 0198a000-0000-7000-8000-000000000001", false)]
    [InlineData("0198a000-0000-7000-8000-000000000001\u2003", false)]
    [InlineData("0x98a000-0000-7000-8000-000000000001", false)]
    [InlineData("+198a000-0000-7000-8000-000000000001", false)]
    [InlineData("０198a000-0000-7000-8000-000000000001", false)]
    [InlineData("0198A000-0000-7000-8000-00000000000F", true)]
    public void Uuid_Text_IsAcceptedOnlyInItsUsualForm(string text, bool accepted)
    {
        var check = new FieldChecks();

        var id = check.Uuid("mesure_id", text);

        Assert.Equal(accepted, check.Passed);
        Assert.Equal(accepted, id != Guid.Empty);
    }

    [Theory]
    [InlineData("", false, true)]
    [InlineData("  ", true, false)]
    [InlineData("ligne 1\r\nligne 2\ttab", true, true)]
    [InlineData("bell\a", true, false)]
    [InlineData("nul\0", false, false)]
    [InlineData("12345678901", false, false)]
    public void Text_Value_IsCheckedForLengthPresenceAndControls(string text, bool required, bool accepted)
    {
        var check = new FieldChecks();

        check.Text("text", text, 20 - (text.Length == 11 ? 10 : 0), required);

        Assert.Equal(accepted, check.Passed);
    }

    [Theory]
    [InlineData(2024, 2, 29, true)]
    [InlineData(2023, 2, 29, false)]
    [InlineData(1899, 12, 31, false)]
    [InlineData(2023, 13, 1, false)]
    [InlineData(2023, 0, 1, false)]
    [InlineData(2023, 4, 0, false)]
    [InlineData(10000, 1, 1, false)]
    public void Date_Parts_MustBeAWholeDate(int year, int month, int day, bool accepted)
    {
        var check = new FieldChecks();

        var date = check.Date("decision_date", new ProtoDate { Year = year, Month = month, Day = day });

        Assert.Equal(accepted, check.Passed);
        Assert.Equal(accepted ? new DateOnly(year, month, day) : default, date);
    }

    [Fact]
    public void Date_Absent_IsRequiredOnlyWhereItIs()
    {
        var check = new FieldChecks();

        Assert.Null(check.OptionalDate("birth_date", null));
        Assert.True(check.Passed);
        check.Date("decision_date", null);
        Assert.Equal(["decision_date"], Assert.Throws<DomainError>(check.ThrowIfAny).Fields.Select(f => f.Field));
    }

    [Fact]
    public void OptionalTime_AnyInstant_IsCutToMicrosecondsOrRefused() => Prop.ForAll(
        ArbMap.Default.ArbFor<(long Seconds, int Nanos)>(), value =>
        {
            var (seconds, nanos) = value;
            seconds = seconds % 300_000_000_000L;
            var check = new FieldChecks();
            var time = check.OptionalTime("at", new Timestamp { Seconds = seconds, Nanos = nanos });
            return time is null
                ? !check.Passed
                : check.Passed && time.Value.Ticks % TimeSpan.TicksPerMicrosecond == 0
                    && time.Value.ToUnixTimeSeconds() == seconds && Math.Abs((time.Value - DateTimeOffset.FromUnixTimeSeconds(seconds)).TotalMicroseconds - (nanos / 1000)) < 1;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(-36500, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(1.001, false)]
    public void BusinessTime_Instant_MayLieAtMostOneDayAhead(double days, bool accepted)
    {
        var check = new FieldChecks();

        check.BusinessTime("occurred_at", s_now.AddDays(days).ToProto(), s_now);

        Assert.Equal(accepted, check.Passed);
    }

    [Fact]
    public void BusinessTime_Absent_IsNow() => Assert.Equal(s_now, new FieldChecks().BusinessTime("occurred_at", null, s_now));

    [Theory]
    [InlineData(0, 20, true)]
    [InlineData(7, 7, true)]
    [InlineData(1000, 100, true)]
    [InlineData(-1, 20, false)]
    public void PageSize_Value_FollowsAip158(int asked, int given, bool accepted)
    {
        var check = new FieldChecks();

        Assert.Equal(given, check.PageSize(asked, 20, 100));
        Assert.Equal(accepted, check.Passed);
    }

    [Theory]
    [InlineData("", null, true)]
    [InlineData("7", 7L, true)]
    [InlineData("-7", null, false)]
    [InlineData("x", null, false)]
    public void Etag_Text_IsAVersion(string text, long? version, bool accepted)
    {
        var check = new FieldChecks();

        Assert.Equal(version, check.Etag(text));
        Assert.Equal(accepted, check.Passed);
    }

    [Fact]
    public void Known_UnspecifiedOrUnknown_IsRefused()
    {
        var check = new FieldChecks();
        check.Known("reason", ErrorReason.Internal);
        Assert.True(check.Passed);

        check.Known("reason", ErrorReason.Unspecified);
        check.Known("reason", (ErrorReason)999);
        check.KnownOrUnspecified("filter", ErrorReason.Unspecified);
        check.KnownOrUnspecified("filter", (ErrorReason)999);

        Assert.Equal(
            [("reason", "is required"), ("reason", "is not a known value"), ("filter", "is not a known value")],
            Assert.Throws<DomainError>(check.ThrowIfAny).Fields.Select(f => (f.Field, f.Description)));
    }
}
