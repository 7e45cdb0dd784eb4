namespace Jafer.Delays;

/// <summary>
/// The places of one queue up to a day: who has one and until when, who waits for one and who is on the way. From them follows when the
/// places that become free have served all who stand before whoever is transmitted now. Acts come in the order of their days.
/// </summary>
/// <remarks>
/// A fluid of slots a week in place of families: what becomes free on a day is expected, not drawn (W. Whitt, Fluid models for multiserver
/// queues with abandonments, Operations Research 54 (2006) 37–54, with the terms that are known in place of a distribution). How many
/// slots there are is not asked: it is the most that were taken within half a year.
/// </remarks>
public sealed class PlaceFlow
{
    /// <summary>Days after which nothing is looked for any more.</summary>
    public const int Horizon = 1000;

    // Means of the simulation, calibrated on SSER 2024: parts a day that are interrupted, and that give up in the queue. They may be off
    // by a third and change little: what is systematic is learned from past forecasts.
    private const double Interrupted = 1 / 650.0, GivenUp = 1 / 750.0;

    // Likewise: of those on the way and in the queue, how many come to a first rencontre; mean days until those who come are reached.
    internal const double ChanceOnTheWay = 0.8, ChanceInQueue = 0.95;
    private const double ReachedDays = 35;

    // Days that contact and interviews take beside a queue, and from the booking to the first rencontre.
    private const int LeadDays = 45, NoticeDays = 18;

    // Who is not closed so long after the term holds no place: the closing was forgotten.
    private const int OverdueDays = 60;

    private const int PeakDays = 180;

    private readonly List<Stand> _way = [], _queue = [], _taken = [];
    private readonly double[] _load = new double[PeakDays];
    private double _now;
    private int _day = -1, _nextOverdue = int.MaxValue;

    /// <summary>A mesure was transmitted, or an espace registered it.</summary>
    /// <param name="day">Its day.</param>
    /// <param name="id">Number of the mesure in its queue.</param>
    /// <param name="terms">Its terms.</param>
    /// <param name="queued">Whether it stands in the queue at once: nobody has to be reached.</param>
    public void Begin(int day, int id, MesureTerms terms, bool queued)
    {
        Advance(day);
        (queued ? _queue : _way).Add(new(id, terms, day));
    }

    /// <summary>A parent was reached: it joins the queue.</summary>
    /// <param name="day">Its day.</param>
    /// <param name="id">Number of the mesure.</param>
    public void Contact(int day, int id)
    {
        Advance(day);
        if (Take(_way, id) is { } place)
            _queue.Add(place with { Since = day });
    }

    /// <summary>Its rencontres were scheduled, not only one in a freed slot: it has its place.</summary>
    /// <param name="day">Its day.</param>
    /// <param name="id">Number of the mesure.</param>
    public void Place(int day, int id)
    {
        Advance(day);
        if ((Take(_queue, id) ?? Take(_way, id)) is not { } place)
            return;
        _taken.Add(place with { Since = day + NoticeDays });
        _now += place.Terms.SlotsPerWeek;
        _nextOverdue = Math.Min(_nextOverdue, _taken[^1].FirstEnd + OverdueDays);
    }

    /// <summary>Its first rencontre was held.</summary>
    /// <param name="day">Its day.</param>
    /// <param name="id">Number of the mesure.</param>
    public void Pass(int day, int id)
    {
        Advance(day);
        var at = _taken.FindIndex(p => p.Id == id);
        if (at < 0)
            return;
        _taken[at] = _taken[at] with { Since = day };
        _nextOverdue = Math.Min(_nextOverdue, _taken[at].FirstEnd + OverdueDays);
    }

    /// <summary>It was closed, wherever it stood.</summary>
    /// <param name="day">Its day.</param>
    /// <param name="id">Number of the mesure.</param>
    public void Leave(int day, int id)
    {
        Advance(day);
        if (Take(_taken, id) is not { } place)
        {
            _ = Take(_queue, id) ?? Take(_way, id);
            return;
        }
        _now -= place.Terms.SlotsPerWeek;
        Settle();
    }

