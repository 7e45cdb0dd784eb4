using System.Runtime.InteropServices;
using Jafer.Contracts.Mesure.V1;
using Jafer.Delays;
using Jafer.Directory.Domain;
using Jafer.Mesures.Domain;

namespace Jafer.Simulation;

/// <summary>
/// Runs the mesures of one seed under one policy, day by day: what is due on a day, then who can start. An espace has two
/// queues, for visits and for handovers; each has slots a week, of which a mesure under way takes its cadence.
/// </summary>
internal sealed class Engine
{
    private const int Tries = 3;

    private readonly Territory _territory;
    private readonly Demand _demand;
    private readonly Parameters _world;
    private readonly Draw _draw;
    private readonly Policy _policy;
    private readonly Books _books;
    private readonly Pool[] _pools;
    private readonly List<int>[] _due;
    private readonly byte[] _state;
    private readonly bool[] _gone;
    private readonly bool[] _complies;
    private readonly int[] _turn;

    // What a forecaster has seen so far, from events alone.
    private double _chance = 0.8, _lead = 60, _usualRate = 0.1;

    private Engine(Territory territory, Demand demand, Policy policy, bool withActs)
    {
        (_territory, _demand, _world, _draw, _policy) = (territory, demand, demand.World, demand.Draw, policy);
        _books = new Books(demand.Count) { Acts = withActs ? new(4_000_000) : null };
        _state = new byte[demand.Count];
        _gone = new bool[demand.Count];
        _complies = new bool[demand.Count];
        _turn = new int[demand.Count];
        _due = new List<int>[Calendar.End + 1];
        for (var day = 0; day < _due.Length; day++)
            _due[day] = [];
        _pools = Pools();
    }

    private enum State : byte { Ordered, Transmitted, Contacted, Waiting, UnderWay, Closed }

    private enum Due { Transmit, Contact, CloseWithoutContact, Ready, Refuse, Revoke, GiveUp, Rencontre, Close, FreeOffer }

    /// <summary>Runs to the end.</summary>
    /// <param name="territory">Where everything is.</param>
    /// <param name="demand">The mesures.</param>
    /// <param name="policy">What is done differently.</param>
    /// <param name="withActs">Whether the dated acts are kept one by one: some 200 MB.</param>
    public static Books Run(Territory territory, Demand demand, Policy policy, bool withActs = false)
    {
        var engine = new Engine(territory, demand, policy, withActs);
        engine.Run();
        return engine._books;
    }

    private void Run()
    {
        var next = 0;
        var (idle, capacity) = (0.0, 0.0);
        for (var day = 0; day < Calendar.End; day++)
        {
            while (next < _demand.Count && _demand.Day[next] == day)
                Order(next++, day);
            var due = _due[day];
            for (var i = 0; i < due.Count; i++)
                Do((Due)(due[i] & 15), due[i] >> 4, day);
            _due[day] = [];
            var growth = Demand.GrowthTo(_world, day);
            var policy = day >= Calendar.PolicyFirst;
            for (var p = 0; p < _pools.Length; p++)
            {
                var pool = _pools[p];
                pool.NextDay(day);
                if (policy)
                    Upkeep(pool, p, day);
                pool.Capacity = pool.Base * growth * (pool.HasExtra ? 1 + _world.ExtraCapacity : 1);
                Start(pool, day);
                if (day >= Calendar.YearFirst && day < Calendar.YearEnd)
                {
                    idle += Math.Max(0, pool.Capacity - pool.Load);
                    capacity += pool.Capacity;
                }
            }
            if (day % 30 == 0)
                _usualRate = Math.Max(0.001, _pools.Average(p => p.StartsInWindow) / QueueForecast.WindowDays);
            if (day == Calendar.YearEnd - 1)
                _books.Capacity = (0, _pools.Count(p => p.Waiting > 0) / (double)_pools.Count(p => p.Base > 0));
        }
        _books.Capacity = (capacity > 0 && !_policy.Unlimited ? idle / capacity : 0, _books.Capacity.WithQueue);
    }

