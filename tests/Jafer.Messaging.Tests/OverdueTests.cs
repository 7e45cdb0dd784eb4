using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Domain;
using Jafer.Messaging.Threads;
using Jafer.ServiceDefaults.Reminders;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Jafer.Messaging.Tests;

public sealed class OverdueTests : IAsyncLifetime
{
    private readonly ClockedMessaging _messaging = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _messaging.InitializeAsync();

    public ValueTask DisposeAsync() => _messaging.DisposeAsync();

    [Fact]
    public async Task Question_Unanswered_GoesUpTheRungsOnWorkingDays()
    {
        var mesure = await OpenAsync();
        var friday = new DateTimeOffset(2026, 3, 6, 16, 0, 0, TimeSpan.Zero);
        _messaging.Clock.Advance(friday.AddHours(-1) - _messaging.Clock.GetUtcNow());
        await _messaging.Espace(mesure).SayAsync(mesure, "question", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(friday));

        await _messaging.Sweep.SweepAsync(Ct);
        Assert.Empty(await _messaging.OverdueAsync(mesure));
        for (var hour = 0; hour < 24 * 20; hour++)
        {
            _messaging.Clock.Advance(TimeSpan.FromHours(1));
            await _messaging.Sweep.SweepAsync(Ct);
        }

        var told = await _messaging.OverdueAsync(mesure);
        // Due on Friday; from Monday on in the morning, when somebody is there.
        Assert.Equal([friday, .. new[] { 9, 10, 11, 12, 16, 19 }.Select(day => new DateTimeOffset(2026, 3, day, 7, 0, 0, TimeSpan.Zero))], told.Select(t => t.OccurredAt));
        Assert.Equal(
            ["MUST_ACT 1", "MUST_ACT 2", "MUST_ACT 3", "COLLEAGUE 1", "COLLEAGUE 2", "MANAGER 1", "OPERATOR 1"], told.Select(t => $"{t.Rung} {t.Number}"));
        Assert.All(told, t => Assert.Equal((mesure.JuridictionId, "ANSWER", friday), (t.MustActOrganisationId, t.Expectation, t.DueAt)));
        Assert.All(told, t => Assert.Equal(t.Rung == "OPERATOR", t.Escalated));
        Assert.Equal(7, (await ThreadAsync(mesure)).Expectations.Single().ReminderCount);
    }

    [Fact]
    public async Task Danger_Unacknowledged_GoesUpTheRungsByTheHour()
    {
        var mesure = await OpenAsync();
        var posted = await _messaging.Court(mesure).SayAsync(mesure, "danger", r => r.Kind = MessageKind.Danger);
        var due = (await ThreadAsync(mesure)).Expectations.Single().DueTime;
        Assert.Equal(posted.CreateTime.ToDateTimeOffset().AddHours(2), due.ToDateTimeOffset());

        for (var hour = 0; hour < 24 * 2; hour++)
        {
            _messaging.Clock.Advance(TimeSpan.FromHours(1));
            await _messaging.Sweep.SweepAsync(Ct);
        }

        var told = await _messaging.OverdueAsync(mesure);
        Assert.Equal(
            ["MUST_ACT 1", "MUST_ACT 2", "MUST_ACT 3", "COLLEAGUE 1", "COLLEAGUE 2", "MANAGER 1", "OPERATOR 1", "OPERATOR 2"], told.Select(t => $"{t.Rung} {t.Number}"));
        Assert.All(told, t => Assert.Equal((mesure.GestionnaireId, "ACKNOWLEDGEMENT"), (t.MustActOrganisationId, t.Expectation)));
        Assert.All(told.Index(), t => Assert.Equal(due.ToDateTimeOffset().AddHours(2 * t.Index), t.Item.OccurredAt));
    }

