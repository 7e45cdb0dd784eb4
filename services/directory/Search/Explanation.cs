using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Search;

/// <summary>The espaces near the family that were left out, with every rule that stands against each.</summary>
internal static class Explanation
{
    private const int Most = 20;

    // How many of the nearest by the map are looked at by road.
    private const int Handful = 120;

    /// <summary>At most 20, the nearest to both parents first; without any commune those of the court's département first.</summary>
    public static IEnumerable<ExcludedEspace> Of(
        Snapshot snapshot, OfferIndex.Matches matches, MesureNeeds needs, IReadOnlySet<Guid>? only, FamilyTravel travel, string? courtDepartement)
    {
        var left = snapshot.Espaces.Where(e => !matches.Contains(e.Facts.Id) && (only is null || only.Contains(e.Facts.Id))).ToArray();
        var bounds = Bounds(snapshot, left, travel);
        return [.. Enumerable.Range(0, left.Length)
            .OrderBy(i => bounds[i]).ThenBy(i => courtDepartement == left[i].Facts.Departement ? 0 : 1).ThenBy(i => left[i].Facts.Id)
            .Take(Handful)
            .Select(i => Nearest(left[i], travel))
            .OrderBy(n => n.Cost).ThenBy(n => courtDepartement == n.Espace.Facts.Departement ? 0 : 1).ThenBy(n => n.Espace.Facts.Id)
            .Take(Most)
            .Select(n =>
            {
                var commune = n.Espace.Facts.Lieux[n.Lieu].Commune;
                return EspaceResults.ToProto(
                    n.Espace, travel.Hote?[commune], travel.Visiteur?[commune], DesignationRules.Findings(n.Espace.Facts, n.Espace.OfferOf(needs.Modalite), needs));
            })];
    }

    private static float[] Bounds(Snapshot snapshot, SearchedEspace[] espaces, FamilyTravel travel)
    {
        var bounds = new float[espaces.Length];
        if (travel is { Hote: null, Visiteur: null })
            return bounds;
        var columns = snapshot.Columns([.. espaces.SelectMany(e => e.Facts.Lieux, (_, l) => l.Commune)]);
        var lieux = new float[LieuColumns.Padded(columns.Count)];
        if (travel.Hote is { } hote)
            columns.AddBounds(hote, 1, 0, lieux);
        if (travel.Visiteur is { } visiteur)
            columns.AddBounds(visiteur, 1, 0, lieux);
        for (int i = 0, lieu = 0; i < espaces.Length; lieu += espaces[i++].Facts.Lieux.Length)
            bounds[i] = lieux.AsSpan(lieu, espaces[i].Facts.Lieux.Length).ToArray().Min();
        return bounds;
    }

    private static (SearchedEspace Espace, int Lieu, (int, long) Cost) Nearest(SearchedEspace espace, FamilyTravel travel)
    {
        var byRoad = travel with { DaysPerTravelHour = 1 };
        var best = (espace, 0, byRoad.CostTo(espace.Facts.Lieux[0]));
        for (var lieu = 1; lieu < espace.Facts.Lieux.Length; lieu++)
        {
            if (byRoad.CostTo(espace.Facts.Lieux[lieu]) is var cost && cost.CompareTo(best.Item3) < 0)
                best = (espace, lieu, cost);
        }
        return best;
    }
}

/// <summary>How the matching espaces are spread.</summary>
internal static class Facets
{
    /// <summary>By kind, then the greatest count first, then by value.</summary>
    public static IEnumerable<Facet> Of(Snapshot snapshot, OfferIndex.Matches matches, MesureNeeds needs, IReadOnlySet<Guid>? only)
    {
        var byModalite = snapshot.Modalites
            .Select(m => (Value: m.ToCode(), Count: m == needs.Modalite ? matches.Count : snapshot.OffersOf(m, needs.Today).Match(needs with { Modalite = m }, only).Count));
        var (departements, statuses) = (new Dictionary<string, int>(StringComparer.Ordinal), new Dictionary<CapacityStatus, int>());
        foreach (var offer in matches.Offers())
        {
            departements[offer.Espace.Departement] = departements.GetValueOrDefault(offer.Espace.Departement) + 1;
            var status = Standing.Status(offer, needs.Today);
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
        }
        return
        [
            .. Sorted(FacetKind.Modalite, byModalite),
            .. Sorted(FacetKind.Departement, departements.Select(d => (d.Key, d.Value))),
            .. Sorted(FacetKind.CapacityStatus, statuses.Select(s => (s.Key.ToCode(), s.Value))),
        ];
    }