    private void Order(int m, int day)
    {
        Note(day, m, ActKind.Ordered);
        _complies[m] = day >= Calendar.PolicyFirst && _draw.Chance(_policy.Compliance, Purpose.Complies, m);
        var chosen = _demand.Judicial[m] && _complies[m] ? Choose(m, day) : 0;
        _books.Chosen[m] = (byte)chosen;
        _books.Site[m] = _demand.ChoicesOf(m)[chosen].Site;
        if (!_demand.Judicial[m])
        {
            Transmit(m, day);
            return;
        }
        var court = _territory.Communes[_demand.Hote[m]].Court;
        var days = _draw.LogNormal(_world.TransmitDays, _world.TransmitSpread, Purpose.Transmit, m)
            * (court < 0 ? 1 : _draw.LogNormal(1, _world.CourtSpread, Purpose.Court, court));
        if (_policy.SameDay && _complies[m])
            Transmit(m, day);
        else
            After(day, days, Due.Transmit, m);
    }

    private void Do(Due what, int m, int day)
    {
        if (what == Due.FreeOffer)
        {
            _pools[PoolOf(m)].Load -= _demand.Load(m);
            return;
        }
        var state = (State)_state[m];
        if (state == State.Closed)
            return;
        switch (what)
        {
            case Due.Transmit:
                Transmit(m, day);
                break;
            case Due.Contact:
                Contact(m, day);
                break;
            case Due.CloseWithoutContact:
                _pools[PoolOf(m)].InFlight--;
                Learn(joined: false);
                Close(m, day, ClosureReason.SansSuiteAbsenceDeContactVisiteur);
                break;
            case Due.Refuse:
                _pools[PoolOf(m)].InFlight--;
                Learn(joined: false);
                Close(m, day, ClosureReason.SansSuiteRefusVisiteur);
                break;
            case Due.Ready:
                Ready(m, day);
                break;
            case Due.Revoke when state < State.UnderWay && _books.Scheduled[m] < 0:
                if (state == State.Waiting)
                    Leave(m);
                else
                    _pools[PoolOf(m)].InFlight--;
                Close(m, day, ClosureReason.JugeRapportee);
                break;
            // Who had an early rencontre holds out.
            case Due.GiveUp when state == State.Waiting && _books.FirstHeld[m] < 0:
                if (!_draw.Chance(_world.RefusalTold, Purpose.Told, m))
                {
                    _gone[m] = true;
                    break;
                }
                Leave(m);
                Close(m, day, _books.Scheduled[m] < 0 ? ClosureReason.SansSuiteRefusVisiteur : ClosureReason.InterruptionAbsenceVisiteur);
                break;
            case Due.Rencontre:
                Rencontre(m, day);
                break;
            case Due.Close:
                _pools[PoolOf(m)].Load -= _demand.Load(m);
                Close(m, day, _books.Reason[m]);
                break;
            default:
                break;
        }
    }

    private void Transmit(int m, int day)
    {
        _books.Transmitted[m] = day;
        _state[m] = (byte)State.Transmitted;
        Note(day, m, ActKind.Transmitted);
        var pool = _pools[PoolOf(m)];
        pool.InFlight++;
        pool.TransmittedSinceConfirmed++;
        if (!_demand.Judicial[m])
        {
            Contact(m, day);
            return;
        }
        if (_draw.Chance(_world.RevokedShare, Purpose.Revoked, m))
            After(day, 2 * _world.RevokedAfterDays * _draw.Unit(Purpose.RevokedOn, m), Due.Revoke, m);
        if (_draw.Chance(_world.NoContactShare, Purpose.NoContact, m))
        {
            After(day, _world.NoContactCloseDays, Due.CloseWithoutContact, m);
            return;
        }
        var contact = _draw.LogNormal(_world.ContactDays, _world.ContactSpread, Purpose.Contact, m);
        if (IsBooked(m, pool))
            contact = Math.Min(contact, _world.BookedInterviewDays * (0.5 + _draw.Unit(Purpose.Booked, m)));
        After(day, contact, Due.Contact, m);
    }