    [Fact]
    public async Task Answer_ToACorrectedQuestion_TellsOfAllThatItMeets()
    {
        var mesure = await OpenAsync();
        var espace = _messaging.Espace(mesure);
        var question = await espace.SayAsync(mesure, "Le 12 ou le 13 ?", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(_messaging.Clock.GetUtcNow().AddHours(1)));
        var correction = await espace.SayAsync(mesure, "Le 13 ou le 14 ?", r => r.CorrectsMessageId = question.MessageId);
        var again = await espace.SayAsync(mesure, "Le 14 ou le 15 ?", r => r.CorrectsMessageId = correction.MessageId);

        var answer = await _messaging.Court(mesure).SayAsync(mesure, "Le 14.", r => r.AnswersMessageId = again.MessageId);

        string Met(string messageId) => $"select coalesce(string_agg(m, ' '), '') from probe.told, jsonb_array_elements_text(payload->'metMessageIds') m where payload->>'messageId' = '{messageId}'";
        Assert.Equal($"{again.MessageId} {correction.MessageId} {question.MessageId}", await _messaging.Database.ReadAsync<string>(Met(answer.MessageId)));
        Assert.Equal("", await _messaging.Database.ReadAsync<string>(Met(question.MessageId)));
    }

    [Fact]
    public async Task Expectation_MetOrWithdrawn_IsToldNoMore()
    {
        var mesure = await OpenAsync();
        var (court, espace) = (_messaging.Court(mesure), _messaging.Espace(mesure));
        var due = Timestamp.FromDateTimeOffset(_messaging.Clock.GetUtcNow().AddHours(1));
        var question = await espace.SayAsync(mesure, "question", r => r.AnswerDueTime = due);
        var withdrawn = await espace.SayAsync(mesure, "autre question", r => r.AnswerDueTime = due);
        var urgent = await espace.SayAsync(mesure, "urgent", r => r.Kind = MessageKind.Difficulte);

        await court.SayAsync(mesure, "réponse", r => r.AnswersMessageId = question.MessageId);
        await espace.WithdrawQuestionAsync(Messages.Withdraw(mesure, withdrawn.MessageId), cancellationToken: Ct);
        await court.AcknowledgeMessageAsync(Messages.Acknowledge(mesure, urgent.MessageId), cancellationToken: Ct);
        _messaging.Clock.Advance(TimeSpan.FromDays(10));
        await _messaging.Sweep.SweepAsync(Ct);

        Assert.Empty(await _messaging.OverdueAsync(mesure));
    }

    [Fact]
    public async Task Sweep_WithRemindersSwitchedOff_TellsNothingUntilTheyAreOn()
    {
        var mesure = await OpenAsync();
        await _messaging.Espace(mesure).SayAsync(
            mesure, "question", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(_messaging.Clock.GetUtcNow().AddHours(1)));
        _messaging.Clock.Advance(TimeSpan.FromDays(10));
        var off = ActivatorUtilities.CreateInstance<OverdueSweep>(_messaging.Host.App.Services, Options.Create(new ReminderOptions { Enabled = false }));

        Assert.Equal(0, await off.SweepAsync(Ct));
        Assert.Equal(1, await _messaging.Sweep.SweepAsync(Ct));
    }

    [Fact]
    public async Task Question_OfAClosedMesure_RestsUntilItIsReopened()
    {
        var mesure = await OpenAsync();
        await _messaging.Espace(mesure).SayAsync(
            mesure, "question", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(_messaging.Clock.GetUtcNow().AddHours(1)));
        await _messaging.ApplyAsync(mesure.Closed());

        _messaging.Clock.Advance(TimeSpan.FromDays(10));
        await _messaging.Sweep.SweepAsync(Ct);
        Assert.Empty(await _messaging.OverdueAsync(mesure));

        await _messaging.ApplyAsync(mesure.Acknowledged());
        await _messaging.Sweep.SweepAsync(Ct);
        Assert.Single(await _messaging.OverdueAsync(mesure));
    }

