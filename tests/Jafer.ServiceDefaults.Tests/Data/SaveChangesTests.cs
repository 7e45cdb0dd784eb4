using Jafer.Probe;
using Jafer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace Jafer.ServiceDefaults.Tests.Data;

/// <summary>What the context saves: entities by EF, append-only rows beside it, all or nothing.</summary>
public sealed class SaveChangesTests : IAsyncLifetime
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 21, 8, 0, 0, TimeSpan.Zero);

    private TestDatabase? _database;
    private NpgsqlDataSource? _source;

    public async ValueTask InitializeAsync()
    {
        _database = await ProbeHost.CloneAsync();
        _source = NpgsqlDataSource.Create(_database.ConnectionString + ";No Reset On Close=true");
    }

    public async ValueTask DisposeAsync()
    {
        await _source!.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Fact]
    public async Task SaveChanges_SeveralEvents_KeepTheOrderOfTheirPublication()
    {
        await using var db = Context();
        var events = Enumerable.Range(1, 20).Select(version => ProbeGrpcService.Event(Organisations.New(), version, s_now, "VISITE")).ToList();
        foreach (var message in events)
        {
            db.Publish(message);
        }

        Assert.Equal(20, await db.SaveChangesAsync());

        Assert.Equal(events.Select(e => e.EventId), await _database!.ReadAllAsync<Guid>("select message_id from outbox_messages order by id"));
        Assert.False(db.ChangeTracker.HasChanges());
    }

    [Fact]
    public async Task SaveChanges_ContextOfThePoolWhoseLastUserSavedNothing_WritesNothingOfTheirs()
    {
        var options = new DbContextOptionsBuilder<ProbeDbContext>().UseNpgsql(_source!).Options;
        var pool = new PooledDbContextFactory<ProbeDbContext>(options, poolSize: 1);
        ProbeDbContext first;
        await using (first = await pool.CreateDbContextAsync())
        {
            first.Publish(ProbeGrpcService.Event(Organisations.New(), 1, s_now, "VISITE"));
        }

        await using var second = await pool.CreateDbContextAsync();
        var message = ProbeGrpcService.Event(Organisations.New(), 1, s_now, "VISITE");
        second.Publish(message);
        await second.SaveChangesAsync();

        Assert.Same(first, second);
        Assert.Equal([message.EventId], await _database!.ReadAllAsync<Guid>("select message_id from outbox_messages"));
    }

    [Fact]
    public async Task SaveChanges_EventThatCannotBeWritten_SavesNothing()
    {
        var message = ProbeGrpcService.Event(Organisations.New(), 1, s_now, "VISITE");
        await using (var first = Context())
        {
            first.Publish(message);
            await first.SaveChangesAsync();
        }

        await using var db = Context();
        db.Notes.Add(NewNote());
        db.Publish(message);

        Assert.Equal(PostgresErrorCodes.UniqueViolation, (await Assert.ThrowsAsync<PostgresException>(() => db.SaveChangesAsync())).SqlState);

        Assert.Equal(0, await _database!.ReadAsync<long>("select count(*) from notes"));
        Assert.Null(db.Database.CurrentTransaction);
    }

    [Fact]
    public async Task SaveChanges_EntityThatCannotBeWritten_PublishesNothing()
    {
        var note = NewNote();
        await using (var first = Context())
        {
            first.Notes.Add(note);
            await first.SaveChangesAsync();
        }

        await using var db = Context();
        db.Notes.Add(new Note { Id = note.Id, Text = "again", Version = 1 });
        db.Publish(ProbeGrpcService.Event(note.Id, 1, s_now, "VISITE"));

        await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync());

        Assert.Equal(0, await _database!.ReadAsync<long>("select count(*) from outbox_messages"));
    }

    [Fact]
    public async Task SaveChanges_WithinATransaction_LeavesTheCommitToItsOwner()
    {
        await using var db = Context();
        await using (await db.Database.BeginTransactionAsync())
        {
            db.Notes.Add(NewNote());
            db.Publish(ProbeGrpcService.Event(Organisations.New(), 1, s_now, "VISITE"));
            await db.SaveChangesAsync();
        }

        Assert.Equal(0, await _database!.ReadAsync<long>("select (select count(*) from notes) + (select count(*) from outbox_messages)"));
    }

    [Fact]
    public async Task SaveChanges_AfterAnother_UsesTheSameContextAgain()
    {
        await using var db = Context();
        var note = NewNote();
        for (var version = 1; version <= 3; version++)
        {
            if (version == 1)
            {
                db.Notes.Add(note);
            }

            note.Version = version;
            db.Publish(ProbeGrpcService.Event(note.Id, version, s_now, "VISITE"));
            await db.SaveChangesAsync();
        }

        Assert.Equal(3, await _database!.ReadAsync<long>("select version from notes"));
        Assert.Equal(3, await _database!.ReadAsync<long>("select count(*) from outbox_messages"));
    }

    private static Note NewNote() => new() { Id = Organisations.New(), Text = "note", Version = 1 };

    private ProbeDbContext Context() => new(new DbContextOptionsBuilder<ProbeDbContext>().UseNpgsql(_source!).Options);
}