    // An interview was booked with the transmission, and its family came.
    private bool IsBooked(int m, Pool pool) =>
        _policy.SameDay && _complies[m] && _demand.Judicial[m] && pool.Connected && _draw.Chance(_world.BookedInterviewHonoured, Purpose.Honoured, m);

    private void Contact(int m, int day)
    {
        _books.Contacted[m] = day;
        _state[m] = (byte)State.Contacted;
        Note(day, m, ActKind.Contacted);
        var interviews = _draw.LogNormal(_world.InterviewDays, _world.InterviewSpread, Purpose.Interview, m);
        if (IsBooked(m, _pools[PoolOf(m)]))
            interviews *= 1 - _world.BookedInterviewSaves;
        After(day, interviews, _draw.Chance(_world.RefusalShare, Purpose.Refusal, m) ? Due.Refuse : Due.Ready, m);
    }

    private void Ready(int m, int day)
    {
        _books.Ready[m] = day;
        _state[m] = (byte)State.Waiting;
        Note(day, m, ActKind.Ready);
        var pool = _pools[PoolOf(m)];
        pool.InFlight--;
        pool.Queue.Add(m);
        pool.Waiting++;
        Learn(joined: true);
        if (_demand.Judicial[m])
            _lead += 0.001 * (day - _demand.Day[m] - _lead);
        After(day, -_world.PatienceDays * Math.Log(1 - _draw.Unit(Purpose.Patience, m)), Due.GiveUp, m);
    }

    private void Start(Pool pool, int day)
    {
        while (pool.Head < pool.Queue.Count)
        {
            var m = pool.Queue[pool.Head];
            if ((State)_state[m] != State.Waiting)
            {
                pool.Head++;
                continue;
            }
            var load = _demand.Load(m);
            if (pool.Load + load > pool.Capacity + 1e-9)
                break;
            pool.Head++;
            pool.Waiting--;
            pool.Load += load;
            if (_gone[m])
            {
                // The place stands empty until it is clear that nobody will come.
                After(day, _world.OfferDays, Due.FreeOffer, m);
                Close(m, day, _books.Scheduled[m] < 0 ? ClosureReason.SansSuiteRefusVisiteur : ClosureReason.InterruptionAbsenceVisiteur);
                continue;
            }
            pool.Started();
            _state[m] = (byte)State.UnderWay;
            _books.Booked[m] = day;
            if (_books.Scheduled[m] < 0)
                _books.Scheduled[m] = day;
            Note(day, m, ActKind.Booked);
            After(day, Math.Max(2, _draw.LogNormal(_world.NoticeDays, _world.NoticeSpread, Purpose.Notice, m)), Due.Rencontre, m);
        }
        pool.Trim();
    }

    private void Rencontre(int m, int day)
    {
        if (Calendar.IsClosed(day))
        {
            After(day, 7, Due.Rencontre, m);
            return;
        }
        if (_books.RegularPlanned[m] < 0)
            Begin(m, day);
        var turn = ++_turn[m];
        var held = !_draw.Chance(_world.LostShare, Purpose.Held, m, turn);
        Count(m, day, held);
        if (held && _books.RegularHeld[m] < 0)
            _books.RegularHeld[m] = day;
        if (!held && _policy.LostSlots && day >= Calendar.PolicyFirst)
            Offer(m, turn, day);
        After(day, _demand.Interval[m], Due.Rencontre, m);
    }

    private void Begin(int m, int day)
    {
        _books.RegularPlanned[m] = day;
        // From the order, an espace still holds a first month of rencontres.
        var term = _world.TermFromOrder > 0 ? Math.Max(Calendar.AddMonths(_demand.Day[m], _demand.Terms[m]), day + 30) : Calendar.AddMonths(day, _demand.Terms[m]);
        var interrupted = day + (int)_demand.Interrupted[m];
        _books.Reason[m] = interrupted >= term ? ClosureReason.ArriveeATerme : ReasonOf(m);
        var end = Math.Min(interrupted, term);
        if (end < Calendar.End)
            _due[Math.Max(end, day + 1)].Add((m << 4) | (int)Due.Close);
    }