    [Fact]
    public async Task Sweep_OfTwoReplicas_TellsEachOnce()
    {
        await using var second = await _messaging.StartReplicaAsync();
        var mesure = await OpenAsync();
        for (var i = 0; i < 30; i++)
        {
            await _messaging.Espace(mesure).SayAsync(mesure, "question", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(_messaging.Clock.GetUtcNow().AddHours(1)));
        }

        _messaging.Clock.Advance(TimeSpan.FromHours(2));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => (i % 2 == 0 ? _messaging.Sweep : second.App.Services.GetRequiredService<OverdueSweep>()).SweepAsync(Ct)));

        var told = await _messaging.OverdueAsync(mesure);
        Assert.Equal(30, told.Count);
        Assert.Equal(30, told.Select(t => t.MessageId).Distinct().Count());
    }

    [Fact]
    public async Task PostMessage_LongAfterTheClosing_IsRefusedAndReadingIsNot()
    {
        var mesure = await OpenAsync();
        var espace = _messaging.Espace(mesure);
        var urgent = await _messaging.Court(mesure).SayAsync(mesure, "urgent", r => r.Kind = MessageKind.Difficulte);
        await _messaging.ApplyAsync(mesure.Closed());
        var until = (await espace.ThreadAsync(mesure)).WritableUntilTime.ToDateTimeOffset();

        await espace.SayAsync(mesure, "un fait connu tard");
        // Steps of a test are told by the clock of the machine.
        _messaging.Clock.Advance(until - _messaging.Clock.GetUtcNow() + TimeSpan.FromSeconds(1));

        var refusal = await Refusal.OfAsync(espace.PostMessageAsync(Messages.Post(mesure, "trop tard"), cancellationToken: Ct));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
        Assert.Equal("CLOTUREE", refusal.Metadata["state"]);
        await espace.AcknowledgeMessageAsync(Messages.Acknowledge(mesure, urgent.MessageId), cancellationToken: Ct);
        await espace.MarkThreadReadAsync(Messages.Read(mesure, urgent.MessageId), cancellationToken: Ct);
        Assert.Equal("un fait connu tard", (await espace.AllMessagesAsync(mesure))[^1].Body);
    }

    [Fact]
    public async Task Question_OfAnEspaceOverseas_IsToldInItsOwnMorning()
    {
        var mesure = TestMesure.Create();
        await _messaging.ApplyAsync(TestEspace.Published(mesure.EspaceId, mesure.GestionnaireId, departement: "971", timeZone: "America/Guadeloupe"));
        await _messaging.ApplyAsync(mesure.Transmitted(_messaging.Clock.GetUtcNow()));
        // The evening before the abolition of slavery is remembered, which is no working day there.
        var due = new DateTimeOffset(2026, 5, 27, 1, 0, 0, TimeSpan.Zero);
        _messaging.Clock.Advance(due.AddDays(-1) - _messaging.Clock.GetUtcNow());
        await _messaging.Court(mesure).SayAsync(mesure, "question", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(due));
        for (var hour = 0; hour < 24 * 4; hour++)
        {
            _messaging.Clock.Advance(TimeSpan.FromHours(1));
            await _messaging.Sweep.SweepAsync(Ct);
        }

        Assert.Equal(
            [due, new DateTimeOffset(2026, 5, 28, 12, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 5, 29, 12, 0, 0, TimeSpan.Zero)],
            (await _messaging.OverdueAsync(mesure)).Select(t => t.OccurredAt));
    }

    private async Task<TestMesure> OpenAsync()
    {
        var mesure = TestMesure.Create();
        await _messaging.ApplyAsync(mesure.Transmitted(_messaging.Clock.GetUtcNow()));
        return mesure;
    }

    private Task<Contracts.Messaging.V1.Thread> ThreadAsync(TestMesure mesure) => _messaging.Court(mesure).ThreadAsync(mesure);
}

/// <summary>When the first reminder of an answer may go out; nothing runs.</summary>
public sealed class AnswerCalendarTests
{
    [Theory]
    [InlineData("2026-04-03T10:00:00Z", null, "67", "2026-04-07T06:00:00Z")] // Good Friday, then Easter Monday
    [InlineData("2026-04-03T10:00:00Z", null, "69", "2026-04-03T10:00:00Z")]
    [InlineData("2026-04-03T10:00:00Z", "tj54395", "67", "2026-04-03T10:00:00Z")] // the court sits in Nancy
    [InlineData("2026-12-26T10:00:00Z", null, "69", "2026-12-28T07:00:00Z")] // Saturday
    [InlineData("2026-05-27T10:00:00Z", null, "971", "2026-05-28T06:00:00Z")] // abolition
    [InlineData("2026-05-27T10:00:00Z", "tj97105", "69", "2026-05-28T12:00:00Z")]
    public void First_AnswerOfACourt_WaitsForTheNextMorningWhereItSits(string due, string? court, string departement, string expected) => Assert.Equal(
        DateTimeOffset.Parse(expected, null),
        ExpectationLadders.Of(ExpectationKind.Answer, AuthorKind.Juridiction)
            .First(DateTimeOffset.Parse(due, null), ExpectationLadders.CalendarOf(AuthorKind.Juridiction, court, "America/Guadeloupe", departement)).At);
}