    private static IEnumerable<Facet> Sorted(FacetKind kind, IEnumerable<(string Value, int Count)> counts) => counts
        .Where(c => c.Count > 0)
        .OrderByDescending(c => c.Count).ThenBy(c => c.Value, StringComparer.Ordinal)
        .Select(c => new Facet { Kind = kind, Value = c.Value, Count = c.Count });
}

/// <summary>What is to be said of an answer as a whole, so that an empty or a poor one is explained.</summary>
internal static class Notes
{
    /// <summary>Minutes of one parent from which the nearest suitable espace is far.</summary>
    public const int FarMinutes = 60;

    /// <summary>The notes. Of a shortlist, what is told of all espaces that could take the mesure is left out: nobody looked at them.</summary>
    public static IEnumerable<SearchNote> Of(
        Snapshot snapshot, OfferIndex index, OfferIndex.Matches matches, RankedOffer[] page, MesureProfile mesure, MesureNeeds needs, FamilyTravel travel, bool shortlist)
    {
        var (notes, geography) = (new List<SearchNote>(), snapshot.Geography);
        foreach (var departement in Departements(geography, mesure))
        {
            if (snapshot.CountIn(departement) is var there && there == 0)
                notes.Add(new() { Code = SearchNoteCode.NoEspaceInDepartement, Departement = departement });
            else if (!shortlist && !matches.AnyIn(departement))
                notes.Add(new() { Code = SearchNoteCode.NoneSuitableInDepartement, Departement = departement, Value = there });
        }
        foreach (var commune in needs.Communes.Where(c => geography.Travel.Model.PointOf(geography.Travel.Model.IndexOf(c)) is null).Distinct())
            notes.Add(new() { Code = SearchNoteCode.TravelUnknown, Departement = Geography.DepartementOf(commune), Value = (int)Ranking.UnknownMinutes });
        if (shortlist)
            return notes;
        // The best one comes first: when a road is missing to it, it is missing to all.
        if (needs.Communes.Length > 0 && (page.Length == 0 || page[0].Key.Unreachable > 0))
            notes.Add(new() { Code = SearchNoteCode.NoneReachable });
        AddFar(notes, index, matches, page, needs, travel.Hote, mesure.HoteCommuneInsee);
        AddFar(notes, index, matches, page, needs, travel.Visiteur, mesure.VisiteurCommuneInsee);
        return notes;
    }

    // The départements of the family, and that of the court when neither parent's commune is known.
    private static List<string> Departements(Geography geography, MesureProfile mesure)
    {
        var departements = new[] { mesure.HoteCommuneInsee, mesure.VisiteurCommuneInsee }.Where(c => c.Length > 0).Select(Geography.DepartementOf).Distinct().ToList();
        return departements.Count == 0 && geography.CourtDepartements.TryGetValue(mesure.CourtCode, out var court) ? [court] : departements;
    }

    private static void AddFar(
        List<SearchNote> notes, OfferIndex index, OfferIndex.Matches matches, RankedOffer[] page, MesureNeeds needs, WaysFrom? ways, string commune)
    {
        if (ways is null || page.Any(r => ways[r.Offer.Espace.Lieux[r.Lieu].Commune] is { HasMinutes: true, Minutes: <= FarMinutes }))
            return;
        var nearest = index.Best(matches, needs, new FamilyTravel(ways, null, 1, WaitCounts: false), null, 1);
        if (nearest is [var first, ..] && ways[first.Offer.Espace.Lieux[first.Lieu].Commune] is { HasMinutes: true, RoundedMinutes: > FarMinutes and var minutes })
            notes.Add(new() { Code = SearchNoteCode.NearestIsFar, Departement = Geography.DepartementOf(commune), Value = minutes });
    }
}
