using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Messaging;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Jafer.ServiceDefaults.Requests;

/// <summary>
/// Runs the handler of a mutating rpc so that state, outbox, journal and request id are saved in one transaction, and the same
/// request id gives the first answer again. Only successes are kept, for 24 hours.
/// </summary>
/// <param name="db">The service's context; what the handler leaves in it is saved here.</param>
/// <param name="signal">Wakes the relay after the commit.</param>
/// <param name="clock">Time.</param>
public sealed class Commands<TContext>(TContext db, OutboxSignal signal, TimeProvider clock)
    where TContext : JaferDbContext
{
    /// <summary>Runs a command.</summary>
    /// <param name="call">The call.</param>
    /// <param name="request">The whole request; its hash tells a repetition from a reused id.</param>
    /// <param name="requestId">The request id, already validated.</param>
    /// <param name="handle">
    /// Loads, decides and changes tracked entities; it does not save. One that needs SQL beyond SaveChanges begins a
    /// transaction, which is committed here.
    /// </param>
    /// <param name="resource">Name of the resource written, for the journal.</param>
    /// <param name="effectsOutside">
    /// Whether the handler does something that no rollback undoes: then a repetition is looked up before it runs.
    /// </param>
    /// <remarks>
    /// Without effects outside, the log is looked at only when something stands against the command: a repetition meets a
    /// changed state, a stale etag or the log's primary key. The common case pays no round trip for it.
    /// </remarks>
    public async Task<TResponse> RunAsync<TResponse>(
        ServerCallContext call, IMessage request, Guid requestId, Func<CancellationToken, Task<TResponse>> handle, Func<TResponse, string> resource,
        bool effectsOutside = false)
        where TResponse : class, IMessage<TResponse>, new()
    {
        var caller = call.Caller();
        var hash = SHA256.HashData(request.ToByteArray());
        var ct = call.CancellationToken;
        if (effectsOutside && await FindAsync<TResponse>(caller.Subject, requestId, call.Method, hash, ct) is { } done)
        {
            return done;
        }

        try
        {
            var response = await handle(ct);
            var now = clock.GetUtcNow();
            db.Append(new ProcessedRequest
            {
                Caller = caller.Subject,
                RequestId = requestId,
                Method = call.Method,
                RequestHash = hash,
                Response = response.ToByteArray(),
                CreatedAt = now,
                OrganisationId = caller.OrganisationId,
            });
            var journal = CallJournal.Of(call);
            var line = journal.ToWrite(resource(response), request, response);
            db.Journal(line);
            var publishes = db.Publishes || db.Database.CurrentTransaction is not null;
            await db.SaveAndCommitAsync(ct);
            journal.Committed(line);
            if (publishes)
            {
                signal.Notify();
            }

            return response;
        }
        catch (Exception e) when (e is DomainError or DbUpdateException or PostgresException)
        {
            if (db.Database.CurrentTransaction is { } transaction)
            {
                // Rolls back, and does not complain when the connection is gone.
                await transaction.DisposeAsync();
            }

            db.Forget();
            if (!RpcErrors.IsTransient(e) && await FindAsync<TResponse>(caller.Subject, requestId, call.Method, hash, ct) is { } first)
            {
                return first;
            }

            if (e is DbUpdateConcurrencyException
                || (e as PostgresException ?? e.InnerException as PostgresException)?.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                throw DomainError.EtagMismatch();
            }

            throw;
        }
    }

    private async Task<TResponse?> FindAsync<TResponse>(string caller, Guid requestId, string method, byte[] hash, CancellationToken ct)
        where TResponse : class, IMessage<TResponse>, new()
    {
        var first = await db.ProcessedRequests.AsNoTracking()
            .SingleOrDefaultAsync(r => r.Caller == caller && r.RequestId == requestId, ct);
        if (first is null)
        {
            return null;
        }

        if (first.Method != method || !first.RequestHash.AsSpan().SequenceEqual(hash))
        {
            throw DomainError.RequestIdReused();
        }

        var response = new TResponse();
        response.MergeFrom(first.Response);
        return response;
    }
}
