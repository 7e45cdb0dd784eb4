using Grpc.Core;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Jafer.Cli.Threads;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Threads;
using Jafer.Messaging.Data;
using Jafer.Messaging.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Messaging.Tests;

public sealed class ChainTests(MessagingFixture fixture) : IClassFixture<MessagingFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void CanonicalText_OfTheWorkedExample_IsThatOfTheDocument()
    {
        var message = new ExportedMessage
        {
            Position = 2,
            MessageId = "019cc4a0-5d10-7b92-a0c4-1f2e3d4c5b6a",
            AuthorKind = "ESPACE",
            AuthorOrganisationId = "8bd6b0ae-f7c6-8d10-9791-a3c76a27b9ea",
            AuthorPersonId = "anne",
            Kind = "ORDINAIRE",
            AnswerDueTime = "2026-03-20T16:00:00.000000Z",
            CreateTime = "2026-03-14T15:02:00.123456Z",
            Body = "C'est noté.",
            Salt = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            BodyDigest = Convert.ToHexStringLower(ThreadChain.BodyDigest(Convert.FromHexString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), "C'est noté.")),
        };
        var previous = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        var document = File.ReadAllText(Path.Combine(Root(), "docs", "messaging.md"));

        Assert.Contains(ThreadChain.CanonicalText("MESURE", "019caa42-1fa0-7c3e-9d51-6b8a0f2e4c71", message, previous).TrimEnd('\n'), document, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower(ThreadChain.Hash("MESURE", "019caa42-1fa0-7c3e-9d51-6b8a0f2e4c71", message, previous)), document, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_OfAnyChain_HoldsAndFindsWhateverIsDoneToIt() => Prop.ForAll(
        Gen.Choose(1, 12).SelectMany(n => Gen.Choose(0, int.MaxValue), (n, seed) => (n, seed)).ToArbitrary(),
        input =>
        {
            var random = new System.Random(input.seed);
            var export = Chain(input.n, random);
            if (ThreadChain.Verify(export) is { } fault)
            {
                throw new InvalidOperationException($"a whole chain was found broken: {fault}");
            }

            foreach (var (name, broken) in Spoilt(export, random))
            {
                // Through JSON, as it comes in a file.
                var read = JsonSerializer.Deserialize<ThreadExport>(JsonSerializer.Serialize(broken, ThreadChain.Json), ThreadChain.Json)!;
                if (ThreadChain.Verify(read) is null || ThreadCheck.Offline(read).Whole)
                {
                    throw new InvalidOperationException($"{name} was not found, {input}");
                }
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Verify_OfAnAlteredMessage_NamesItsPosition()
    {
        var export = Chain(9, new System.Random(3));

        Assert.Equal(5, ThreadChain.Verify(With(export, 4, m => m with { Body = m.Body + "!", EventType = m.EventType }))!.Position);
        Assert.Equal(3, ThreadChain.Verify(export with { Messages = [.. export.Messages.Where(m => m.Position != 3)], Thread = export.Thread with { MessageCount = 8 } })!.Position);
        Assert.StartsWith("BROKEN at position 5", ThreadCheck.Offline(With(export, 4, m => m with { Body = "autre" })).Line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_OfARealThread_IsWholeAndWhateverSqlDoesToTheRowsIsFound()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));
        await court.SayAsync(mesure, "un");
        await espace.SayAsync(mesure, "deux \"guillemets\"\r\n<b>é😀</b>", r => r.Kind = MessageKind.Danger);
        await court.SayAsync(mesure, "trois");
        await fixture.PublishAsync(mesure.Acknowledged());
        await fixture.EntriesAsync(mesure, 5);

        var whole = await court.FileAsync(mesure);
        Assert.Null(ThreadChain.Verify(whole));
        Assert.Equal(whole.Thread.HeadHash, Convert.ToHexStringLower((await court.ThreadAsync(mesure)).HeadHash.Span));
        Assert.Equal((await court.AllMessagesAsync(mesure)).Select(m => Convert.ToHexStringLower(m.Hash.Span)), whole.Messages.Select(m => m.Hash));

        var at = $"thread_id = '{mesure.Id}' and position";
        foreach (var sql in new[]
        {
            $"update messages set body = '\\x0061' where {at} = 2",
            $"update messages set created_at = created_at + interval '1 microsecond' where {at} = 3",
            $"update messages set kind = 'ORDINAIRE' where {at} = 3",
            $"update messages set author_kind = 'ESPACE' where {at} = 4",
            $"update messages set event_type = 'mesure.mesure-closed.v1' where {at} = 5",
            $"delete from expectations where thread_id = '{mesure.Id}'; delete from messages where {at} = 3",
            $"delete from messages where {at} = 5",
            $"update messages set position = position + 100 where {at} in (2, 4); update messages set position = 106 - position where {at} > 100",
            $"insert into messages select thread_id, 6, gen_random_uuid(), author_kind, author_organisation_id, body, event_type, created_at, author_person_id, kind, null, null, null, null, null, null, null, null, null, null, salt, body_digest, attachment_digests, hash from messages where {at} = 4",
        })
        {
            await fixture.Database.RunAsync($"""
                create table kept as select * from messages where thread_id = '{mesure.Id}';
                create table kept_expectations as select * from expectations where thread_id = '{mesure.Id}';
                alter table messages disable trigger messages_never_change;
                alter table expectations disable trigger all;
                {sql};
                """);

            Assert.True(ThreadChain.Verify(await court.FileAsync(mesure)) is not null, sql);

            await fixture.Database.RunAsync($"""
                delete from expectations where thread_id = '{mesure.Id}';
                delete from messages where thread_id = '{mesure.Id}';
                insert into messages select * from kept;
                insert into expectations select * from kept_expectations;
                """);
            await fixture.Database.RunAsync("""
                alter table messages enable trigger messages_never_change;
                alter table expectations enable trigger all;
                drop table kept, kept_expectations;
                """);
        }

        Assert.Null(ThreadChain.Verify(await court.FileAsync(mesure)));
    }

    [Fact]
    public async Task Against_TheServer_FindsACutTailAndAnotherHistory()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Court(mesure);
        await court.SayAsync(mesure, "un");
        await court.SayAsync(mesure, "deux");
        var file = await court.FileAsync(mesure);
        var thread = await court.ThreadAsync(mesure);
        var cut = file with { Messages = [.. file.Messages.Take(2)], Thread = file.Thread with { MessageCount = 2, HeadHash = file.Messages[1].Hash } };
        var other = Chain(3, new System.Random(1));

        Assert.True(ThreadCheck.Against(file, thread).Whole);
        Assert.True(ThreadCheck.Offline(cut).Whole);
        Assert.StartsWith("INCOMPLETE", ThreadCheck.Against(cut, thread).Line, StringComparison.Ordinal);
        Assert.False(ThreadCheck.Against(cut, thread).Whole);
        Assert.False(ThreadCheck.Against(other, thread).Whole);
        Assert.Equal(mesure.Id.ToString(), ThreadCheck.RequestFor(file).MesureId);
    }

    [Fact]
    public async Task CheckThreadExport_OfAFileThatWasAlteredAnywhere_DoesNotKnowIt()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Person(ServiceDefaults.Access.Roles.Espace, mesure.GestionnaireId, "anne"));
        var question = await court.SayAsync(mesure, "un", r => r.Kind = MessageKind.Difficulte);
        await espace.MarkThreadReadAsync(Messages.Read(mesure, question.MessageId), cancellationToken: Ct);
        var bytes = await court.ExportAsync(mesure, ExportFormat.Json);
        var path = Path.Combine(Path.GetTempPath(), $"jafer-{mesure.Id}.json");
        try
        {
            await File.WriteAllBytesAsync(path, bytes, Ct);
            var export = await ThreadCheck.ReadAsync(path, Ct);
            var asked = await ThreadCheck.CheckFor(export, path, Ct);
            var given = await espace.CheckThreadExportAsync(asked, cancellationToken: Ct);
            Assert.True(ThreadCheck.Offline(export).And(ThreadCheck.Given(given)).Whole);
            Assert.Equal((true, mesure.JuridictionId.ToString()), (given.Known, given.OrganisationId));

            // What no hash of a message holds: when somebody read it, that nobody acknowledged it.
            foreach (var (from, to) in new[] { ("\"readTime\": \"20", "\"readTime\": \"19"), ("\"OPEN\"", "\"MET\"") })
            {
                var text = System.Text.Encoding.UTF8.GetString(bytes);
                Assert.Contains(from, text, StringComparison.Ordinal);
                await File.WriteAllTextAsync(path, text.Replace(from, to, StringComparison.Ordinal), Ct);
                var altered = await ThreadCheck.ReadAsync(path, Ct);
                Assert.True(ThreadCheck.Offline(altered).Whole);
                var verdict = ThreadCheck.Given(await court.CheckThreadExportAsync(await ThreadCheck.CheckFor(altered, path, Ct), cancellationToken: Ct));
                Assert.False(verdict.Whole);
                Assert.StartsWith("ALTERED", verdict.Line, StringComparison.Ordinal);
            }
        }
        finally
        {
            File.Delete(path);
        }

        var bad = await Refusal.OfAsync(court.CheckThreadExportAsync(new() { Sha256 = Google.Protobuf.ByteString.CopyFrom(1) }, cancellationToken: Ct));
        Assert.Equal(StatusCode.InvalidArgument, bad.Code);
        Assert.Contains("sha256", bad.Fields);
    }

    [Fact]
    public void Anchored_ByTheFeed_FindsAThreadThatWasWrittenAnewAsAWhole()
    {
        var kept = Chain(6, new System.Random(5));
        var anchors = kept.Messages.Where(m => m.Position is 2 or 5).ToDictionary(m => m.MessageId, m => m.Hash!);
        var (thread, previous) = (kept.Thread, ThreadChain.Start);
        var anew = new List<ExportedMessage>();
        foreach (var message in kept.Messages)
        {
            var changed = message with { CreateTime = message.Position == 4 ? "2026-12-24T00:00:00.000000Z" : message.CreateTime, PreviousHash = previous };
            previous = Convert.ToHexStringLower(ThreadChain.Hash(thread.Kind, thread.ThreadId, changed, previous));
            anew.Add(changed with { Hash = previous });
        }

        var written = kept with { Messages = anew, Thread = thread with { HeadHash = previous } };
        Assert.True(ThreadCheck.Offline(written).Whole);
        Assert.StartsWith("DIFFERENT at position 5", ThreadCheck.Anchored(written, anchors).Line, StringComparison.Ordinal);
        Assert.True(ThreadCheck.Anchored(kept, anchors).Whole);
        var cut = kept with { Messages = [.. kept.Messages.Take(4)], Thread = thread with { MessageCount = 4, HeadHash = kept.Messages[3].Hash } };
        Assert.True(ThreadCheck.Offline(cut).Whole);
        Assert.StartsWith("INCOMPLETE", ThreadCheck.Anchored(cut, anchors).Line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migration_OfMessagesThatStandThere_ChainsThemAndKeepsThemFromChange()
    {
        var (thread, court, espace) = (TestMesure.NewId(), TestMesure.NewId(), TestMesure.NewId());
        await using var database = await TestDatabase.CreateAsync(Servers.Postgres, MessagingModule.Name, _ => Task.CompletedTask);
        await using var app = Build(database.ConnectionString);
        await MigrateUntilAsync(app, database, "202611210001_threads");
        await database.RunAsync($"""
            insert into threads (mesure_id, juridiction_id, gestionnaire_id, holders_version, message_count, last_message_at) values ('{thread}', '{court}', '{espace}', 3, 3, now());
            insert into messages values
                ('{thread}', 1, '{TestMesure.NewId()}', 'SYSTEME', null, null, 'mesure.mesure-transmitted.v1', '2026-03-01T08:00:00.5Z'),
                ('{thread}', 2, '{TestMesure.NewId()}', 'JURIDICTION', '{court}', '\x00'::bytea || convert_to('Une visite à prévoir.', 'UTF8'), null, '2026-03-02T08:00:00.123456Z'),
                ('{thread}', 3, '{TestMesure.NewId()}', 'SYSTEME', null, null, 'mesure.mesure-closed.v1', '2026-03-03T08:00:00Z');
            insert into receipts values ('{thread}', '{espace}', 2, '2026-03-02T09:00:00Z');
            """);

        await MessagingModule.MigrateAsync(app);
        await using var host = await ServiceHost.StartAsync(
            b => MessagingModule.Build([], b), ServiceHost.Settings(MessagingModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));
        var client = new MessagingService.MessagingServiceClient(host.Channel("juridiction", court));
        using var call = client.GetThreadExport(new GetThreadExportRequest { MesureId = thread.ToString(), Format = ExportFormat.Json }, cancellationToken: Ct);
        await call.ResponseStream.MoveNext(Ct);
        await call.ResponseStream.MoveNext(Ct);
        var file = JsonSerializer.Deserialize<ThreadExport>(call.ResponseStream.Current.Data.Span, ThreadChain.Json)!;

        Assert.Null(ThreadChain.Verify(file));
        Assert.Equal([null, "Une visite à prévoir.", null], file.Messages.Select(m => m.Body));
        Assert.Equal((3L, "2026-03-03T08:00:00.000000Z"), (file.Thread.MessageCount, file.Thread.CloseTime));
        Assert.Single(file.Messages[1].Receipts!);
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.RunAsync("update messages set kind = 'DANGER' where position = 2"));
        Assert.Contains("a message never changes", refused.MessageText, StringComparison.Ordinal);
    }

    private static Microsoft.AspNetCore.Builder.WebApplication Build(string connection) => MessagingModule.Build(
        [], b => Microsoft.Extensions.Configuration.MemoryConfigurationBuilderExtensions.AddInMemoryCollection(b.Configuration, ServiceHost.Settings(MessagingModule.Name, connection, "none")));

    /// <summary>Runs the migrations up to one; EF's migrator finds none by ids of another length than its own.</summary>
    private static async Task MigrateUntilAsync(Microsoft.AspNetCore.Builder.WebApplication app, TestDatabase database, string last)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MessagingDbContext>();
        var (assembly, history) = (db.GetService<IMigrationsAssembly>(), db.GetService<IHistoryRepository>());
        await database.RunAsync(history.GetCreateScript());
        foreach (var (id, type) in assembly.Migrations.Where(m => string.CompareOrdinal(m.Key, last) <= 0))
        {
            foreach (var step in assembly.CreateMigration(type, db.Database.ProviderName!).UpOperations.Cast<SqlOperation>())
            {
                await database.RunAsync(step.Sql);
            }

            await database.RunAsync(history.GetInsertScript(new HistoryRow(id, "10")));
        }
    }

    /// <summary>A whole chain, made as the service makes it.</summary>
    private static ThreadExport Chain(int count, System.Random random)
    {
        var thread = new MessageThread
        {
            ThreadId = NewId(),
            Kind = ThreadKind.Mesure,
            JuridictionId = NewId(),
            GestionnaireId = NewId(),
            HoldersVersion = 1,
            MessageCount = 0,
            LastMessageAt = default,
        };
        var messages = new List<ExportedMessage>();
        while (messages.Count < count)
        {
            var step = random.Next(4) == 0;
            var salt = new byte[ThreadChain.SaltLength];
            random.NextBytes(salt);
            var body = $"texte {random.Next()}\nplace {messages.Count}";
            var message = new ThreadMessage
            {
                ThreadId = thread.ThreadId,
                MessageId = NewId(),
                AuthorKind = step ? AuthorKind.Systeme : (AuthorKind)random.Next(1, 3),
                AuthorOrganisationId = step ? null : NewId(),
                AuthorPersonId = step || random.Next(2) == 0 ? null : $"personne {random.Next(9)}\n",
                Kind = step ? null : (MessageKind)random.Next(1, 4),
                Body = step ? null : body,
                Salt = step ? null : salt,
                BodyDigest = step ? null : ThreadChain.BodyDigest(salt, body),
                AnswersMessageId = step || random.Next(3) > 0 ? null : NewId(),
                AnswerDueAt = step || random.Next(3) > 0 ? null : Instant(random),
                TemplateCode = step ? null : "CODE",
                TemplateVersion = step ? null : 2,
                OriginMesureId = step || random.Next(3) > 0 ? null : NewId(),
                OriginMessageId = NewId(),
                OriginAuthorKind = AuthorKind.Espace,
                OriginKind = MessageKind.Danger,
                OriginCreatedAt = Instant(random),
                AttachmentDigests = step || random.Next(2) == 0 ? [] : [new string('a', 64), new string('b', 64)],
                EventType = step ? "mesure.mesure-closed.v1" : null,
                CreatedAt = Instant(random),
            };
            thread.Append(message);
            messages.Add(ThreadFile.Whole(message, messages.Count == 0 ? ThreadChain.Start : messages[^1].Hash!, [], [], []));
        }

        return new ThreadExport
        {
            Format = ThreadExport.CurrentFormat,
            ExportTime = ThreadChain.Text(Instant(random)),
            Thread = new ExportedThread
            {
                Kind = thread.Kind.ToCode(),
                ThreadId = thread.ThreadId.ToString(),
                GestionnaireId = thread.GestionnaireId.ToString(),
                MessageCount = count,
                HeadHash = messages[^1].Hash,
            },
            Participants = [],
            Messages = messages,
        };

        Guid NewId()
        {
            var bytes = new byte[16];
            random.NextBytes(bytes);
            return new Guid(bytes);
        }
    }

    private static DateTimeOffset Instant(System.Random random) => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(random.NextInt64(0, 1_000_000_000) * 10);

    /// <summary>The chain with something done to it: one field of any message, a message removed, doubled, swapped, moved, the tail cut.</summary>
    private static IEnumerable<(string Name, ThreadExport Export)> Spoilt(ThreadExport export, System.Random random)
    {
        var at = random.Next(export.Messages.Count);
        var message = export.Messages[at];
        foreach (var (name, changed) in new (string, ExportedMessage)[]
        {
            ("message", message with { MessageId = Guid.Empty.ToString() }),
            ("author", message with { AuthorKind = message.AuthorKind == "ESPACE" ? "JURIDICTION" : "ESPACE" }),
            ("organisation", message with { AuthorOrganisationId = Guid.Empty.ToString() }),
            ("person", message with { AuthorPersonId = message.AuthorPersonId + "x" }),
            ("kind", message with { Kind = message.Kind == "DANGER" ? "ORDINAIRE" : "DANGER" }),
            ("no kind", message with { Kind = "-" }),
            ("corrects", message with { CorrectsMessageId = Guid.Empty.ToString() }),
            ("answers", message with { AnswersMessageId = Guid.Empty.ToString() }),
            ("due", message with { AnswerDueTime = "2027-01-01T00:00:00.000000Z" }),
            ("template", message with { TemplateCode = "AUTRE", TemplateVersion = 2 }),
            ("half a template", message with { TemplateCode = "AUTRE", TemplateVersion = null }),
            ("origin", message with { Origin = message.Origin is null ? new ExportedOrigin { MesureId = "a", MessageId = "b", AuthorKind = "c", Kind = "d", CreateTime = "e" } : null }),
            ("time", message with { CreateTime = "2027-01-01T00:00:00.000000Z" }),
            ("event", message with { EventType = "mesure.mesure-reopened.v1" }),
            ("line", message with { CreateTime = message.CreateTime + "\nevent -" }),
            ("body", message with { Body = message.Body + " " }),
            ("digest", message with { BodyDigest = new string('c', 64) }),
            ("attachments", message with { AttachmentDigests = [new string('c', 64)] }),
            ("hash", message with { Hash = new string('c', 64) }),
            ("previous", message with { PreviousHash = new string('c', 64) }),
            ("position", message with { Position = message.Position + 1 }),
        })
        {
            yield return (name, With(export, at, _ => changed));
        }

        if (message.Body is not null)
        {
            yield return ("body left out", With(export, at, m => m with { Body = null }));
            yield return ("salt", With(export, at, m => m with { Salt = new string('0', 64) }));
        }

        var messages = export.Messages.ToList();
        messages.RemoveAt(at);
        yield return ("removed", export with { Messages = messages });
        yield return ("removed and counted", export with { Messages = messages, Thread = export.Thread with { MessageCount = messages.Count } });
        if (at < messages.Count)
        {
            yield return ("removed and numbered", export with
            {
                Messages = [.. messages.Select((m, i) => m with { Position = i + 1, PreviousHash = null })],
                Thread = export.Thread with { MessageCount = messages.Count },
            });
        }

        yield return ("doubled", export with { Messages = [.. export.Messages, export.Messages[at] with { Position = export.Messages.Count + 1 }], Thread = export.Thread with { MessageCount = export.Messages.Count + 1 } });
        yield return ("another thread", export with { Thread = export.Thread with { ThreadId = Guid.Empty.ToString() } });
        yield return ("head", export with { Thread = export.Thread with { HeadHash = new string('c', 64) } });
        if (export.Messages.Count > 1)
        {
            var other = (at + 1 + random.Next(export.Messages.Count - 1)) % export.Messages.Count;
            var swapped = export.Messages.ToList();
            (swapped[at], swapped[other]) = (swapped[other] with { Position = at + 1, PreviousHash = null }, swapped[at] with { Position = other + 1, PreviousHash = null });
            yield return ("swapped", export with { Messages = swapped });
        }
    }

    private static ThreadExport With(ThreadExport export, int index, Func<ExportedMessage, ExportedMessage> change) =>
        export with { Messages = [.. export.Messages.Select((m, i) => i == index ? change(m) : m)] };

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Jafer.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Jafer.sln is above no folder of this test");
        }

        return folder.FullName;
    }
}