    /// <summary>Goes on to a day.</summary>
    /// <param name="day">A day number, no earlier than the last one.</param>
    public void Advance(int day)
    {
        if (day == _day)
            return;
        for (var passed = Math.Max(_day, day - PeakDays); passed < day; passed++)
        {
            if (passed >= 0)
                _load[passed % PeakDays] = _now;
        }
        _day = day;
        if (day < _nextOverdue)
            return;
        foreach (var place in _taken)
            _now -= place.EndOn(day) + OverdueDays <= day ? place.Terms.SlotsPerWeek : 0;
        _taken.RemoveAll(p => p.EndOn(day) + OverdueDays <= day);
        Settle();
    }

    /// <summary>
    /// Days until whoever is transmitted now has a first rencontre, if all goes on as it is expected; at most <see cref="Horizon"/>, and null
    /// where no place was taken within half a year.
    /// </summary>
    /// <param name="more">Mesures that stand before it and are not among these, such as places held.</param>
    public int? DaysToFirst(double more = 0)
    {
        var peak = Math.Max(_load.Max(), _now);
        if (peak <= 0)
            return null;
        // Slots that their terms set free on each day ahead, as parts of what is left of those taken today.
        Span<double> ending = stackalloc double[Horizon + 1];
        ending.Clear();
        var taken = 0.0;
        foreach (var place in _taken)
        {
            var slots = place.Terms.SlotsPerWeek;
            taken += slots;
            if (Math.Max(1, place.EndOn(_day) - _day) is <= Horizon and var day)
                ending[day] += slots;
        }
        var free = Math.Max(0, peak - taken);
        var (left, stays, next) = (1.0, 1.0, 0);
        var (slotsOfNext, termsOfNext) = Before(0, more);
        for (var day = 1; day < Horizon; day++)
        {
            var freed = (taken * Interrupted) + (ending[day] * left);
            left *= 1 - Interrupted;
            stays *= 1 - GivenUp;
            taken -= freed;
            free += freed;
            while (slotsOfNext > 0 && slotsOfNext * stays <= free)
            {
                free -= slotsOfNext * stays;
                taken += slotsOfNext * stays;
                var begins = _day + day + NoticeDays;
                if (Math.Max(begins, termsOfNext.EndOn(begins, _day)) - _day is <= Horizon and var end)
                    ending[end] += slotsOfNext * stays / left;
                (slotsOfNext, termsOfNext) = Before(++next, more);
            }
            if (day >= LeadDays && slotsOfNext <= 0 && free >= default(MesureTerms).SlotsPerWeek)
                return day + NoticeDays;
        }
        return Horizon;
    }

    // Slots that can be expected to be taken by one of those who stand before, and its terms; none after the last.
    private (double Slots, MesureTerms Terms) Before(int number, double more)
    {
        if (number < _queue.Count)
            return (_queue[number].Terms.SlotsPerWeek * ChanceInQueue * StillThere(_day - _queue[number].Since), _queue[number].Terms);
        number -= _queue.Count;
        if (number < _way.Count)
            return (_way[number].Terms.SlotsPerWeek * StillComes(_day - _way[number].Since), _way[number].Terms);
        var part = Math.Clamp(more - (number - _way.Count), 0, 1);
        return (default(MesureTerms).SlotsPerWeek * ChanceOnTheWay * part, default);
    }

    // Of those who come, so many are not reached yet; the others never are.
    private static double StillComes(int days) => ChanceOnTheWay * Math.Exp(-days / ReachedDays) is var come ? come / (come + 1 - ChanceOnTheWay) : 0;

    // Half of those who give up say so; the others stand there until they are called.
    private static double StillThere(int days) => Math.Exp(-GivenUp * days) is var stays ? 2 * stays / (1 + stays) : 0;

    // Without places nothing is taken, whatever sums of parts come to; and whose term may be past next is not looked for day by day.
    private void Settle()
    {
        _now = _taken.Count == 0 ? 0 : _now;
        _nextOverdue = _taken.Count == 0 ? int.MaxValue : _taken.Min(p => p.FirstEnd) + OverdueDays;
    }

    private static Stand? Take(List<Stand> places, int id)
    {
        var at = places.FindIndex(p => p.Id == id);
        if (at < 0)
            return null;
        var place = places[at];
        places.RemoveAt(at);
        return place;
    }

    // Since: the transmission, then the contact, then the first rencontre, or what is planned as such.
    private readonly record struct Stand(int Id, MesureTerms Terms, int Since)
    {
        public int EndOn(int day) => Terms.EndOn(Since, day);

        /// <summary>The earlier end of those that its terms have, now or later.</summary>
        public int FirstEnd => Math.Min(EndOn(0), EndOn(int.MaxValue));
    }
}
