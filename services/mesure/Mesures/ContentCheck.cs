using System.Linq.Expressions;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Domain.Rules;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Mesures;

/// <summary>Gathers what the rules look at, then lets them look.</summary>
internal static class ContentCheck
{
    public static async Task<IReadOnlyList<RuleFinding>> RunAsync(MesuresDbContext db, Mesure mesure, Guid? espaceId, DateOnly? expectedFirstVisit, CancellationToken ct)
    {
        var roles = await db.Parties.Where(p => p.MesureId == mesure.Id).Select(p => p.Role).ToListAsync(ct);
        var children = await db.Children.CountAsync(c => c.MesureId == mesure.Id, ct);
        var espace = espaceId is { } id ? await db.EspaceAsync(id, ct) : null;
        return MesureCheck.Run(new CheckedContent(mesure.Decision, roles, children, espaceId, espace, expectedFirstVisit));
    }

    /// <summary>Replaces the rows of a mesure by others.</summary>
    public static async Task ReplaceAsync<T>(this MesuresDbContext db, DbSet<T> set, Expression<Func<T, bool>> ofMesure, IEnumerable<T> rows, CancellationToken ct)
        where T : class
    {
        set.RemoveRange(await set.Where(ofMesure).ToListAsync(ct));
        set.AddRange(rows);
    }
}