    private ClosureReason ReasonOf(int m)
    {
        var unit = _draw.Unit(Purpose.InterruptedBy, m);
        if (unit < _world.OtherEndShare)
            return ClosureReason.Autre;
        unit = (unit - _world.OtherEndShare) / (1 - _world.OtherEndShare);
        return unit < _world.InterruptionByEspace ? ClosureReason.InterruptionAbsenceVisiteur
            : unit < _world.InterruptionByEspace + _world.InterruptionByHote || !_demand.Judicial[m] ? ClosureReason.InterruptionMeilleurAccord
            : ClosureReason.JugeModification;
    }

    // A lost slot goes to whom the mesure service would name first, of those who can come.
    private void Offer(int lost, int turn, int day)
    {
        var pool = _pools[PoolOf(lost)];
        if (!pool.Connected || !_draw.Chance(_world.EarlyKnownShare, Purpose.KnownEarly, lost, turn))
            return;
        var counted = day >= Calendar.YearFirst && day < Calendar.YearEnd;
        if (counted)
            _books.Slots = (_books.Slots.Offered + 1, _books.Slots.Taken);
        for (var tried = 0; tried < Tries; tried++)
        {
            var (best, claim) = (-1, default(SlotClaim));
            for (var i = pool.Head; i < pool.Queue.Count; i++)
            {
                var m = pool.Queue[i];
                if ((State)_state[m] != State.Waiting || !_draw.Chance(_world.SlotAccepted, Purpose.Accepts, m, day))
                    continue;
                var its = new SlotClaim(_books.FirstHeld[m] < 0, new DateTimeOffset(Calendar.Date(_books.Transmitted[m]), TimeOnly.MinValue, TimeSpan.Zero), IdOf(m));
                if (best < 0 || its < claim)
                    (best, claim) = (m, its);
            }
            if (best < 0)
                return;
            if (_gone[best])
            {
                Leave(best);
                Close(best, day, _books.Scheduled[best] < 0 ? ClosureReason.SansSuiteRefusVisiteur : ClosureReason.InterruptionAbsenceVisiteur);
                continue;
            }
            if (counted)
                _books.Slots = (_books.Slots.Offered, _books.Slots.Taken + 1);
            if (_books.Scheduled[best] < 0)
                _books.Scheduled[best] = day;
            Note(day, best, ActKind.SlotGiven);
            Count(best, day, !_draw.Chance(_world.LostShare, Purpose.EarlyHeld, best, day));
            return;
        }
    }

    private void Count(int m, int day, bool held)
    {
        _books.ScheduledOn[day]++;
        if (held)
        {
            _books.HeldOn[day]++;
            if (_books.FirstHeld[m] < 0)
                _books.FirstHeld[m] = day;
        }
        Note(day, m, held ? ActKind.Held : ActKind.NotHeld);
    }

    private void Upkeep(Pool pool, int number, int day)
    {
        if (pool.Connected)
        {
            if ((_policy.Hygiene || _policy.Extra) && (day + number) % (int)_world.HygieneDays == 0)
            {
                if (_policy.Hygiene)
                    Ask(pool, day);
                pool.HasExtra = _policy.Extra && pool.Agrees && QueueForecast.ExpectedDays(StateOf(pool, day), 0) > _world.ExtraAboveDays;
            }
        }
        else if (day >= pool.ConfirmsNext)
            pool.Confirm(day);
        if (_policy.Rule == Rule.Declared && day >= pool.DeclaresNext)
            pool.Declare(day, _policy.DeclaredEvery, _usualRate);
    }

    private void Ask(Pool pool, int day)
    {
        for (var i = pool.Head; i < pool.Queue.Count; i++)
        {
            var m = pool.Queue[i];
            if ((State)_state[m] != State.Waiting || !_gone[m])
                continue;
            Leave(m);
            Close(m, day, _books.Scheduled[m] < 0 ? ClosureReason.SansSuiteRefusVisiteur : ClosureReason.InterruptionAbsenceVisiteur);
        }
    }

