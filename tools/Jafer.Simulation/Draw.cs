namespace Jafer.Simulation;

/// <summary>What a random number decides. A number more at the end changes none of the others.</summary>
internal enum Purpose
{
    Arrivals, Hote, Apart, Bearing, Visiteur, Judicial, Situation, SituationKind, Modality, Cadence, Court, Transmit, Contact, NoContact, Refusal, Interview, Patience, Told,
    Notice, Revoked, RevokedOn, Term, Interrupted, InterruptedBy, Held, KnownEarly, Accepts, Booked, Honoured, Complies, Connected, Agrees,
    SiteSaturation, PoolSaturation, DepartementSaturation, SiteHandover, SiteSituation, Phase, EarlyHeld,
}

/// <summary>
/// Random numbers that depend on the seed, on what they are drawn for and on nothing else (a counter-based generator with the
/// finaliser of SplitMix64): policies that ask in another order, or not at all, get the same answers.
/// </summary>
/// <remarks>G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.</remarks>
internal readonly struct Draw(int seed)
{
    private readonly ulong _key = Mix(0x9E3779B97F4A7C15UL * (ulong)(seed + 1));

    /// <summary>A number from 0 (included) to 1 (excluded).</summary>
    public double Unit(Purpose purpose, int subject, int turn = 0) => (Bits(purpose, subject, turn) >> 11) * (1.0 / (1UL << 53));

    /// <summary>True with the given probability.</summary>
    public bool Chance(double probability, Purpose purpose, int subject, int turn = 0) => Unit(purpose, subject, turn) < probability;

    /// <summary>A standard normal number (Box and Muller).</summary>
    public double Normal(Purpose purpose, int subject, int turn = 0)
    {
        var bits = Bits(purpose, subject, turn);
        var radius = Math.Sqrt(-2 * Math.Log(((uint)bits + 0.5) * (1.0 / 4294967296.0)));
        return radius * Math.Cos(2 * Math.PI * ((uint)(bits >> 32) * (1.0 / 4294967296.0)));
    }

    /// <summary>A lognormal number of the given mean; its logarithm has the given deviation.</summary>
    public double LogNormal(double mean, double spread, Purpose purpose, int subject) =>
        mean * Math.Exp((spread * Normal(purpose, subject)) - (spread * spread / 2));

    private ulong Bits(Purpose purpose, int subject, int turn) => Mix(Mix(_key ^ ((ulong)(uint)subject * 0xD1B54A32D192ED03UL)) ^ ((((ulong)purpose << 32) | (uint)turn) * 0x9E3779B97F4A7C15UL));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
