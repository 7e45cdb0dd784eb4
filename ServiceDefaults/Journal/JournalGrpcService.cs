using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Jafer.Contracts.Journal;
using Jafer.Contracts.Journal.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;
using Proto = Jafer.Contracts.Journal.V1;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>Whose mesures a service knows: who holds one may ask who opened it.</summary>
public interface IMesureHolders
{
    /// <summary>Whether a mesure exists and is the caller's: ordered by their court, or given to their espaces.</summary>
    /// <param name="mesureId">The mesure.</param>
    /// <param name="caller">The caller.</param>
    /// <param name="ct">Cancellation.</param>
    Task<bool> HoldsAsync(Guid mesureId, Caller caller, CancellationToken ct);
}

[SuppressMessage("Performance", "CA1812", Justification = "made by the gRPC server")]
internal sealed class JournalGrpcService(IMesureHolders holders, NpgsqlDataSource source, PageTokens tokens) : JournalService.JournalServiceBase
{
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 500;

    private const string Query = $"""
        select {JournalLine.Columns} from journal.entries e
        where e.resources && @names and e.at >= @from and (e.at, e.id) < (@at, @id)
        order by e.at desc, e.id desc limit @size
        """;

    public override async Task<ListAccessesResponse> ListAccesses(ListAccessesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var from = check.OptionalTime("from_time", request.FromTime);
        var size = check.PageSize(request.PageSize, DefaultPageSize, MaxPageSize);
        check.ThrowIfAny();
        var caller = context.Caller();
        var ct = context.CancellationToken;
        if (caller.Tenancy != Tenancy.Any && !await holders.HoldsAsync(mesureId, caller, ct))
        {
            throw DomainError.Forbidden();
        }

        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(request.PageToken, binding);
        await using var command = source.CreateCommand(Query);
        command.Parameters.AddWithValue("names", new[] { $"mesures/{mesureId}", $"threads/{mesureId}" });
        command.Parameters.AddWithValue("from", from ?? DateTimeOffset.MinValue);
        command.Parameters.AddWithValue("at", cursor?.At ?? DateTimeOffset.MaxValue);
        command.Parameters.AddWithValue("id", cursor?.Id ?? long.MaxValue);
        command.Parameters.AddWithValue("size", size + 1);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var lines = new List<JournalLine>();
        while (await reader.ReadAsync(ct))
        {
            lines.Add(JournalLine.Read(reader));
        }

        var response = new ListAccessesResponse();
        response.Accesses.AddRange(lines.Take(size).Select(l => ToProto(l, l.OrganisationId == caller.OrganisationId)));
        if (lines.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(lines[size - 1].At, lines[size - 1].Id), binding);
        }

        return response;
    }

    /// <summary>Who it was is told to their own organisation only: it answers for its people, and another has no need of their names.</summary>
    private static Proto.Access ToProto(JournalLine line, bool own)
    {
        var access = new Proto.Access
        {
            AccessTime = line.At.ToProto(),
            Kind = line.IsWrite ? AccessKind.Write : AccessKind.Read,
            Rpc = line.Rpc.TrimStart('/'),
            Role = line.Role,
            OrganisationId = line.OrganisationId == Guid.Empty ? "" : line.OrganisationId.ToString(),
            Subject = own ? line.Subject : "",
            OnBehalfOf = own ? line.OnBehalfOf ?? "" : "",
            Purpose = line.Purpose ?? "",
            Outcome = line.Outcome,
        };
        if (line.IsPerson is { } person)
        {
            access.IsPerson = person;
        }

        return access;
    }

    private sealed record Cursor(DateTimeOffset At, long Id);
}
