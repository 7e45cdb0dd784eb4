using System.Globalization;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Mesures;

/// <summary>Last number given for a court and year.</summary>
[Holds(DataCategory.Technical, Processing.Mesures, Kept.Unlimited)]
internal sealed class ReferenceCounter
{
    public required string Prefix { get; init; }

    public required int Year { get; init; }

    public required int Last { get; init; }
}

/// <summary>The short references of mesures, counted for each court and year, such as "TJ69123-2026-000042".</summary>
internal static class References
{
    /// <summary>Takes the next reference, in the transaction of the command.</summary>
    public static async Task<string> NextAsync(MesuresDbContext db, Guid juridictionId, int year, CancellationToken ct)
    {
        // A court that the directory has not published yet counts under a prefix of its own.
        var code = (await db.Organisations.FindAsync([juridictionId], ct))?.Code ?? $"J{juridictionId.ToString("N")[..6]}";
        return await NextAsync(db, code.ToUpperInvariant(), year, ct);
    }

    /// <summary>The next reference of a non-judicial mesure: "NJ" and the first digits of its gestionnaire's id.</summary>
    public static Task<string> NextNonJudicialAsync(MesuresDbContext db, Guid gestionnaireId, int year, CancellationToken ct) =>
        // A stable id begins with a hash, so that six digits tell some hundreds of gestionnaires apart well enough to read.
        NextAsync(db, $"NJ{gestionnaireId.ToString("N")[..6].ToUpperInvariant()}", year, ct);

    private static async Task<string> NextAsync(MesuresDbContext db, string prefix, int year, CancellationToken ct)
    {
        await db.Database.BeginTransactionAsync(ct);
        var number = await db.Database.SqlQuery<int>($"""
            insert into reference_counters (prefix, year, last) values ({prefix}, {year}, 1)
            on conflict (prefix, year) do update set last = reference_counters.last + 1
            returning last as "Value"
            """).ToListAsync(ct);
        return string.Create(CultureInfo.InvariantCulture, $"{prefix}-{year}-{number[0]:D6}");
    }
}
