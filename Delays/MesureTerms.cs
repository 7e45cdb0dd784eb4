namespace Jafer.Delays;

/// <summary>For how long a mesure will take its place, and how large a part of one, as far as it was told.</summary>
/// <param name="RencontresPerYear">Rencontres that its periodicity gives in a year, as last told; 0 while that is left to the espace.</param>
/// <param name="Months">Its duration in months; 0 while none is known.</param>
/// <param name="TermOn">Its last day, as a day number; 0 where the months run from a first rencontre that was not held.</param>
public readonly record struct MesureTerms(int RencontresPerYear, int Months, int TermOn)
{
    // What stands in for what was not told: every two weeks (generally twice a month: accueiletfamille.org), and between the three bands of
    // durations that are the most frequent (SSER 2024).
    private const int UsualPerYear = 26, UsualMonths = 9;

    private const double WeeksOfYear = 365.25 / 7, DaysOfMonth = 365.25 / 12;

    /// <summary>Day on which duration or term was last modified; 0 when never. Before it those above hold.</summary>
    public int RevisedOn { get; init; }

    /// <summary>The duration from then on.</summary>
    public int RevisedMonths { get; init; }

    /// <summary>The last day from then on.</summary>
    public int RevisedTermOn { get; init; }

    /// <summary>Slots a week that it takes.</summary>
    public double SlotsPerWeek => (RencontresPerYear == 0 ? UsualPerYear : RencontresPerYear) / WeeksOfYear;

    /// <summary>Its last day, as it was known on a day.</summary>
    /// <param name="begun">Day of the first rencontre, or of what is planned as such.</param>
    /// <param name="day">The day.</param>
    public int EndOn(int begun, int day)
    {
        var (months, term) = RevisedOn != 0 && RevisedOn <= day ? (RevisedMonths, RevisedTermOn) : (Months, TermOn);
        return term != 0 ? term : begun + (int)Math.Round((months == 0 ? UsualMonths : months) * DaysOfMonth);
    }
}