    private int Choose(int m, int day)
    {
        if (_policy.Rule == Rule.Nearest)
            return 0;
        var choices = _demand.ChoicesOf(m);
        var home = _policy.DepartementOnly ? _territory.Communes[_demand.Hote[m]].Departement : null;
        if (home is not null && !HasOwn(choices, home))
            home = null;
        var (best, least) = (0, default(RankKey));
        var first = true;
        for (var i = 0; i < choices.Length; i++)
        {
            var site = _territory.Sites[choices[i].Site];
            if (home is not null && site.Departement != home)
                continue;
            var pool = _pools[(choices[i].Site * 2) + (_demand.Handover[m] ? 1 : 0)];
            if (pool.Base == 0 && i > 0)
                continue;
            var days = _policy.Rule == Rule.Declared ? pool.DeclaredDays : QueueForecast.ExpectedDays(StateOf(pool, day), _lead);
            var key = Ranking.Key(Ranking.TravelCost(choices[i].Hote, choices[i].Visiteur, _policy.DaysPerTravelHour), (int)Math.Round(Math.Min(days, Wait.MaxDays)), site.Id);
            if (first || key < least)
                (best, least, first) = (i, key, false);
        }
        return best;
    }

    private bool HasOwn(ReadOnlySpan<Choice> choices, string departement)
    {
        foreach (var choice in choices)
        {
            if (_territory.Sites[choice.Site].Departement == departement)
                return true;
        }
        return false;
    }

    // Of an espace that is not connected: its queue as it last confirmed it, and what was transmitted since.
    private QueueState StateOf(Pool pool, int day) => pool.Connected
        ? new(pool.Waiting, 0, pool.InFlight, _chance, pool.Free,
            QueueForecast.StartRate(pool.StartsInWindow, QueueForecast.WindowDays, _usualRate))
        : new(pool.ConfirmedWaiting, day - pool.ConfirmedOn, pool.ConfirmedInFlight + pool.TransmittedSinceConfirmed, _chance, pool.ConfirmedFree,
            QueueForecast.StartRate(pool.ConfirmedStarts, QueueForecast.WindowDays, _usualRate));

    private void Learn(bool joined) => _chance += 0.001 * ((joined ? 1 : 0) - _chance);

    private void Leave(int m) => _pools[PoolOf(m)].Waiting--;

    private void Close(int m, int day, ClosureReason reason)
    {
        _state[m] = (byte)State.Closed;
        (_books.Closed[m], _books.Reason[m]) = (day, reason);
        _books.Acts?.Add(new(day, m, ActKind.Closed, _books.Site[m], reason));
    }

    private void After(int day, double days, Due what, int m)
    {
        var on = day + Math.Max(1, (int)Math.Round(days));
        if (on < Calendar.End)
            _due[on].Add((m << 4) | (int)what);
    }

    private void Note(int day, int m, ActKind kind) => _books.Acts?.Add(new(day, m, kind, _books.Site[m]));

    private int PoolOf(int m) => (_books.Site[m] * 2) + (_demand.Handover[m] ? 1 : 0);

