using System.Data.Common;
using Jafer.ServiceDefaults.Access;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Jafer.ServiceDefaults.Data;

/// <summary>
/// The service's database as a caller may see it: one who may touch the things of their own organisation alone reaches it as
/// <see cref="DatabaseRoles.Calls"/>, with that organisation as the tenant of row security; one who may touch everybody's or those of a
/// territory, and the service itself, as <see cref="DatabaseRoles.Work"/>.
/// </summary>
/// <param name="work">The database for <see cref="DatabaseRoles.Work"/>.</param>
/// <param name="calls">The database for <see cref="DatabaseRoles.Calls"/>.</param>
public sealed class TenantStore(NpgsqlDataSource work, [FromKeyedServices(DatabaseRoles.Calls)] NpgsqlDataSource calls)
{
    /// <summary>
    /// Sets the tenant for the rest of the transaction, which is the statements sent with it where none was begun. It rides with
    /// the first of them, so that it costs no round trip.
    /// </summary>
    internal const string SetTenant = "select set_config('jafer.tenant', @jafer_tenant, true), set_config('jafer.role', @jafer_role, true);\n";

    /// <summary>Runs a query that needs no model.</summary>
    /// <param name="caller">For whom.</param>
    /// <param name="query">The query, with @names for its values.</param>
    /// <param name="values">The values.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>The rows; the connection goes back when they are disposed of.</returns>
    public async Task<NpgsqlDataReader> ReadAsync(Caller caller, string query, IEnumerable<NpgsqlParameter> values, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(values);
        var tenant = Tenant.Of(caller);
        await using var command = tenant is null ? work.CreateCommand(query) : calls.CreateCommand(SetTenant + query);
        foreach (var value in values)
        {
            command.Parameters.Add(value);
        }

        tenant?.AddTo(command.Parameters);
        var reader = await command.ExecuteReaderAsync(ct);
        if (tenant is not null)
        {
            await reader.NextResultAsync(ct);
        }

        return reader;
    }

    /// <summary>A connection for a tenant, not open; for the service's own work when there is none.</summary>
    /// <param name="tenant">The tenant.</param>
    internal NpgsqlConnection CreateConnection(Tenant? tenant) => (tenant is null ? work : calls).CreateConnection();
}

/// <summary>Whose rows alone are seen, and as what.</summary>
/// <param name="OrganisationId">The organisation.</param>
/// <param name="Role">The role of the call, as the access table names it.</param>
internal sealed record Tenant(Guid OrganisationId, string Role)
{
    /// <summary>The tenant of a call; null for one that may touch everybody's things or those of a territory, and for the service itself.</summary>
    /// <param name="caller">The caller; null for the service itself.</param>
    public static Tenant? Of(Caller? caller) =>
        caller is null or { Tenancy: Tenancy.Any or Tenancy.Territory } or { Cell.WithTerritory: true, Territory: not null } ? null : new Tenant(caller.OrganisationId, caller.Role);

    /// <summary><see cref="TenantStore.SetTenant"/> as a statement of a batch.</summary>
    public NpgsqlBatchCommand ToStatement() => Inserts.With(
        "select set_config('jafer.tenant', $1, true), set_config('jafer.role', $2, true)", Inserts.Value(OrganisationId.ToString()), Inserts.Value(Role));

    /// <summary>Adds the parameters of <see cref="TenantStore.SetTenant"/>.</summary>
    /// <param name="parameters">Those of a command.</param>
    public void AddTo(DbParameterCollection parameters)
    {
        parameters.Add(new NpgsqlParameter<string>("jafer_tenant", OrganisationId.ToString()));
        parameters.Add(new NpgsqlParameter<string>("jafer_role", Role));
    }
}

/// <summary>On whose behalf a scope reaches the database: the caller of a call; null for the service's own work.</summary>
internal sealed class StoreScope
{
    public Caller? Caller { get; set; }
}

/// <summary>
/// Sets the tenant with the first command of each transaction of a context that serves one. Not with what SaveChanges sends: EF
/// counts its statements, so <see cref="JaferDbContext"/> sets it before.
/// </summary>
internal sealed class TenantInterceptor : DbCommandInterceptor
{
    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        Prepend(command, eventData);
        return new(result);
    }

    public override async ValueTask<DbDataReader> ReaderExecutedAsync(
        DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default)
    {
        if (command.CommandText.StartsWith(TenantStore.SetTenant, StringComparison.Ordinal))
        {
            await result.NextResultAsync(cancellationToken);
        }

        return result;
    }

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Prepend(command, eventData);
        return new(result);
    }

    private static void Prepend(DbCommand command, CommandEventData eventData)
    {
        if (eventData.CommandSource != CommandSource.SaveChanges && (eventData.Context as JaferDbContext)?.TakeTenant() is { } tenant)
        {
            command.CommandText = TenantStore.SetTenant + command.CommandText;
            tenant.AddTo(command.Parameters);
        }
    }
}
