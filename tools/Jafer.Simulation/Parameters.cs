using System.Globalization;
using System.Reflection;

namespace Jafer.Simulation;

/// <summary>Which value of a parameter is taken.</summary>
internal enum Level
{
    /// <summary>The least that is plausible.</summary>
    Low,

    /// <summary>The value of the main runs.</summary>
    Middle,

    /// <summary>The most that is plausible.</summary>
    High,
}

/// <summary>A parameter as <c>parameters.csv</c> states it.</summary>
/// <param name="Name">Its name, a property of <see cref="Parameters"/>.</param>
/// <param name="Values">Its values, by level.</param>
/// <param name="Unit">Unit.</param>
/// <param name="Kind">published, derived, calibrated or assumption.</param>
/// <param name="Source">Where it comes from, or why it is assumed.</param>
internal sealed record StatedParameter(string Name, double[] Values, string Unit, string Kind, string Source)
{
    /// <summary>Whether it has a range.</summary>
    public bool HasRange => Values[0] != Values[1] || Values[2] != Values[1];
}

/// <summary>All that the simulation assumes of the world; meaning, unit and source of each stand in <c>parameters.csv</c>.</summary>
internal sealed record Parameters
{
    private static readonly Dictionary<string, PropertyInfo> s_properties = typeof(Parameters).GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(p => p.PropertyType == typeof(double)).ToDictionary(p => p.Name);

    public double NewMesures { get; init; }
    public double Growth { get; init; }
    public double JudicialShare { get; init; }
    public double SituationShare { get; init; }
    public double ViolenceShare { get; init; }
    public double PsychiatricShare { get; init; }
    public double LostShare { get; init; }
    public double InterruptionByEspace { get; init; }
    public double InterruptionByHote { get; init; }
    public double OutingShare { get; init; }
    public double HandoverShare { get; init; }
    public double HandoverOffered { get; init; }
    public double ViolenceAccepted { get; init; }
    public double PsychiatricAccepted { get; init; }
    public double AddictionAccepted { get; init; }
    public double SameCommuneShare { get; init; }
    public double ApartMedianKm { get; init; }
    public double ApartSpread { get; init; }
    public double TransmitDays { get; init; }
    public double TransmitSpread { get; init; }
    public double CourtSpread { get; init; }
    public double ContactDays { get; init; }
    public double ContactSpread { get; init; }
    public double NoContactShare { get; init; }
    public double NoContactCloseDays { get; init; }
    public double RefusalShare { get; init; }
    public double RefusalTold { get; init; }
    public double InterviewDays { get; init; }
    public double InterviewSpread { get; init; }
    public double PatienceDays { get; init; }
    public double NoticeDays { get; init; }
    public double NoticeSpread { get; init; }
    public double RevokedShare { get; init; }
    public double RevokedAfterDays { get; init; }
    public double WeeklyShare { get; init; }
    public double MonthlyShare { get; init; }
    public double InterruptionMonthsJudicial { get; init; }
    public double InterruptionMonthsOther { get; init; }
    public double InterruptionShapeJudicial { get; init; }
    public double InterruptionShapeOther { get; init; }
    public double OtherEndShare { get; init; }
    public double SaturationMean { get; init; }
    public double SaturationSpread { get; init; }
    public double SaturationWithinDepartement { get; init; }
    public double OfferDays { get; init; }
    public double EarlyKnownShare { get; init; }
    public double SlotAccepted { get; init; }
    public double BookedInterviewDays { get; init; }
    public double BookedInterviewHonoured { get; init; }
    public double BookedInterviewSaves { get; init; }
    public double HygieneDays { get; init; }
    public double ExtraAboveDays { get; init; }
    public double ExtraAgreed { get; init; }
    public double ExtraCapacity { get; init; }
    public double TermFromOrder { get; init; }

    /// <summary>What is stated of every parameter, in the order of the file.</summary>
    public static IReadOnlyList<StatedParameter> Stated { get; } = [.. Territory.Rows("parameters.csv").Select(r =>
        new StatedParameter(r[0], [Number(r[1]), Number(r[2]), Number(r[3])], r[4], r[5], r[6]))];

    /// <summary>Every parameter at its middle value.</summary>
    public static Parameters Middle { get; } = Stated.Aggregate(new Parameters(), (all, stated) => all.With(stated.Name, stated.Values[(int)Level.Middle]));

    /// <summary>The same with another value.</summary>
    /// <param name="name">Name of a parameter.</param>
    /// <param name="value">Its value.</param>
    /// <exception cref="ArgumentException">There is no such parameter.</exception>
    public Parameters With(string name, double value)
    {
        var copy = this with { };
        (s_properties.GetValueOrDefault(name) ?? throw new ArgumentException($"There is no parameter {name}.", nameof(name))).SetValue(copy, value);
        return copy;
    }

    /// <summary>The value of a parameter.</summary>
    /// <param name="name">Its name.</param>
    public double Of(string name) => (double)s_properties[name].GetValue(this)!;

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
