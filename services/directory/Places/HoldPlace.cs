using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Places;

/// <summary>
/// Holds a place of an espace for a mesure that is about to be transmitted, and tells how it stands there. Whoever holds a place of one
/// espace goes one after the other, by the lock of its row, so that each is told exactly who came before.
/// </summary>
internal sealed class HoldPlace(DirectoryDbContext db, Commands<DirectoryDbContext> commands, SnapshotSource snapshots, TimeProvider clock)
{
    /// <summary>A hold as the database has it.</summary>
    private sealed record Row(Guid EspaceId, string Modalite, DateTimeOffset HeldAt, DateTimeOffset ExpiresAt);

    /// <summary>A place that is held there.</summary>
    private sealed record Ahead(Guid MesureId, long Number, DateTimeOffset Until);

    /// <summary>What the espace declared free, and the mesures that came since.</summary>
    private sealed record Declared(int? FreePlaces, DateOnly? AsOf, int Transmitted);

    public Task<HoldPlaceResponse> HandleAsync(HoldPlaceRequest request, ServerCallContext call)
    {
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var modalite = check.Known("modalite", request.Modalite);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(call, request, requestId, async ct =>
        {
            // Before the transaction: who waits for the lock of an espace must not wait for a second connection with it in hand.
            var espace = (await snapshots.GetAsync(ct)).Find(espaceId) ?? throw DomainError.NotFound($"espaces/{espaceId}");
            var (offer, today, code) = (espace.OfferOf(modalite), clock.TodayInParis(), modalite.ToCode());
            await db.Database.BeginTransactionAsync(ct);
            await db.LockPlaceAsync(mesureId, ct);
            await db.Database.ExecuteSqlAsync($"""
                select from espaces where id = {espaceId} or id = (select espace_id from place_holds where mesure_id = {mesureId}) order by id for no key update
                """, ct);
            // Of the moment in which the lock was got: whoever came before has a time before.
            var now = clock.GetStoredNow();
            var before = await db.Database.SqlQuery<Row>($"""
                select espace_id as "EspaceId", modalite as "Modalite", held_at as "HeldAt", expires_at as "ExpiresAt" from place_holds where mesure_id = {mesureId}
                """).SingleOrDefaultAsync(ct);
            var open = offer is { IsOpen: true } && !await db.Database.SqlQuery<bool>(
                $"""select exists (select from mesure_receptions where mesure_id = {mesureId}) as "Value" """).SingleAsync(ct);
            var until = open ? await HoldAsync(mesureId, espaceId, code, before, now, ct) : null;
            if (!open && before is not null)
                await db.Database.ExecuteSqlAsync($"delete from place_holds where mesure_id = {mesureId}", ct);

            var response = new HoldPlaceResponse { ExpireTime = until.ToProto() };
            if (offer is not null)
                await TellAsync(response, offer, mesureId, code, now, today, ct);
            // Last: whoever has the revision waits for nobody.
            if (before is not null || until is not null)
                await db.Database.ExecuteSqlAsync($"update espaces set revision = revision where id in ({espaceId}, {before?.EspaceId ?? espaceId})", ct);
            return response;
        }, _ => $"espaces/{espaceId}");
    }

    // The same place for longer, or a new one behind all others.
    private async Task<DateTimeOffset?> HoldAsync(Guid mesureId, Guid espaceId, string modalite, Row? before, DateTimeOffset now, CancellationToken ct)
    {
        if (before is not null && before.EspaceId == espaceId && before.Modalite == modalite && before.ExpiresAt > now && HeldPlace.Renewed(before.HeldAt, now) is { } longer)
        {
            await db.Database.ExecuteSqlAsync($"update place_holds set expires_at = {longer} where mesure_id = {mesureId}", ct);
            return longer;
        }
        var until = now + HeldPlace.Duration;
        await db.Database.ExecuteSqlAsync($"delete from place_holds where mesure_id = {mesureId}", ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into place_holds (mesure_id, espace_id, modalite, held_at, expires_at) values ({mesureId}, {espaceId}, {modalite}, {now}, {until})
            """, ct);
        return until;
    }

    private async Task TellAsync(HoldPlaceResponse response, Offer offer, Guid mesureId, string modalite, DateTimeOffset now, DateOnly today, CancellationToken ct)
    {
        var espaceId = offer.Espace.Id;
        var held = await db.Database.SqlQuery<Ahead>($"""
            select mesure_id as "MesureId", number as "Number", expires_at as "Until" from place_holds
            where espace_id = {espaceId} and modalite = {modalite} and expires_at > {now} order by number
            """).ToArrayAsync(ct);
        var seen = offer.WithHeld(Array.ConvertAll(held, h => new HeldPlace(h.MesureId, h.Number, h.Until))).SeenBy(mesureId);
        // Counted behind the lock: what the snapshot has may be of the moment before.
        var declared = await db.Database.SqlQuery<Declared>($"""
            select m.free_places as "FreePlaces", m.free_places_as_of as "AsOf", (
                select count(*)::integer from mesure_receptions r
                where r.espace_id = m.espace_id and r.modalite = m.modalite and r.received_on between m.free_places_as_of and {today}) as "Transmitted"
            from modalites m where m.espace_id = {espaceId} and m.modalite = {modalite}
            """).SingleOrDefaultAsync(ct);
        var places = declared is { FreePlaces: { } count, AsOf: { } asOf } && new DeclaredPlaces(count, asOf) is var said && !said.IsStaleOn(today)
            ? new PlaceCount(said, declared.Transmitted, seen.Held.Length) : new PlaceCount(null, 0, seen.Held.Length);
        response.Places = places.ToProto() ?? new PlaceStanding();
        if (seen.ExpectedOn(today) is { } wait)
            response.ExpectedDays = wait.Days;
    }
}
