using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Jafer.ServiceDefaults.Data;

/// <summary>
/// Learns of every commit of the service's context, whether it was sent by EF or rode with the last rows. The service that must know
/// registers its own; the default does nothing.
/// </summary>
public class CommitListener
{
    /// <summary>A transaction was committed.</summary>
    /// <param name="db">Its context, with what was saved in it.</param>
    public virtual void Committed(JaferDbContext db)
    {
    }
}

/// <summary>Tells of the commits that EF sends.</summary>
internal sealed class CommitInterceptor(CommitListener listener) : DbTransactionInterceptor
{
    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        if (eventData.Context is JaferDbContext db)
        {
            listener.Committed(db);
        }

        return Task.CompletedTask;
    }
}