    private static Guid IdOf(int m) => new(m, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    // Capacity is what the nearest-espace rule would ask of each espace, divided by its saturation.
    private Pool[] Pools()
    {
        var pools = new Pool[_territory.Sites.Length * 2];
        var (load, loads) = (new double[pools.Length], new double[2]);
        var counts = new int[2];
        for (var m = 0; m < _demand.Count; m++)
        {
            var origin = _demand.Judicial[m] ? 0 : 1;
            var months = Math.Min(_demand.Terms[m] * 30.4, _demand.Interrupted[m]);
            loads[origin] += _demand.Load(m) * (_world.NoticeDays + months);
            counts[origin]++;
        }
        var years = Calendar.End / 365.25;
        for (var m = 0; m < _demand.Count; m++)
        {
            var origin = _demand.Judicial[m] ? 0 : 1;
            var starts = (1 - _world.RefusalShare) * (_demand.Judicial[m] ? (1 - _world.NoContactShare) * (1 - _world.RevokedShare) : 1);
            load[(_demand.ChoicesOf(m)[0].Site * 2) + (_demand.Handover[m] ? 1 : 0)] +=
                starts * loads[origin] / counts[origin] / Demand.GrowthTo(_world, _demand.Day[m]) / years / 365.25;
        }
        var departements = _territory.Sites.Select(s => s.Departement).Distinct().Index().ToDictionary(d => d.Item, d => d.Index);
        for (var p = 0; p < pools.Length; p++)
        {
            var site = p / 2;
            var alike = _world.SaturationWithinDepartement;
            var z = (Math.Sqrt(alike) * _draw.Normal(Purpose.DepartementSaturation, departements[_territory.Sites[site].Departement]))
                + (Math.Sqrt(1 - alike) * ((Math.Sqrt(0.7) * _draw.Normal(Purpose.SiteSaturation, site)) + (Math.Sqrt(0.3) * _draw.Normal(Purpose.PoolSaturation, p))));
            var saturation = Math.Exp(_world.SaturationMean + (_world.SaturationSpread * z));
            pools[p] = new Pool
            {
                // Of what an espace offers it has room for one family a week at least.
                Base = _policy.Unlimited ? double.PositiveInfinity : load[p] == 0 ? 0 : Math.Max(1, load[p] / saturation),
                Connected = _draw.Chance(_policy.Connected, Purpose.Connected, site),
                Agrees = _draw.Chance(_world.ExtraAgreed, Purpose.Agrees, site),
                Phase = _draw.Unit(Purpose.Phase, p),
            };
        }
        return pools;
    }

    /// <summary>One queue of an espace, and the slots a week that it is for.</summary>
    private sealed class Pool
    {
        private readonly byte[] _starts = new byte[QueueForecast.WindowDays];
        private int _today;

        public double Base { get; init; }

        public bool Connected { get; init; }

        public bool Agrees { get; init; }

        public double Phase { get; init; }

        public double Capacity { get; set; }

        public double Load { get; set; }

        public bool HasExtra { get; set; }

        // Families who come every two weeks, as most do.
        public double Free => Math.Max(0, Math.Floor((Capacity - Load) / (7.0 / 14)));

        public List<int> Queue { get; } = [];

        public int Head { get; set; }

        public int Waiting { get; set; }

        public int InFlight { get; set; }

        public int StartsInWindow { get; private set; }

        public int ConfirmedOn { get; private set; } = -1;

        public int ConfirmsNext { get; private set; }

        public int ConfirmedWaiting { get; private set; }

        public int ConfirmedInFlight { get; private set; }

        public double ConfirmedFree { get; private set; }

        public int ConfirmedStarts { get; private set; }

        public int TransmittedSinceConfirmed { get; set; }

        public int DeclaresNext { get; private set; } = -1;

        public double DeclaredDays { get; private set; }

        public void NextDay(int day)
        {
            _today = day % _starts.Length;
            StartsInWindow -= _starts[_today];
            _starts[_today] = 0;
        }

        public void Started()
        {
            _starts[_today]++;
            StartsInWindow++;
        }

        // All begin on one day; from then on each has days of its own.
        public void Confirm(int day)
        {
            ConfirmsNext = day + (ConfirmedOn < 0 ? (int)(365 * Phase) : 365);
            (ConfirmedOn, ConfirmedWaiting, ConfirmedInFlight, ConfirmedStarts) = (day, Waiting, InFlight, StartsInWindow);
            ConfirmedFree = Free;
            TransmittedSinceConfirmed = 0;
        }

        public void Declare(int day, int every, double usualRate)
        {
            DeclaredDays = Waiting / QueueForecast.StartRate(StartsInWindow, QueueForecast.WindowDays, usualRate);
            DeclaresNext = day + (DeclaresNext < 0 ? (int)(every * Phase) : every);
        }

        public void Trim()
        {
            if (Head < 256)
                return;
            CollectionsMarshal.AsSpan(Queue)[Head..].CopyTo(CollectionsMarshal.AsSpan(Queue));
            CollectionsMarshal.SetCount(Queue, Queue.Count - Head);
            Head = 0;
        }
    }
}
