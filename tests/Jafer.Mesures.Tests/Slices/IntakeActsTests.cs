using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Npgsql;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using static Jafer.Mesures.Tests.Slices.Reports;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Every kind of item does what the single act of its name does, and no item is answered by a fault.</summary>
public sealed partial class IntakeActsTests(MesuresFixture jafer)
{
    // What an espace does to a mesure beside items: it begins one, decides where no judge does, or books a list that items tell one by one.
    private static readonly string[] s_actsOnly =
    [
        "RegisterNonJudicialMesure", "AcknowledgeDifficulty", "AnswerDifficulty", "ModifyMesure", "ScheduleRencontreSeries", "PublishInterviewSlots", "WithdrawInterviewSlots",
        "TakeFreeSlot",
    ];

    private static readonly Dictionary<string, string> s_kinds = new()
    {
        ["acknowledged"] = "AcknowledgeMesure",
        ["information_requested"] = "RequestInformation",
        ["charge_taken"] = "TakeCharge",
        ["contact"] = "RecordContact",
        ["interview"] = "RecordInterview",
        ["rencontre_scheduled"] = "ScheduleRencontre",
        ["rencontre_outcome"] = "RecordRencontreOutcome",
        ["difficulty_reported"] = "ReportDifficulty",
        ["closed"] = "CloseMesure",
        ["suspended"] = "SuspendMesure",
        ["resumed"] = "ResumeMesure",
        ["closure_proposed"] = "ProposeClosure",
        ["external_alert"] = "RecordExternalAlert",
        ["rencontre_confirmed"] = "ConfirmRencontre",
        ["rencontre_cancelled"] = "CancelRencontre",
        ["rencontre_moved"] = "MoveRencontre",
        ["rencontre_outcome_corrected"] = "CorrectRencontreOutcome",
        ["remise_return"] = "RecordRemiseReturn",
        ["interview_booked"] = "BookInterview",
        ["interview_cancelled"] = "CancelInterview",
        ["reopened"] = "ReopenMesure",
    };

    // Rows of a mesure, without what tells two mesures with the same life apart.
    private static readonly string[] s_rows =
    [
        "select to_jsonb(f) - '{source_system,external_id,actor_subject,recorded_at}'::text[] - case when act = 'REOPEN' then 'occurred_at' else '' end from mesure_facts f where mesure_id = '{0}' and version > 3",
        "select to_jsonb(r) - '{source_system,external_id}'::text[] from rencontres r where mesure_id = '{0}'",
        "select to_jsonb(s) - '{offered_at,offer_expires_at,offer_candidates,offer_due_at}'::text[] from free_slots s where rencontre_id in (select id from rencontres where mesure_id = '{0}')",
        "select to_jsonb(i) from interviews i where mesure_id = '{0}'",
        "select to_jsonb(s) - '{external_id}'::text[] from interview_slots s where id in (select slot_id from interviews where mesure_id = '{0}')",
        "select to_jsonb(d) - 'recorded_at' from difficulties d where mesure_id = '{0}'",
        "select to_jsonb(a) from external_alerts a where mesure_id = '{0}'",
        // Without what a sweep that comes between the two changes. The court's time counts from when each was recorded: those that came in one report are due together.
        "select distinct to_jsonb(d) - '{raised_at,remind_at}'::text[] - case when kind like '%DIFFICULTY' then 'due_at' else '' end from deadlines d where mesure_id = '{0}'",
        "select to_jsonb(m) - '{reference,decision_rg_number,rg_index,created_at,updated_at,transmitted_at,holder_since,holder_recorded_at,next_due_at}'::text[] from mesures m where id = '{0}'",
    ];

    private readonly IntakeService.IntakeServiceClient _intake = jafer.First.Intake();

