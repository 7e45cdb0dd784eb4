using System.Globalization;
using System.Text;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Secrets;
using Jafer.ServiceDefaults.Time;
using Npgsql;

namespace Jafer.Mesures.Mesures;

/// <summary>
/// Brings the keyed index up to date for what was written before it, or under another key: all mesures once, by their ids, some
/// hundreds in a transaction that also keeps how far it came. It goes on after a kill; one replica does it at a time.
/// </summary>
internal sealed class IndexRenewal(NpgsqlDataSource source, KeyedIndex index, TimeProvider clock, ILogger<IndexRenewal> logger) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);
    private static readonly byte[] s_rg = KeyRing.Binding("mesures.decision_rg_number");
    private static readonly byte[] s_childGivenName = KeyRing.Binding("children.given_name");
    private static readonly byte[] s_childFamilyName = KeyRing.Binding("children.family_name");
    private static readonly byte[] s_birthDate = KeyRing.Binding("children.birth_date");
    private static readonly byte[] s_partyGivenName = KeyRing.Binding("parties.given_name");
    private static readonly byte[] s_partyFamilyName = KeyRing.Binding("parties.family_name");

    private const string Begin = """
        insert into index_renewals (generation, after_mesure_id) values (@generation, '00000000-0000-0000-0000-000000000000') on conflict do nothing;
        insert into sealing_passes as p (table_name, key_id, began_at) values (@name, @generation, @now)
        on conflict (table_name) do update set key_id = @generation, began_at = @now, finished_at = null, resealed = 0 where p.key_id <> @generation
        """;

    // Another replica that is at it has the row.
    private const string Resume = "select after_mesure_id from index_renewals where generation = @generation and finished_at is null for update skip locked";

    private const string Read = """
        select id, coalesce(juridiction_id, gestionnaire_id), decision_rg_number from mesures where id > @after order by id limit @portion
        """;

    // What an act has locked it writes anew, digests and all: waiting for it could be crosswise.
    private const string ReadChildren = """
        select id, mesure_id, given_name, family_name, birth_date from children where mesure_id = any(@mesures) for no key update skip locked
        """;

    private const string ReadParties = "select id, mesure_id, given_name, family_name from parties where mesure_id = any(@mesures) for no key update skip locked";

    private const string WriteRg = """
        update mesures m set rg_index = n.rg from unnest(@ids, @rg) n (id, rg) where m.id = n.id and m.rg_index is distinct from n.rg
        """;

    private const string WriteParties = """
        update parties p set identity_index = n.identity from unnest(@ids, @identity) n (id, identity) where p.id = n.id and p.identity_index is distinct from n.identity
        """;

    // Where a child is found now, its family may have come back.
    private const string WriteChildren = """
        with changed as (
            update children c set identity_index = n.identity, return_index = n.whole from unnest(@ids, @identity, @returns) n (id, identity, whole)
            where c.id = n.id and (c.identity_index, c.return_index) is distinct from (n.identity, n.whole) returning c.mesure_id)
        insert into delay_queue (mesure_id) select distinct mesure_id from changed
        """;

    private const string Advance = """
        update index_renewals set after_mesure_id = @after where generation = @generation;
        update sealing_passes set resealed = resealed + @count where table_name = @name
        """;

    private const string Finish = """
        update index_renewals set finished_at = @now where generation = @generation;
        update sealing_passes set finished_at = @now where table_name = @name
        """;

    /// <summary>Renews all that is left to renew; nothing when it is done, when another replica is at it, or without a key.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <param name="portion">Mesures of one transaction.</param>
    public async Task RenewAsync(CancellationToken ct, int portion = 500)
    {
        while (index.Generation is { } generation && await RenewPortionAsync(generation, portion, ct))
        {
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(s_interval, ct => RenewAsync(ct), logger, "the keyed index could not be renewed", stoppingToken);

    private async Task<bool> RenewPortionAsync(string generation, int portion, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await RunAsync(Begin, new NpgsqlParameter<string>("generation", generation), Name(), new NpgsqlParameter<DateTimeOffset>("now", clock.GetStoredNow()));
        if (await ReadAsync(Resume, r => r.GetGuid(0), new NpgsqlParameter<string>("generation", generation)) is not [var after])
        {
            return false;
        }

        var mesures = await ReadAsync(
            Read, r => (Id: r.GetGuid(0), Owner: r.IsDBNull(1) ? (Guid?)null : r.GetGuid(1), RgNumber: Text(r, 2, s_rg)),
            new NpgsqlParameter<Guid>("after", after), new NpgsqlParameter<int>("portion", portion));
        if (mesures.Count == 0)
        {
            await RunAsync(Finish, new NpgsqlParameter<string>("generation", generation), Name(), new NpgsqlParameter<DateTimeOffset>("now", clock.GetStoredNow()));
            await transaction.CommitAsync(CancellationToken.None);
            return false;
        }

        var owners = mesures.ToDictionary(m => m.Id, m => m.Owner);
        var ids = new NpgsqlParameter<Guid[]>("mesures", [.. owners.Keys]);
        await RunAsync(WriteRg, Ids(mesures.Select(m => m.Id)), Digests("rg", mesures.Select(m => index.OfRgNumber(m.Owner, m.RgNumber))));
        var children = await ReadAsync(ReadChildren, ToChild, ids);
        await RunAsync(
            WriteChildren, Ids(children.Select(c => c.Id)), Digests("identity", children.Select(c => index.OfChild(owners[c.MesureId], c))),
            Digests("returns", children.Select(index.OfReturn)));
        var parties = await ReadAsync(ReadParties, ToParty, ids.Clone());
        await RunAsync(WriteParties, Ids(parties.Select(p => p.Id)), Digests("identity", parties.Select(p => index.OfParty(owners[p.MesureId], p))));
        await RunAsync(
            Advance, new NpgsqlParameter<Guid>("after", mesures[^1].Id), new NpgsqlParameter<string>("generation", generation), Name(), new NpgsqlParameter<long>("count", mesures.Count));
        await JournalEntry.WriteOwnAsync(connection, "keyed index", mesures.Select(m => $"mesures/{m.Id}"), ct);
        await transaction.CommitAsync(CancellationToken.None);
        return true;

        async Task RunAsync(string sql, params NpgsqlParameter[] parameters)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            command.Parameters.AddRange(parameters);
            await command.ExecuteNonQueryAsync(ct);
        }

        async Task<List<T>> ReadAsync<T>(string sql, Func<NpgsqlDataReader, T> row, params NpgsqlParameter[] parameters)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            command.Parameters.AddRange(parameters);
            await using var reader = await command.ExecuteReaderAsync(ct);
            var rows = new List<T>();
            while (await reader.ReadAsync(ct))
            {
                rows.Add(row(reader));
            }

            return rows;
        }
    }

    private static NpgsqlParameter<string> Name() => new("name", SealingPasses.KeyedIndex);

    private static NpgsqlParameter<Guid[]> Ids(IEnumerable<Guid> ids) => new("ids", [.. ids]);

    private static NpgsqlParameter<string?[]> Digests(string name, IEnumerable<string?> digests) => new(name, [.. digests]);

    private static string Text(NpgsqlDataReader row, int column, byte[] binding) => Encoding.UTF8.GetString(KeyRing.Process.Open(row.GetFieldValue<byte[]>(column), binding));

    private static Child ToChild(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        MesureId = row.GetGuid(1),
        Position = 0,
        GivenName = Text(row, 2, s_childGivenName),
        FamilyName = Text(row, 3, s_childFamilyName),
        BirthDate = row.IsDBNull(4) ? null : DateOnly.ParseExact(Text(row, 4, s_birthDate), "O", CultureInfo.InvariantCulture),
    };

    private static Party ToParty(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        MesureId = row.GetGuid(1),
        Role = default,
        GivenName = Text(row, 2, s_partyGivenName),
        FamilyName = Text(row, 3, s_partyFamilyName),
    };
}
