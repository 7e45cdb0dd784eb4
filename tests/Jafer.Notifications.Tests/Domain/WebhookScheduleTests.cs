using FsCheck;
using FsCheck.Fluent;
using Jafer.Notifications.Domain;

namespace Jafer.Notifications.Tests.Domain;

public sealed class WebhookScheduleTests
{
    private static readonly DateTimeOffset s_start = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(5);

    [Fact]
    public void Next_WhateverChanceAndReceiver_GrowsIsCappedNeverSoonerThanAskedAndEndsAfterThreeDays() => Prop.ForAll(
        ArbMap.Default.ArbFor<byte[]>(), ArbMap.Default.ArbFor<ushort>(), (chances, asked) =>
        {
            var expiry = s_start + WebhookSchedule.Lifetime;
            var (now, failures, last) = (s_start, 0, default(TimeSpan?));
            while (true)
            {
                var chance = chances.Length == 0 ? 0.5 : chances[failures % chances.Length] / 255.0;
                TimeSpan? retryAfter = failures % 3 == 1 ? TimeSpan.FromSeconds(asked) : null;
                if (WebhookSchedule.Next(now, expiry, s_first, failures + 1, WebhookSchedule.RetryAfter(retryAfter, null, now), chance) is not { } next)
                {
                    break;
                }

                // Doubled each time, varied by a fifth at most; only the last is cut short, and that for no receiver that asked for later.
                var nominal = TimeSpan.FromSeconds(Math.Min(WebhookSchedule.LongestWait.TotalSeconds, s_first.TotalSeconds * Math.Pow(2, failures)));
                var most = retryAfter > nominal * 1.2 ? retryAfter.Value : nominal * 1.2;
                if (next - now > most + TimeSpan.FromTicks(1) || (next != expiry && next - now < (nominal * 0.8) - TimeSpan.FromTicks(1)) || next - now < retryAfter)
                {
                    return false;
                }

                (now, last) = (next, retryAfter);
                failures++;
            }

            return failures is >= 10 and < 40 && (now == expiry || (now > expiry && now - last < expiry));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Next_WithoutChance_NeverShrinks()
    {
        var waits = Enumerable.Range(1, 30).Select(n => WebhookSchedule.Next(s_start, s_start.AddYears(1), s_first, n, null, 0.5)!.Value - s_start).ToList();

        Assert.Equal(s_first, waits[0]);
        Assert.Equal(waits.Order(), waits);
        Assert.Equal(WebhookSchedule.LongestWait, waits[^1]);
    }

    [Fact]
    public void RetryAfter_InEachForm_IsReadAndCapped()
    {
        Assert.Null(WebhookSchedule.RetryAfter(null, null, s_start));
        Assert.Equal(TimeSpan.FromMinutes(2), WebhookSchedule.RetryAfter(TimeSpan.FromMinutes(2), null, s_start));
        Assert.Equal(TimeSpan.FromMinutes(2), WebhookSchedule.RetryAfter(null, s_start.AddMinutes(2), s_start));
        Assert.Equal(TimeSpan.Zero, WebhookSchedule.RetryAfter(null, s_start.AddMinutes(-2), s_start));
        Assert.Equal(TimeSpan.FromDays(2), WebhookSchedule.RetryAfter(TimeSpan.FromDays(2), null, s_start));
        Assert.Equal(WebhookSchedule.Lifetime, WebhookSchedule.RetryAfter(TimeSpan.FromDays(30), null, s_start));
        Assert.Equal(WebhookSchedule.Lifetime, WebhookSchedule.RetryAfter(null, s_start.AddYears(5), s_start));
    }

    [Fact]
    public void Next_AskedForMoreThanIsLeft_IsWhenTheReceiverWantsItAndTheLast()
    {
        var (now, expiry) = (s_start.AddDays(2.5), s_start + WebhookSchedule.Lifetime);
        var next = WebhookSchedule.Next(now, expiry, s_first, 20, TimeSpan.FromDays(1), 0.5);

        Assert.Equal(now.AddDays(1), next);
        Assert.Null(WebhookSchedule.Next(next!.Value, expiry, s_first, 21, TimeSpan.FromDays(1), 0.5));
    }

    [Fact]
    public void IsDead_AfterThreeDaysOrAWholeDelivery_AndNotForOneThatIsRefusedAlone()
    {
        var now = s_start.AddDays(3);
        Assert.True(WebhookSchedule.IsDead(now, s_start, now, givenUp: false));
        Assert.True(WebhookSchedule.IsDead(now, s_start.AddSeconds(10), s_start, givenUp: true));
        Assert.False(WebhookSchedule.IsDead(now, s_start.AddSeconds(10), s_start, givenUp: false));

        // Others were taken meanwhile: it fails for an hour only.
        Assert.False(WebhookSchedule.IsDead(now, now.AddHours(-1), s_start, givenUp: true));
    }

    [Theory]
    [InlineData(200, "application/json", "{}", WebhookOutcome.Delivered, null)]
    [InlineData(204, null, "", WebhookOutcome.Delivered, null)]
    [InlineData(299, "text/plain", "ok <html>", WebhookOutcome.Delivered, null)]
    [InlineData(200, "TEXT/HTML", "", WebhookOutcome.Failed, "HTML_ANSWER")]
    [InlineData(200, null, "\uFEFF <HTML>", WebhookOutcome.Failed, "HTML_ANSWER")]
    [InlineData(200, "application/xml", "<?xml version=\"1.0\"?>\n<!-- portail --><html xmlns=\"x\">", WebhookOutcome.Failed, "HTML_ANSWER")]
    [InlineData(200, "application/xml", "<?xml version=\"1.0\"?><recu/>", WebhookOutcome.Delivered, null)]
    [InlineData(200, null, "<!-- <html> without an end", WebhookOutcome.Delivered, null)]
    [InlineData(304, null, "", WebhookOutcome.Failed, "REDIRECT")]
    [InlineData(404, null, "", WebhookOutcome.Failed, "HTTP_404")]
    [InlineData(410, "text/html", "", WebhookOutcome.Gone, "HTTP_410")]
    [InlineData(500, null, "", WebhookOutcome.Failed, "HTTP_500")]
    internal void Judge_AnAnswer_SaysWhatItMeans(int status, string? type, string body, WebhookOutcome outcome, string? error)
    {
        var result = WebhookAnswers.Judge(status, type, body, null);

        Assert.Equal((outcome, status, error), (result.Outcome, result.Status, result.Error));
    }

    [Fact]
    public void Sign_AnyBody_IsTheReferenceLibrarysSignature() => Assert.Equal(
        Expected(),
        WebhookMessage.Sign(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], Guid.Parse("0198a5f2-0000-7000-8000-000000000001"), DateTimeOffset.FromUnixTimeSeconds(1614265330), "{\"test\": 2432232314}"u8.ToArray()));

    // Made by npm's reference library: new Webhook(secret).sign(id, date, body).
    private static string Expected() => "v1,Av7EBrC+QD4/o+YkNSsTZ4lUPW4d6MxOvxL97Kzlyjg=";

    [Fact]
    public void Body_OfAMessage_NamesTheMesureUnlessItIsOfAnEspacesThread()
    {
        var id = Guid.Parse("0198a5f2-0000-7000-8000-000000000001");

        Assert.Contains("\"mesureId\"", Body(aboutEspace: false), StringComparison.Ordinal);
        Assert.DoesNotContain("mesureId", Body(aboutEspace: true), StringComparison.Ordinal);
        Assert.DoesNotContain("link", Body(aboutEspace: true), StringComparison.Ordinal);

        string Body(bool aboutEspace) => System.Text.Encoding.UTF8.GetString(
            WebhookMessage.Body(id, id, id, "messaging.message-overdue.v1", id, s_start, "https://jafer.test/{0}", aboutEspace));
    }

    [Fact]
    public void Body_OfATypeThatIsNotAboutAMesure_NamesNone()
    {
        var id = Guid.Parse("0198a5f2-0000-7000-8000-000000000001");

        Assert.Equal(
            $$$"""{"type":"directory.agrement-ended.v1","timestamp":"2026-03-02T09:00:00+00:00","data":{"eventId":"{{{id}}}","aggregateId":"{{{id}}}","organisationId":"{{{id}}}"}}""",
            System.Text.Encoding.UTF8.GetString(WebhookMessage.Body(id, id, id, "directory.agrement-ended.v1", id, s_start, "https://jafer.test/{0}")));
    }
}
