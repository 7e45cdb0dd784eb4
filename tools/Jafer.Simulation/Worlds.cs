using System.Globalization;
using System.Text;

namespace Jafer.Simulation;

/// <summary>
/// A set of parameters that the survey's figures allow. What cannot be identified from them is taken low and high, one at a
/// time, and the two calibrated parameters are set again so that the base still gives the survey's figures (<c>worlds.csv</c>).
/// </summary>
/// <param name="Name">Its name.</param>
/// <param name="Title">What differs.</param>
/// <param name="Levels">Parameters that are not at their middle value.</param>
internal sealed record World(string Name, string Title, params (string Parameter, Level Level)[] Levels)
{
    /// <summary>The world of the main runs.</summary>
    public static readonly World Middle = new("middle", "every parameter at its middle value");

    /// <summary>All worlds, the middle one first.</summary>
    public static readonly World[] All =
    [
        Middle,
        .. Pair("idle", "idle capacity", "SaturationSpread"),
        .. Pair("patience", "patience in the queue", "PatienceDays"),
        .. Pair("no-contact", "part of the 27 % that never makes contact", "NoContactShare"),
        .. Pair("hidden", "order to transmission, to contact, to the end of interviews", "TransmitDays", "ContactDays", "InterviewDays"),
        .. Pair("alike", "likeness of neighbouring espaces", "SaturationWithinDepartement"),
        .. Pair("apart", "distance between the parents' communes", "ApartMedianKm"),
        .. Pair("known-early", "lost rencontres that are known early", "EarlyKnownShare", "SlotAccepted"),
        new("booked-low", "effect of the booked interview, low", ("BookedInterviewHonoured", Level.Low), ("BookedInterviewSaves", Level.Low), ("BookedInterviewDays", Level.High)),
        new("booked-high", "effect of the booked interview, high", ("BookedInterviewHonoured", Level.High), ("BookedInterviewSaves", Level.High), ("BookedInterviewDays", Level.Low)),
        .. Pair("extra", "extra sessions that are granted", "ExtraAgreed", "ExtraCapacity"),
        .. Pair("growth", "growth of demand and capacity", "Growth"),
        new("adverse", "all against Jafer at once: little idle capacity, alike neighbours, few lost rencontres known early, weak booked interviews, few extra sessions",
            ("SaturationSpread", Level.Low), ("SaturationWithinDepartement", Level.High), ("EarlyKnownShare", Level.Low), ("SlotAccepted", Level.Low),
            ("BookedInterviewHonoured", Level.Low), ("BookedInterviewSaves", Level.Low), ("BookedInterviewDays", Level.High), ("ExtraAgreed", Level.Low), ("ExtraCapacity", Level.Low)),
        new("favourable", "all for Jafer at once: the same, the other way round",
            ("SaturationSpread", Level.High), ("SaturationWithinDepartement", Level.Low), ("EarlyKnownShare", Level.High), ("SlotAccepted", Level.High),
            ("BookedInterviewHonoured", Level.High), ("BookedInterviewSaves", Level.High), ("BookedInterviewDays", Level.Low), ("ExtraAgreed", Level.High), ("ExtraCapacity", Level.High)),
        new("term-order", "the term runs from the order (misses the survey's duration bands)", ("TermFromOrder", Level.High)),
    ];

    /// <summary>The parameters.</summary>
    public Parameters Parameters
    {
        get
        {
            var all = Parameters.Middle;
            foreach (var (name, level) in Levels)
                all = all.With(name, Parameters.Stated.First(p => p.Name == name).Values[(int)level]);
            foreach (var row in Territory.Rows("worlds.csv").Where(r => r[0] == Name))
                all = all.With(row[1], double.Parse(row[2], CultureInfo.InvariantCulture));
            return all;
        }
    }

    /// <summary>Changes when a parameter, a table or the engine does: results of another print are not used.</summary>
    public static string PrintOf(Parameters parameters)
    {
        var text = new StringBuilder().Append(EngineEdition);
        foreach (var stated in Parameters.Stated)
            text.Append(CultureInfo.InvariantCulture, $";{stated.Name}={parameters.Of(stated.Name)}");
        foreach (var row in Territory.Rows("terms.csv"))
            text.Append(';').AppendJoin(',', row);
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..12];
    }

    // Goes up with every change of the engine that changes results.
    private const int EngineEdition = 1;

    private static World[] Pair(string name, string title, params string[] parameters) =>
    [
        new(name + "-low", title + ", low", [.. parameters.Select(p => (p, Level.Low))]),
        new(name + "-high", title + ", high", [.. parameters.Select(p => (p, Level.High))]),
    ];
}