    [Fact]
    public void StatusItem_Kinds_AreEveryActOfTheEspaceOnAMesure()
    {
        var acts = new[] { MesureService.Descriptor, RencontreService.Descriptor, InterviewService.Descriptor }.SelectMany(s => s.Methods)
            .Where(m => m.InputType.FindFieldByName("request_id") is not null && AccessTable.BuiltIn.Grant($"/{m.Service.FullName}/{m.Name}", Roles.Espace) != Tenancy.None)
            .Select(m => m.Name);

        Assert.Equal(StatusItem.Descriptor.Oneofs[0].Fields.Select(f => f.Name).Order(), s_kinds.Keys.Order());
        Assert.Equal(acts.Order(), s_kinds.Values.Concat(s_actsOnly).Order());
    }

    [Fact]
    public async Task ReportStatus_EveryKind_LeavesWhatTheSingleActLeaves()
    {
        var (reported, acted) = (
            await jafer.MesureInAsync(MesureState.Transmise, r => r.Decision.RemiseGranted = true), await jafer.MesureInAsync(MesureState.Transmise, r => r.Decision.RemiseGranted = true));
        var ahead = TimeProvider.System.GetUtcNow().AddDays(20);
        ahead = new DateTimeOffset(ahead.Year, ahead.Month, ahead.Day, 9, 0, 0, TimeSpan.Zero);
        var start = Timestamp.FromDateTimeOffset(ahead);
        var (slot, other) = (await jafer.SlotAsync(s => s.StartTime = start), await jafer.SlotAsync(s => s.StartTime = start));

        await ActAsync(acted, ahead, other.SlotId);
        var items = Life(reported, await ChildAsync(reported), ahead, slot.SlotId);
        var results = (await _intake.ReportStatusAsync(Report(items))).Results;

        Assert.All(results, r => Assert.Equal(IntakeResult.Applied, r.Result));
        Assert.Empty(s_kinds.Keys.Except(items.Select(i => StatusItem.Descriptor.FindFieldByNumber((int)i.WhatCase).Name)).Except(["information_requested"]));
        foreach (var rows in s_rows)
        {
            var expected = await RowsAsync(rows, acted);
            Assert.NotEmpty(expected);
            Assert.Equal(expected, await RowsAsync(rows, reported));
        }
    }

    [Fact]
    public async Task ReportStatus_NameOfARencontre_StaysWithItWhoeverMovesIt()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        var ahead = TimeProvider.System.GetUtcNow().AddDays(5);
        await _intake.ReportStatusAsync(Report(Item(id, 1, Scheduled("a", ahead)), Item(id, 2, Moved("a", ahead.AddDays(1)))));
        var second = (await jafer.GetAsync(id)).Rencontres.Single(r => r.Outcome == RencontreOutcome.Scheduled).RencontreId;
        var third = (await new RencontreService.RencontreServiceClient(jafer.First.Channel("espace", Gestionnaire)).MoveRencontreAsync(new()
        {
            MesureId = id,
            RencontreId = second,
            Planned = new() { StartTime = Timestamp.FromDateTimeOffset(ahead.AddDays(2)), DurationMinutes = 60 },
            RequestId = NewId(),
        })).RencontreId;

        var byId = Item(id, 4, i => i.RencontreConfirmed = new() { RencontreId = second, PartyRole = PartyRole.Hote });
        var taken = Item(id, 5, Scheduled("a", ahead.AddDays(9)));
        var answer = await _intake.ReportStatusAsync(Report(Item(id, 3, Confirmed("a")), byId, taken, Item(id, 6, Cancelled("b"))));

