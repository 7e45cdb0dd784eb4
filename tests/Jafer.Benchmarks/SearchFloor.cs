using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// The floor of a search: the page is known beforehand and read by one prepared query, a row for each result. No ranking, no
/// travel times, no freshness, no checks.
/// </summary>
internal sealed class SearchFloor(NpgsqlDataSource source) : DirectoryService.DirectoryServiceBase
{
    /// <summary>The pages, ready made, by the mesure asked for.</summary>
    public const string Table = """
        create table bench_pages (
            mesure bytea, position integer,
            result bytea not null, total_count integer not null, next_page_token text, notes bytea,
            primary key (mesure, position))
        """;

    private const string Query = "select result, total_count, next_page_token, notes from bench_pages where mesure = $1 order by position";

    public override async Task<SearchEspacesResponse> SearchEspaces(SearchEspacesRequest request, ServerCallContext context)
    {
        await using var command = source.CreateCommand(Query);
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = request.Mesure.ToByteArray() });
        await using var reader = await command.ExecuteReaderAsync(context.CancellationToken);
        var response = new SearchEspacesResponse();
        while (await reader.ReadAsync(context.CancellationToken))
        {
            response.Results.Add(EspaceResult.Parser.ParseFrom(reader.GetFieldValue<byte[]>(0)));
            response.TotalCount = reader.GetInt32(1);
            if (!reader.IsDBNull(2))
                response.NextPageToken = reader.GetString(2);
            if (!reader.IsDBNull(3))
                response.MergeFrom(reader.GetFieldValue<byte[]>(3));
        }

        return response;
    }
}
