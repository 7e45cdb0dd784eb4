using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using FreeSlot = Jafer.Mesures.Domain.FreeSlot;

namespace Jafer.Mesures.Rencontres;

/// <summary>Configuration section "Offers".</summary>
internal sealed class OfferOptions
{
    /// <summary>How often lost slots that are to be offered are looked for.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long before its start an offer expires: the time in which parents can still be told.</summary>
    public TimeSpan Notice { get; set; } = TimeSpan.FromDays(2);

    /// <summary>How long to wait before a slot that fits nobody is looked at again.</summary>
    public TimeSpan LookAgain { get; set; } = TimeSpan.FromMinutes(15);
}

/// <summary>
/// Offers lost slots to the families that wait, within seconds, and ends the offers that nobody took. Every replica looks; a slot
/// that another one has is left to it. What is offered and its event stand or fall together.
/// </summary>
internal sealed class SlotOffers(
    NpgsqlDataSource source, IServiceScopeFactory scopes, OutboxSignal signal, IOptions<OfferOptions> options, TimeProvider clock, ILogger<SlotOffers> logger)
    : BackgroundService
{
    /// <summary>How many of those who wait are looked at.</summary>
    public const int MostCandidates = 100;

    private static readonly TimeSpan s_afterFault = TimeSpan.FromMinutes(1);

    /// <summary>Makes and ends all offers that are due.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Slots looked at.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var looked = 0;
        while (await source.AnyAsync("select from free_slots where offer_due_at <= $1", [clock.GetStoredNow()], ct) && await LookAtNextAsync(ct))
        {
            looked++;
        }

        return looked;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.Interval, SweepAsync, logger, "lost slots could not be offered", stoppingToken);

    /// <summary>Looks at the offer of one slot; false when other replicas have all that are due.</summary>
    private async Task<bool> LookAtNextAsync(CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var now = clock.GetStoredNow();
        var slot = await db.FreeSlots
            .FromSql($"select * from free_slots where offer_due_at <= {now} order by offer_due_at limit 1 for update skip locked").SingleOrDefaultAsync(ct);
        if (slot is null)
        {
            return false;
        }

        try
        {
            if (slot.CanBeOffered(options.Value.Notice, now))
            {
                var matching = scope.ServiceProvider.GetRequiredService<SlotMatching>();
                var waiting = await matching.Waiting(slot, null).Take(MostCandidates).ToListAsync(ct);
                var fitting = await matching.FittingAsync(slot, waiting, now, ct);
                if (slot.Offer(fitting.Count, options.Value.Notice, options.Value.LookAgain, now))
                {
                    db.Publish(Offered(slot, now));
                }
            }
            else if (slot.EndOffer())
            {
                db.Publish(Expired(slot, now));
            }

            db.ChangeTracker.DetectChanges();
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(CancellationToken.None);
            signal.Notify();
            return true;
        }
        catch (Exception) when (!ct.IsCancellationRequested)
        {
            // One slot that cannot be matched holds up no other.
            await transaction.DisposeAsync();
            await db.Database.ExecuteSqlAsync($"update free_slots set offer_due_at = {now + s_afterFault} where id = {slot.Id} and offer_due_at is not null", ct);
            throw;
        }
    }

    private static SlotOffered Offered(FreeSlot slot, DateTimeOffset now) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = slot.Id,
        AggregateVersion = slot.Version,
        OccurredAt = now,
        RecordedAt = now,
        EspaceId = slot.EspaceId,
        GestionnaireId = slot.GestionnaireId,
        LieuId = slot.LieuId,
        StartsAt = slot.StartsAt,
        DurationMinutes = slot.DurationMinutes,
        Modalite = slot.Modalite == Modalite.Unspecified ? null : slot.Modalite.ToCode(),
        CandidateCount = slot.OfferCandidates,
        ExpiresAt = slot.OfferExpiresAt!.Value,
    };

    private static SlotOfferExpired Expired(FreeSlot slot, DateTimeOffset now) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = slot.Id,
        AggregateVersion = slot.Version,
        OccurredAt = slot.OfferExpiresAt!.Value,
        RecordedAt = now,
        EspaceId = slot.EspaceId,
        GestionnaireId = slot.GestionnaireId,
        StartsAt = slot.StartsAt,
    };
}