        Assert.Equal([IntakeResult.Applied, IntakeResult.Refused, IntakeResult.Refused, IntakeResult.Refused], answer.Results.Words());
        Assert.Equal(ErrorReason.StateForbids, answer.Results[1].Reason);
        Assert.Equal(
            ["rencontre_scheduled.external_rencontre_id", "rencontre_cancelled.external_rencontre_id"], answer.Results.SelectMany(r => r.Violations).Select(v => v.Field));
        Assert.NotNull((await jafer.GetAsync(id)).Rencontres.Single(r => r.RencontreId == third).HoteConfirmedTime);
    }

    [Fact]
    public async Task ReportStatus_FreeSlot_IsTakenOnceAndByThoseAloneWhomItFits()
    {
        var (gone, first, second) = (await jafer.MesureInAsync(MesureState.EnAttente), await jafer.MesureInAsync(MesureState.EnAttente), await jafer.MesureInAsync(MesureState.EnAttente));
        var ahead = TimeProvider.System.GetUtcNow().AddDays(40);
        await _intake.ReportStatusAsync(Report(Item(gone, 1, Scheduled("a", ahead)), Item(gone, 2, Cancelled("a"))));
        var slot = await jafer.Database.ReadAsync<Guid>($"select s.id from free_slots s join rencontres r on r.id = s.rencontre_id where r.mesure_id = '{gone}'");
        StatusItem Taking(string mesureId, int sequence, string slotId, DateTimeOffset? start = null) => Item(mesureId, sequence, i => i.RencontreScheduled = new()
        {
            FreeSlotId = slotId,
            StartTime = start is { } at ? Timestamp.FromDateTimeOffset(at) : null,
            OverCapacity = true,
        });

        var answer = await _intake.ReportStatusAsync(Report(
            Taking(first, 1, NewId()), Taking(first, 2, slot.ToString(), ahead.AddHours(1)), Taking(first, 3, slot.ToString()), Taking(second, 1, slot.ToString())));

        Assert.Equal([IntakeResult.Refused, IntakeResult.Refused, IntakeResult.Applied, IntakeResult.Refused], answer.Results.Words());
        Assert.Equal(["rencontre_scheduled.free_slot_id", "rencontre_scheduled.free_slot_id"], answer.Results.SelectMany(r => r.Violations).Select(v => v.Field));
        Assert.Equal(ErrorReason.StateForbids, answer.Results[3].Reason);
        Assert.Equal(
            1, await jafer.Database.ReadAsync<long>($"select count(*) from free_slots where id = '{slot}' and taken_by_mesure_id = '{first}' and taken_by_rencontre_id = '{answer.Results[2].RencontreId}' and version = 2"));
        Assert.Equal(0, await jafer.Database.ReadAsync<long>($"select count(*) from mesure_facts where mesure_id = '{second}' and act = 'SCHEDULE_RENCONTRE'"));
    }

    [Fact]
    public async Task ReportStatus_FreeSlotThatTheMesureTookByCommand_IsThatRencontreAndHasTheNameFromNowOn()
    {
        var (gone, taker) = (await jafer.MesureInAsync(MesureState.EnAttente), await jafer.MesureInAsync(MesureState.EnAttente));
        await _intake.ReportStatusAsync(Report(Item(gone, 1, Scheduled("a", TimeProvider.System.GetUtcNow().AddDays(42))), Item(gone, 2, Cancelled("a"))));
        var slot = await jafer.Database.ReadAsync<Guid>($"select s.id from free_slots s join rencontres r on r.id = s.rencontre_id where r.mesure_id = '{gone}'");
        var taken = await new MesureService.MesureServiceClient(jafer.First.Channel("espace", Gestionnaire)).ScheduleRencontreAsync(
            new() { MesureId = taker, FreeSlotId = slot.ToString(), OverCapacity = true, RequestId = NewId() });
        StatusItem Told(int sequence, string name) => Item(taker, sequence, i => i.RencontreScheduled = new() { FreeSlotId = slot.ToString(), ExternalRencontreId = name });

        var first = (await _intake.ReportStatusAsync(Report(Told(1, "b"), Item(taker, 2, Confirmed("b")), Told(3, "b"), Told(4, "c")))).Results;
        var later = (await _intake.ReportStatusAsync(Report(Item(taker, 5, Cancelled("b")), Told(6, "b")))).Results;

        Assert.Equal([IntakeResult.Applied, IntakeResult.Applied, IntakeResult.Applied, IntakeResult.Refused], first.Words());
        Assert.Equal(["rencontre_scheduled.external_rencontre_id"], first[3].Violations.Select(v => v.Field));
        Assert.Equal([IntakeResult.Applied, IntakeResult.Applied], later.Words());
        Assert.All([first[0], first[2], later[1]], r => Assert.Equal(taken.RencontreId, r.RencontreId));
        Assert.Equal(RencontreOutcome.CancelledByHote, Assert.Single((await jafer.GetAsync(taker)).Rencontres).Outcome);
    }

    [Fact]
    public async Task ReportStatus_FreeSlotTakenInTimeAndToldAfterItsTime_IsTaken()
    {
        var (gone, taker) = (await jafer.MesureInAsync(MesureState.EnAttente), await jafer.MesureInAsync(MesureState.EnAttente));
        await _intake.ReportStatusAsync(Report(Item(gone, 1, Scheduled("a", Start.AddDays(3)))));
        var slot = NewId();
        await jafer.Database.RunAsync($"""
            insert into free_slots (id, espace_id, gestionnaire_id, starts_at, duration_minutes, time_zone, modalite, rencontre_id, freed_at, version)
            select '{slot}', '{Espace}', '{Gestionnaire}', starts_at, 60, time_zone, modalite, id, starts_at - interval '3 days', 1 from rencontres where mesure_id = '{gone}'
            """);
        StatusItem Told(int sequence, DateTimeOffset at) => Item(taker, sequence, i =>
        {
            i.RencontreScheduled = new() { FreeSlotId = slot, ExternalRencontreId = "b" };
            i.OccurredTime = Timestamp.FromDateTimeOffset(at);
        });

        var results = (await _intake.ReportStatusAsync(Report(Told(1, Start.AddDays(4)), Told(2, Start.AddDays(1))))).Results;

        // Who agreed on it after its time has begun took nothing.
        Assert.Equal([IntakeResult.Refused, IntakeResult.Applied], results.Words());
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from free_slots where id = '{slot}' and taken_by_rencontre_id = '{results[1].RencontreId}'"));
    }

    [Fact]
    public async Task ReportStatus_FreeSlotOfferedWhileItIsTaken_KeepsItsOffer()
    {
        var (gone, taker) = (await jafer.MesureInAsync(MesureState.EnAttente), await jafer.MesureInAsync(MesureState.EnAttente));
        var (ahead, slot) = (TimeProvider.System.GetUtcNow().AddDays(41), NewId());
        await _intake.ReportStatusAsync(Report(Item(gone, 1, Scheduled("a", ahead)), Item(taker, 1, Attempt)));
        await jafer.Database.RunAsync($"""
            insert into free_slots (id, espace_id, gestionnaire_id, starts_at, duration_minutes, time_zone, modalite, rencontre_id, freed_at, version)
            select '{slot}', '{Espace}', '{Gestionnaire}', starts_at, 60, time_zone, modalite, id, now(), 1 from rencontres where mesure_id = '{gone}'
            """);

        // The report has read the slot and waits to write, while the slot is offered.
        await using var connection = new NpgsqlConnection(jafer.Database.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var hold = new NpgsqlCommand($"select from intake_sequences where mesure_id = '{taker}' for update", connection, transaction))
        {
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var report = _intake.ReportStatusAsync(Report(Item(taker, 2, i => i.RencontreScheduled = new() { FreeSlotId = slot, OverCapacity = true }))).ResponseAsync;
        await Eventually.BecomesAsync(
            () => jafer.Database.ReadAsync<long>($"select count(*) from pg_locks w join pg_locks h on h.transactionid = w.transactionid and h.granted and h.pid = {connection.ProcessID} where not w.granted"),
            n => n > 0, "the report waits");
        await jafer.Database.RunAsync($"update free_slots set offered_at = '2026-04-01Z', offer_candidates = 3, offer_expires_at = starts_at - interval '2 days', offer_due_at = starts_at - interval '2 days' where id = '{slot}'");
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);

        Assert.Equal([IntakeResult.Applied], (await report).Results.Words());
        Assert.Equal(
            1, await jafer.Database.ReadAsync<long>($"select count(*) from free_slots where id = '{slot}' and taken_by_mesure_id = '{taker}' and offered_at = '2026-04-01Z' and offer_candidates = 3 and offer_expires_at is not null and offer_due_at is null and version = 2"));
    }

    [Fact]
    public async Task ReportStatus_SlotOfAnInterview_HasOneTakerAndIsFreeOnceGivenUp()
    {
        var (first, second) = (await jafer.MesureInAsync(MesureState.Recue), await jafer.MesureInAsync(MesureState.Recue));
        var slot = await jafer.SlotAsync(s => s.PartyRole = PartyRole.Visiteur);
        StatusItem Taking(string mesureId, int sequence, PartyRole with) => Item(mesureId, sequence, i => i.InterviewBooked = new() { PartyRole = with, SlotId = slot.SlotId });

        var answer = await _intake.ReportStatusAsync(Report(
            Taking(first, 1, PartyRole.Hote), Taking(first, 2, PartyRole.Visiteur), Taking(first, 3, PartyRole.Visiteur), Taking(second, 1, PartyRole.Visiteur)));

        Assert.Equal([IntakeResult.Refused, IntakeResult.Applied, IntakeResult.Refused, IntakeResult.Refused], answer.Results.Words());
        Assert.Equal("interview_booked.party_role", Assert.Single(answer.Results[0].Violations).Field);
        Assert.Equal([ErrorReason.StateForbids, ErrorReason.SlotTaken], answer.Results.Skip(2).Select(r => r.Reason));

        // Given up and taken again in one batch, by another date for the party.
        var again = await _intake.ReportStatusAsync(Report(
            Item(first, 4, InterviewCancelled), Item(first, 5, InterviewBooked(PartyRole.Visiteur, Start)), Item(first, 6, InterviewCancelled), Item(first, 7, InterviewCancelled)));

        Assert.Equal([IntakeResult.Applied, IntakeResult.Applied, IntakeResult.Applied, IntakeResult.Refused], again.Results.Words());
        Assert.Equal("FREE", await jafer.Database.ReadAsync<string>($"select state from interview_slots where id = '{slot.SlotId}'"));
        Assert.Equal([InterviewState.Released, InterviewState.Released], (await jafer.GetAsync(first)).Interviews.Select(i => i.State));
    }

    [Fact]
    public async Task ReportStatus_DangerReportedByTheIntake_IsAlertedByItsNameLater()
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);
        await _intake.ReportStatusAsync(Report(Item(id, 1, Danger)));

        var answer = await _intake.ReportStatusAsync(Report(Item(id, 2, Alerted(id, 9)), Item(id, 3, Closed), Item(id, 4, Alerted(id, 1)), Item(id, 5, Closed)));

        Assert.Equal([IntakeResult.Refused, IntakeResult.Refused, IntakeResult.Applied, IntakeResult.Applied], answer.Results.Words());
        Assert.Equal("external_alert.external_difficulty_id", Assert.Single(answer.Results[0].Violations).Field);
        Assert.Equal(ExternalAlertRecipient.Parquet, Assert.Single(Assert.Single((await jafer.GetAsync(id)).Difficulties).ExternalAlerts).Recipient);
    }

    /// <summary>
    /// Random items of every kind, by batch and by stream: absurd times, long texts, ids of other things, numbers that no enum has,
    /// parts that are missing. Each gets a result, and nothing is answered by a fault.
    /// </summary>
    [Fact]
    public async Task ReportAndStreamStatus_RandomItemsOfEveryKind_AreEachAnsweredAndNeverFault()
    {
        var slot = await jafer.SlotAsync();
        var ids = new List<string>();
        foreach (var state in new[] { MesureState.Transmise, MesureState.Recue, MesureState.EnAttente, MesureState.Programmee, MesureState.EnCours, MesureState.Suspendue, MesureState.Cloturee })
        {
            ids.Add(await jafer.MesureInAsync(state));
        }

        List<string> known = [.. ids, slot.SlotId, "a", "b", await ChildAsync(ids[4]), .. (await jafer.GetAsync(ids[4])).Rencontres.Select(r => r.RencontreId), NewId()];
        var applied = new HashSet<StatusItem.WhatOneofCase>();
        var next = ids.ToDictionary(id => id, _ => 0L);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(40), Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed => Task.Run(() => HoldsAsync(seed)).GetAwaiter().GetResult()));
        Assert.True(applied.Count > 8, $"only {string.Join(", ", applied)} were ever applied: the items are too wild to reach the acts");

        async Task<bool> HoldsAsync(int seed)
        {
            var random = new Random(seed);
            var items = Enumerable.Range(0, random.Next(1, 60)).Select(_ => Wild(random, known, ids, next)).ToList();
            var results = (random.Next(2) == 0 ? (await _intake.ReportStatusAsync(Report(items))).Results : await StreamedAsync(items)).ToList();
            Assert.Equal(items.Count, results.Count);
            Assert.All(results, r => Assert.True(r.Result is not IntakeResult.Unspecified && System.Enum.IsDefined(r.Result)));
            Assert.All(results.Where(r => r.Result == IntakeResult.Refused), r => Assert.NotEqual(ErrorReason.Unspecified, r.Reason));
            applied.UnionWith(items.Zip(results).Where(x => x.Second.Result == IntakeResult.Applied).Select(x => x.First.WhatCase));
            return true;
        }
    }

    private async Task<IReadOnlyList<ItemResult>> StreamedAsync(List<StatusItem> items)
    {
        using var call = _intake.StreamStatus();
        await call.RequestStream.WriteAsync(new StreamStatusRequest { Items = { items }, RequestId = NewId() });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var results = call.ResponseStream.Current.Results;
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
        return results;
    }

    private static StatusItem Wild(Random random, List<string> known, List<string> ids, Dictionary<string, long> next)
    {
        var kinds = StatusItem.Descriptor.Oneofs[0].Fields;
        var kind = kinds[random.Next(kinds.Count)];
        var item = (StatusItem)Fuzz.Message(StatusItem.Descriptor, random, known);
        var what = Fuzz.Message(kind.MessageType, random, known);
        Tame(what, random);
        kind.Accessor.SetValue(item, what);
        if (random.Next(12) == 0)
        {
            item.ClearWhat();
        }

        if (random.Next(10) > 0)
        {
            // Well-formed enough to come to its turn.
            item.MesureId = ids[random.Next(ids.Count)];
            (item.SourceSystem, item.Sequence) = (Source, random.Next(8) == 0 ? random.NextInt64(1, 500) : ++next[item.MesureId]);
            item.ExternalId = $"wild/{item.MesureId[^12..]}/{item.Sequence}/{random.Next(20)}";
            item.OccurredTime = random.Next(3) switch { 0 => null, 1 => Instant(random), _ => Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()) };
        }

        return item;
    }

    /// <summary>Half of the fields get what they may hold, or its very edge, so that some messages pass the checks.</summary>
    private static void Tame(Google.Protobuf.IMessage message, Random random)
    {
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder().Where(f => !f.IsRepeated && random.Next(2) == 0))
        {
            object? value = field.FieldType switch
            {
                FieldType.Enum => System.Enum.ToObject(field.EnumType.ClrType, random.Next(1, field.EnumType.Values.Count)),
                FieldType.String when field.Name is "time_zone" => random.Next(2) == 0 ? "" : "Indian/Reunion",
                FieldType.String when field.Name is "comment" or "question" => random.Next(2) == 0 ? "Texte." : new string('é', 2000),
                FieldType.String when field.Name.StartsWith("external_", StringComparison.Ordinal) => random.Next(2) == 0 ? "a" : "b",
                FieldType.String => "",
                FieldType.Int32 => new[] { 0, 5, 45, 60, 240, 720 }[random.Next(6)],
                FieldType.Bool => true,
                FieldType.Message when field.MessageType == Timestamp.Descriptor => Instant(random),
                _ => null,
            };
            if (value is not null)
            {
                field.Accessor.SetValue(message, value);
            }
        }

        foreach (var part in message.Descriptor.Fields.InFieldNumberOrder().Where(f => !f.IsRepeated && f.FieldType == FieldType.Message && f.MessageType != Timestamp.Descriptor))
        {
            if (part.Accessor.GetValue(message) is Google.Protobuf.IMessage inner)
            {
                Tame(inner, random);
            }
        }
    }

    private static Timestamp Instant(Random random) => random.Next(6) switch
    {
        0 => Timestamp.FromDateTimeOffset(new DateTimeOffset(9999, 12, 30, 0, 0, 0, TimeSpan.Zero)),
        1 => Timestamp.FromDateTimeOffset(new DateTimeOffset(9000, 12, 31, 23, 0, 0, TimeSpan.Zero)),
        2 => Timestamp.FromDateTimeOffset(new DateTimeOffset(1900, 1, 1, 0, 0, 0, TimeSpan.Zero)),
        3 => new Timestamp { Seconds = long.MaxValue, Nanos = -1 },
        _ => Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(random.Next(-2000, 2000))),
    };

    private async Task<string> ChildAsync(string mesureId) => (await jafer.Database.ReadAsync<Guid>($"select id from children where mesure_id = '{mesureId}'")).ToString();

    private async Task<string> RowsAsync(string rows, string mesureId) => string.Join(
        '\n', (await jafer.Database.ReadAllAsync<string>($"select x::text from ({rows.Replace("{0}", mesureId, StringComparison.Ordinal)}) as t (x)")).Select(r => Uuid().Replace(OpenedDump.OpenRow(rows[(rows.IndexOf(" from ", StringComparison.Ordinal) + 6)..].Split(' ')[0], r), "…")).Order(StringComparer.Ordinal));

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f-]{27}")]
    private static partial Regex Uuid();

    /// <summary>A life in which every kind of item has its turn.</summary>
    private static List<StatusItem> Life(string id, string child, DateTimeOffset ahead, string slotId)
    {
        Action<StatusItem>[] acts =
        [
            Acknowledged,
            InterviewBooked(PartyRole.Visiteur, ahead),
            ChargeTaken,
            Reached,
            ClosureProposed,
            InterviewCancelled,
            i => i.InterviewBooked = new() { PartyRole = PartyRole.Hote, SlotId = slotId },
            i => i.Interview = new() { PartyRole = PartyRole.Hote },
            Scheduled("a", ahead),
            Confirmed("a"),
            Moved("a", ahead.AddDays(1)),
            Confirmed("a", PartyRole.Visiteur),
            Cancelled("a"),
            i => i.RencontreScheduled = new()
            {
                ExternalRencontreId = "b",
                StartTime = Timestamp.FromDateTimeOffset(Start),
                DurationMinutes = 60,
                ReturnTime = Timestamp.FromDateTimeOffset(Start.AddHours(2)),
            },
            Held("b", child),
            Returned("b"),
            Suspended,
            Resumed,
            Danger,
            Alerted(id, 19),
            Closed,
            Reopened,
            i => i.RencontreOutcomeCorrected = new() { ExternalRencontreId = "b", Outcome = RencontreOutcome.VisiteurAbsent },
        ];
        return [.. acts.Select((act, i) => Item(id, i + 1, act))];
    }

    /// <summary>The same life by the single acts, at the same times.</summary>
    private async Task ActAsync(string id, DateTimeOffset ahead, string slotId)
    {
        var (mesures, interviews) = (jafer.AsEspace, jafer.InterviewsAsEspace);
        var rencontres = new RencontreService.RencontreServiceClient(jafer.First.Channel("espace", Gestionnaire));
        var minute = 0;
        Timestamp Next() => Timestamp.FromDateTimeOffset(Start.AddMinutes(++minute));
        Timestamp At(double days) => Timestamp.FromDateTimeOffset(ahead.AddDays(days));

        await mesures.AcknowledgeMesureAsync(new() { MesureId = id, OccurredTime = Next(), RequestId = NewId() });
        var interview = await interviews.BookInterviewAsync(
            new() { MesureId = id, PartyRole = PartyRole.Visiteur, StartTime = At(0), DurationMinutes = 45, OccurredTime = Next(), RequestId = NewId() });
        await mesures.TakeChargeAsync(new() { MesureId = id, OccurredTime = Next(), RequestId = NewId() });
        await mesures.RecordContactAsync(new() { MesureId = id, PartyRole = PartyRole.Visiteur, Outcome = ContactOutcome.Reached, OccurredTime = Next(), RequestId = NewId() });
        await mesures.ProposeClosureAsync(new() { MesureId = id, Reason = ClosureReason.SansSuiteRefusHote, OccurredTime = Next(), RequestId = NewId() });
        await interviews.CancelInterviewAsync(
            new() { MesureId = id, InterviewId = interview.InterviewId, Reason = InterviewReleaseReason.PartyCancelled, OccurredTime = Next(), RequestId = NewId() });
        await interviews.BookInterviewAsync(new() { MesureId = id, PartyRole = PartyRole.Hote, SlotId = slotId, OccurredTime = Next(), RequestId = NewId() });
        await mesures.RecordInterviewAsync(new() { MesureId = id, PartyRole = PartyRole.Hote, OccurredTime = Next(), RequestId = NewId() });
        var first = (await mesures.ScheduleRencontreAsync(new() { MesureId = id, StartTime = At(0), DurationMinutes = 60, OccurredTime = Next(), RequestId = NewId() })).RencontreId;
        await rencontres.ConfirmRencontreAsync(new() { MesureId = id, RencontreId = first, PartyRole = PartyRole.Hote, OccurredTime = Next(), RequestId = NewId() });
        var moved = (await rencontres.MoveRencontreAsync(
            new() { MesureId = id, RencontreId = first, Planned = new() { StartTime = At(1), DurationMinutes = 60 }, OccurredTime = Next(), RequestId = NewId() })).RencontreId;
        await rencontres.ConfirmRencontreAsync(new() { MesureId = id, RencontreId = moved, PartyRole = PartyRole.Visiteur, OccurredTime = Next(), RequestId = NewId() });
        await rencontres.CancelRencontreAsync(new() { MesureId = id, RencontreId = moved, Outcome = RencontreOutcome.CancelledByHote, OccurredTime = Next(), RequestId = NewId() });
        var remise = (await mesures.ScheduleRencontreAsync(new()
        {
            MesureId = id,
            StartTime = Timestamp.FromDateTimeOffset(Start),
            DurationMinutes = 60,
            ReturnTime = Timestamp.FromDateTimeOffset(Start.AddHours(2)),
            OccurredTime = Next(),
            RequestId = NewId(),
        })).RencontreId;
        await mesures.RecordRencontreOutcomeAsync(new()
        {
            MesureId = id,
            RencontreId = remise,
            Outcome = RencontreOutcome.Held,
            VisiteurPresent = true,
            PresentChildIds = { await ChildAsync(id) },
            OccurredTime = Next(),
            RequestId = NewId(),
        });
        await rencontres.RecordRemiseReturnAsync(new() { MesureId = id, RencontreId = remise, Outcome = RencontreOutcome.Held, OccurredTime = Next(), RequestId = NewId() });
        await mesures.SuspendMesureAsync(new() { MesureId = id, Reason = DifficultyReason.Incident, OccurredTime = Next(), RequestId = NewId() });
        await mesures.ResumeMesureAsync(new() { MesureId = id, OccurredTime = Next(), RequestId = NewId() });
        var danger = (await mesures.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Danger, OccurredTime = Next(), RequestId = NewId() })).DifficultyId;
        await mesures.RecordExternalAlertAsync(new()
        {
            MesureId = id,
            DifficultyId = danger,
            Recipient = ExternalAlertRecipient.Parquet,
            Kind = ExternalAlertKind.Signalement,
            OccurredTime = Next(),
            RequestId = NewId(),
        });
        await mesures.CloseMesureAsync(new() { MesureId = id, Reason = ClosureReason.InterruptionAbsenceVisiteur, OccurredTime = Next(), RequestId = NewId() });
        await mesures.ReopenMesureAsync(new() { MesureId = id, Comment = "Erreur.", RequestId = NewId() });
        Next();
        await rencontres.CorrectRencontreOutcomeAsync(new() { MesureId = id, RencontreId = remise, Outcome = RencontreOutcome.VisiteurAbsent, OccurredTime = Next(), RequestId = NewId() });
    }
}
