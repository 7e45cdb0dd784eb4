using FsCheck;
using FsCheck.Fluent;
using Jafer.Notifications.Domain;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Domain;

public sealed class MailGroupingTests
{
    private static readonly DateTimeOffset s_start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_delay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(5);

    /// <summary>Whatever comes when: nobody is disturbed twice, nothing is lost, nothing urgent that is news waits, the rest no longer than the window.</summary>
    [Fact]
    public void Next_WhateverComes_MailsASubjectOnceInAWindowAndEverythingInTime() => Prop.ForAll(ArbMap.Default.ArbFor<(byte Gap, byte What)[]>(), arrivals =>
    {
        var (now, waiting, told, mails) = (s_start, new List<Waiting>(), new List<Told>(), new List<(DateTimeOffset At, Waiting What)>());
        var subjects = Enumerable.Range(0, 3).Select(_ => TestMesure.NewId()).ToList();
        var came = new List<(DateTimeOffset At, Waiting What)>();
        foreach (var (gap, what) in arrivals.Append(((byte)0, (byte)0)))
        {
            var urgent = what % 5 == 0;
            var kind = $"{(urgent ? 'u' : 'o')}{what / 5 % 2}";
            var one = new Waiting(TestMesure.NewId(), subjects[what % 3], kind, urgent, urgent ? now : now + s_delay);
            came.Add((now, one));
            waiting.Add(one);
            Run(now + (gap * s_look));
        }

        Run(now + (2 * s_window) + s_delay);
        return waiting.Count == 0
            && mails.Select(m => m.What.DeliveryId).Order().SequenceEqual(came.Select(c => c.What.DeliveryId).Order())
            && came.TrueForAll(c => InTime(c.At, c.What))
            && subjects.TrueForAll(s => Once([.. mails.Where(m => m.What.SubjectId == s)]));

        // Every few seconds somebody looks.
        void Run(DateTimeOffset until)
        {
            for (; now <= until; now += s_look)
            {
                // Where nothing waits nothing is sent: on to the last look.
                now = waiting.Count == 0 ? until - new TimeSpan((until - now).Ticks % s_look.Ticks) : now;
                var next = MailGrouping.Next(waiting, [.. told.AsEnumerable().Reverse().TakeWhile(t => t.At > now - s_window).Reverse()], now, s_window);
                var chosen = waiting.Where(w => next.Deliveries.Contains(w.DeliveryId)).ToList();
                mails.AddRange(chosen.Select(c => (now, c)));
                told.AddRange(chosen.Select(c => new Told(c.SubjectId, c.Kind, c.Urgent, now)));
                waiting.RemoveAll(chosen.Contains);
            }
        }

        bool InTime(DateTimeOffset at, Waiting one)
        {
            var sent = mails.Single(m => m.What.DeliveryId == one.DeliveryId).At;
            var news = one.Urgent && !told.Exists(t => t.SubjectId == one.SubjectId && t.Urgent && t.Kind == one.Kind && t.At <= at && t.At > at - s_window);
            return sent - at <= (news ? s_look : s_window + s_delay + s_look);
        }

        // A mail on a subject within the window of another one has an urgent thing of a kind that none of them had.
        bool Once(List<(DateTimeOffset At, Waiting What)> ofSubject) => ofSubject.GroupBy(m => m.At).All(mail =>
        {
            var before = ofSubject.Where(m => m.At < mail.Key && m.At > mail.Key - s_window).ToList();
            return before.Count == 0 || mail.Any(m => m.What.Urgent && !before.Exists(b => b.What.Urgent && b.What.Kind == m.What.Kind));
        });
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Next_OfOneThatIsDue_TakesAlongWhatWaitsForItsOwnTimeButNotWhatIsHeld()
    {
        var (one, other, held) = (One(TestMesure.NewId()), One(TestMesure.NewId()) with { DueAt = s_start.AddMinutes(5) }, One(TestMesure.NewId()));

        var next = MailGrouping.Next([one, other, held], [new Told(held.SubjectId, "k", false, s_start.AddMinutes(-1))], s_start, s_window);

        Assert.Equal([one.DeliveryId, other.DeliveryId], next.Deliveries);
        Assert.Null(next.MailId);
    }

    [Fact]
    public void Next_OfWhatIsHeldAlone_IsWhenItsWindowIsOver()
    {
        var held = One(TestMesure.NewId());

        var next = MailGrouping.Next([held], [new Told(held.SubjectId, "k", false, s_start.AddMinutes(-1))], s_start, s_window);

        Assert.Empty(next.Deliveries);
        Assert.Equal(s_start.AddMinutes(14), next.NextAt);
        Assert.Null(MailGrouping.Next([], [], s_start, s_window).NextAt);
    }

    [Fact]
    public void Next_OfAMailThatWasBegun_IsThatMailAlone()
    {
        var mail = TestMesure.NewId();
        var (begun, since) = (One(TestMesure.NewId()) with { MailId = mail }, One(TestMesure.NewId()) with { Urgent = true });

        var next = MailGrouping.Next([begun, since], [], s_start, s_window);

        Assert.Equal([begun.DeliveryId], next.Deliveries);
        Assert.Equal(mail, next.MailId);
    }

    private static Waiting One(Guid subject) => new(TestMesure.NewId(), subject, "k", false, s_start);
}
