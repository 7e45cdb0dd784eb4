using System.Linq.Expressions;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain.Rules;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using Child = Jafer.Mesures.Domain.Child;
using Mesure = Jafer.Mesures.Domain.Mesure;
using Party = Jafer.Mesures.Domain.Party;

namespace Jafer.Mesures.Mesures;

/// <summary>Gathers what the rules look at.</summary>
internal static class ContentCheck
{
    private const int MaxRelated = 20;

    /// <summary>The longest duration of which the directory can be asked.</summary>
    private const int MaxMonths = 60;

    /// <summary>What the rules look at, and what the directory is asked with: without names or communes.</summary>
    /// <param name="db">The context.</param>
    /// <param name="mesure">The mesure.</param>
    /// <param name="espaceId">The espace to check against; null for none.</param>
    /// <param name="today">Today in Paris.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<(CheckedContent Content, MesureProfile Profile)> GatherAsync(
        MesuresDbContext db, Mesure mesure, Guid? espaceId, DateOnly today, CancellationToken ct)
    {
        var parties = await db.Parties.AsNoTracking().Where(p => p.MesureId == mesure.Id).ToListAsync(ct);
        var children = await db.Children.AsNoTracking().Where(c => c.MesureId == mesure.Id).ToListAsync(ct);
        var espace = espaceId is { } id ? await db.EspaceAsync(id, ct) : null;
        var content = new CheckedContent(mesure.Decision, [.. parties.Select(p => p.Role)], children.Count, espaceId, espace, null)
        {
            Today = today,
            Related = await RelatedAsync(db, mesure, parties, children, ct),
        };
        return (content, Profile(mesure, parties, children, await CourtCodeAsync(db, mesure, ct), mesure.Decision.Date, today));
    }

    /// <summary>
    /// What the directory is asked with when another espace is to be designated today: the same, as it is today, with what is left of
    /// the duration and with the communes, but for those of protected addresses.
    /// </summary>
    /// <param name="db">The context.</param>
    /// <param name="mesure">The mesure.</param>
    /// <param name="today">Today in Paris.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<MesureProfile> ToRedesignateAsync(MesuresDbContext db, Mesure mesure, DateOnly today, CancellationToken ct)
    {
        // In one order: the directory's page tokens hold for the very same question.
        var parties = await db.Parties.AsNoTracking().Where(p => p.MesureId == mesure.Id).OrderBy(p => p.Role).ToListAsync(ct);
        var children = await db.Children.AsNoTracking().Where(c => c.MesureId == mesure.Id).OrderBy(c => c.Position).ToListAsync(ct);
        var profile = Profile(mesure, parties, children, await CourtCodeAsync(db, mesure, ct), today, today);
        if (mesure.Term is { } term)
        {
            var left = ((term.Year - today.Year) * 12) + term.Month - today.Month - (term.Day < today.Day ? 1 : 0);
            profile.DurationMonths = Math.Clamp(left, 1, MaxMonths);
        }

        profile.HoteCommuneInsee = CommuneOf(PartyRole.Hote);
        profile.VisiteurCommuneInsee = CommuneOf(PartyRole.Visiteur);
        return profile;

        string CommuneOf(PartyRole role) => parties.SingleOrDefault(p => p.Role == role && !p.AddressProtected)?.CommuneInsee ?? "";
    }

    /// <summary>Replaces the rows of a mesure by others.</summary>
    public static async Task ReplaceAsync<T>(this MesuresDbContext db, DbSet<T> set, Expression<Func<T, bool>> ofMesure, IEnumerable<T> rows, CancellationToken ct)
        where T : class
    {
        set.RemoveRange(await set.Where(ofMesure).ToListAsync(ct));
        set.AddRange(rows);
    }

    /// <summary>Open mesures of the same court with the same case, child or parents, by the keyed index alone.</summary>
    private static async Task<RelatedMesures> RelatedAsync(MesuresDbContext db, Mesure mesure, List<Party> parties, List<Child> children, CancellationToken ct)
    {
        var open = db.Mesures.AsNoTracking().Where(m => m.Id != mesure.Id && m.JuridictionId == mesure.JuridictionId && m.Status.State != MesureState.Cloturee);
        if (mesure.JuridictionId is null)
        {
            open = open.Where(m => m.GestionnaireId == mesure.GestionnaireId);
        }

        var sameCase = mesure.RgIndex is { } rg
            ? await open.Where(m => m.RgIndex == rg).OrderBy(m => m.Id).Select(m => m.Id).Take(MaxRelated).ToListAsync(ct)
            : [];
        var digests = children.Select(c => c.IdentityIndex).OfType<string>().ToArray();
        var sameChild = digests.Length == 0 ? [] : await db.Children.Where(c => digests.Contains(c.IdentityIndex))
            .Join(open, c => c.MesureId, m => m.Id, (c, m) => m.Id).Distinct().OrderBy(id => id).Take(MaxRelated).ToListAsync(ct);

        // One name is worn by many; both parents together are a family.
        var sameParents = parties.Select(p => p.IdentityIndex).OfType<string>().Distinct().ToArray() is not [var first, var second] ? [] : await db.Parties
            .Where(p => p.IdentityIndex == first)
            .Join(db.Parties.Where(p => p.IdentityIndex == second), p => p.MesureId, p => p.MesureId, (p, _) => p.MesureId)
            .Join(open, id => id, m => m.Id, (_, m) => m.Id).Distinct().OrderBy(id => id).Take(MaxRelated).ToListAsync(ct);
        var duplicates = sameCase.Intersect(sameChild).ToList();
        return new RelatedMesures(duplicates, [.. sameCase.Union(sameChild).Union(sameParents).Except(duplicates).Order().Take(MaxRelated)]);
    }

    private static async Task<string?> CourtCodeAsync(MesuresDbContext db, Mesure mesure, CancellationToken ct) => mesure.JuridictionId is { } juridictionId
        ? await db.Organisations.AsNoTracking().Where(o => o.Id == juridictionId).Select(o => o.Code).SingleOrDefaultAsync(ct)
        : null;

    private static MesureProfile Profile(Mesure mesure, List<Party> parties, List<Child> children, string? courtCode, DateOnly? designatedOn, DateOnly today)
    {
        var decision = mesure.Decision;
        var profile = new MesureProfile
        {
            Modalite = decision.Modalite,
            ProtectionOrder = decision.LegalBasis == LegalBasis.Article51511,
            CourtCode = courtCode ?? "",
            DecisionDate = designatedOn.ToProto(),
            RencontreMinutes = decision.RencontreMinutes ?? 0,
            DurationMonths = decision.DurationMonths ?? 0,
        };
        if (decision.PeriodicityCount is { } count && decision.PeriodicityInterval is { } interval)
        {
            profile.Periodicity = new Periodicity { RencontreCount = count, IntervalCount = interval, Unit = decision.PeriodicityUnit };
        }

        var ages = children.Select(c => c.BirthDate is { } birth ? Age(birth, designatedOn ?? today) : -1).ToList();
        if (ages.All(age => age is >= 0 and <= 17))
        {
            profile.ChildAges.AddRange(ages);
        }
        else
        {
            profile.ChildCount = children.Count;
        }

        profile.Situations.AddRange(decision.Situations);
        profile.Languages.AddRange(parties.Select(p => p.InterpreterLanguage).Where(l => l.Length > 0).Distinct());
        var needs = parties.SelectMany(p => p.Needs).Select(n => n switch
        {
            PartyNeed.Disability => BesoinAccueil.ParentHandicap,
            PartyNeed.NoCar => BesoinAccueil.SansVoiture,
            PartyNeed.Precariousness => BesoinAccueil.GrandePrecarite,
            _ => BesoinAccueil.Unspecified,
        })
            .Concat(children.SelectMany(c => c.Needs).Select(n => n == ChildNeed.Disability ? BesoinAccueil.EnfantHandicap : BesoinAccueil.Unspecified))
            .Concat(decision.InterdictionDeContact ? [BesoinAccueil.ParentsSepares] : []);
        profile.Besoins.AddRange(needs.Where(n => n != BesoinAccueil.Unspecified).Distinct());
        return profile;
    }

    private static int Age(DateOnly birth, DateOnly on) => on.Year - birth.Year - (on < birth.AddYears(on.Year - birth.Year) ? 1 : 0);
}
