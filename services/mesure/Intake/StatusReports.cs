using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Mesures.Intake;

/// <summary>The way of every batch: validate, judge and write in one transaction, again when others wrote the same mesures meanwhile.</summary>
internal sealed class StatusReports(
    MesuresDbContext db, IServiceScopeFactory scopes, Commands<MesuresDbContext> commands, IOptions<IntakeOptions> options, TimeProvider clock)
{
    // Each defeat means that another writer got through; whoever waited for it comes next.
    private const int MaxAttempts = 10;

    /// <summary>Runs a batch.</summary>
    /// <param name="call">The call.</param>
    /// <param name="request">The whole request.</param>
    /// <param name="requestId">Its request id.</param>
    /// <param name="items">Its items.</param>
    public Task<ReportStatusResponse> RunAsync(ServerCallContext call, IMessage request, string requestId, IReadOnlyList<StatusItem> items)
    {
        var caller = call.Caller();
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var id = check.RequestId(requestId);
        check.That(items.Count > 0, "items", "is required");
        check.That(items.Count <= StatusChecks.MaxItems, "items", $"must have at most {StatusChecks.MaxItems} entries");
        var reported = items.Take(StatusChecks.MaxItems).Select(i => StatusChecks.Read(i, now)).ToList();
        if (!check.Passed)
        {
            // Told at once with the rest; in a batch that is well-formed they stand in the results.
            for (var i = 0; i < reported.Count; i++)
            {
                foreach (var violation in reported[i].Violations)
                {
                    check.Add($"{MesureChecks.Index("items", i)}.{violation.Field}", violation.Description);
                }
            }
        }

        check.ThrowIfAny();
        return commands.RunAsync(call, request, id, ct => JudgeAsync(caller, id, reported, now, ct), _ => $"intake/{id}");
    }

    private async Task<ReportStatusResponse> JudgeAsync(Caller caller, Guid requestId, IReadOnlyList<ReportedItem> items, DateTimeOffset now, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var transaction = await db.Database.BeginTransactionAsync(ct);
            try
            {
                return await new IntakeBatch(db, scopes, options.Value.Limits, now).ReportAsync(caller, requestId, items, ct);
            }
            catch (Exception e) when (IsConflict(e))
            {
                await transaction.DisposeAsync();
                if (attempt == MaxAttempts)
                {
                    throw DomainError.Unavailable(TimeSpan.FromSeconds(1));
                }
            }
        }
    }

    private static bool IsConflict(Exception e) => e is IntakeConflictException
        || (e as PostgresException)?.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure;
}
