namespace Jafer.Delays;

/// <summary>
/// What was seen of one queue up to a day, kept as it happens: who is on the way to it, who stands in it and since when, how many left it for a
/// first rencontre within the last two years, and how long those waited who passed last. Acts come in the order of their days.
/// </summary>
public sealed class QueueRecord
{
    /// <summary>Days over which the pace is counted: years, so that every holiday counts once a year.</summary>
    public const int WindowDays = 2 * QueueForecast.WindowDays;

    private readonly int[] _scheduled = new int[WindowDays];
    private readonly SortedDictionary<int, int> _queue = [];
    private readonly double[] _last = new double[WaitLevel.LastWaits];
    private int _first = -1, _next;

    /// <summary>Its places, who has them and who stands before them.</summary>
    public PlaceFlow Places { get; } = new();

    /// <summary>The day up to which it was kept; -1 before anything happened.</summary>
    public int Day { get; private set; } = -1;

    /// <summary>Mesures transmitted of which no parent was reached yet.</summary>
    public int OnTheWay { get; private set; }

    /// <summary>Mesures in the queue: a parent was reached, and no rencontre is scheduled.</summary>
    public int Queued { get; private set; }

    /// <summary>First rencontres scheduled within the window.</summary>
    public int Scheduled { get; private set; }

    /// <summary>Days for which it was kept, at most the window.</summary>
    public int FollowedDays => _first < 0 ? 0 : Math.Min(WindowDays, Day - _first + 1);

    /// <summary>How many of the last waits are known.</summary>
    public int LastWaits { get; private set; }

    /// <summary>Mean of the logarithms of the last waits in days; 0 when none is known.</summary>
    public double LastLog
    {
        get
        {
            var sum = 0.0;
            foreach (var wait in _last.AsSpan(0, LastWaits))
                sum += wait;
            return LastWaits == 0 ? 0 : sum / LastWaits;
        }
    }

    /// <summary>Days since the transmission of whoever of the queue waits longest; 0 when nobody waits.</summary>
    public int LongestInQueue => Queued == 0 ? 0 : Day - _queue.First().Key;

    /// <summary>Goes on to a day: what lies further back than the window is forgotten.</summary>
    /// <param name="day">A day number, no earlier than <see cref="Day"/>.</param>
    public void Advance(int day)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(day, Day);
        if (_first < 0)
            (_first, Day) = (day, day);
        for (var gone = Math.Max(Day + 1, day - WindowDays + 1); gone <= day; gone++)
        {
            Scheduled -= _scheduled[gone % WindowDays];
            _scheduled[gone % WindowDays] = 0;
        }
        Day = day;
        Places.Advance(day);
    }

    /// <summary>A mesure was transmitted.</summary>
    /// <param name="day">Its day.</param>
    public void Begin(int day)
    {
        Advance(day);
        OnTheWay++;
    }

    /// <summary>A parent was reached.</summary>
    /// <param name="day">Its day.</param>
    /// <param name="began">Day of the transmission.</param>
    public void Contact(int day, int began)
    {
        Advance(day);
        OnTheWay--;
        Queued++;
        _queue[began] = _queue.GetValueOrDefault(began) + 1;
    }

    /// <summary>A first rencontre was scheduled.</summary>
    /// <param name="day">Its day.</param>
    /// <param name="began">Day of the transmission.</param>
    /// <param name="queued">Whether it stood in the queue.</param>
    public void Schedule(int day, int began, bool queued)
    {
        Leave(day, began, queued);
        Scheduled++;
        _scheduled[day % WindowDays]++;
    }

    /// <summary>A first rencontre was held.</summary>
    /// <param name="day">Its day.</param>
    /// <param name="waited">Days since the transmission.</param>
    public void Pass(int day, int waited)
    {
        Advance(day);
        _last[_next] = Math.Log(Math.Max(1, waited));
        _next = (_next + 1) % _last.Length;
        LastWaits = Math.Min(LastWaits + 1, _last.Length);
    }

    /// <summary>A mesure left without a rencontre.</summary>
    /// <param name="day">Its day.</param>
    /// <param name="began">Day of the transmission.</param>
    /// <param name="queued">Whether it stood in the queue.</param>
    public void Leave(int day, int began, bool queued)
    {
        Advance(day);
        if (!queued)
        {
            OnTheWay--;
            return;
        }
        Queued--;
        if (--_queue[began] == 0)
            _queue.Remove(began);
    }
}
