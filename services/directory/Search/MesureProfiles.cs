using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Search;

/// <summary>From what is said of a mesure to what rules look at.</summary>
internal static class MesureProfiles
{
    private const int MaxChildren = 20;
    private const int MaxLanguages = 5;

    // Youngest age that is no longer very young.
    private const int NotVeryYoung = 2;

    /// <summary>Checks a profile and takes it over; with violations what is returned means nothing.</summary>
    /// <param name="check">Where violations go.</param>
    /// <param name="mesure">The profile; null is a violation.</param>
    /// <param name="geography">Known communes and courts.</param>
    /// <param name="today">The day on which the question is asked.</param>
    public static MesureNeeds Check(FieldChecks check, MesureProfile? mesure, Geography geography, DateOnly today)
    {
        check.That(mesure is not null, "mesure", "is required");
        mesure ??= new();
        check.Known("mesure.modalite", mesure.Modalite);
        check.That(mesure.ChildAges.Count <= MaxChildren, "mesure.child_ages", "must have at most 20 entries");
        for (var i = 0; i < mesure.ChildAges.Count; i++)
        {
            if (mesure.ChildAges[i] is < 0 or > 17)
                check.Add($"mesure.child_ages[{i}]", "must be from 0 to 17");
        }
        Known(check, "mesure.situations", mesure.Situations);
        check.That(mesure.CourtCode.Length == 0 || geography.CourtDepartements.ContainsKey(mesure.CourtCode), "mesure.court_code", "is not a known court");
        Commune("mesure.hote_commune_insee", mesure.HoteCommuneInsee);
        Commune("mesure.visiteur_commune_insee", mesure.VisiteurCommuneInsee);
        var decision = check.OptionalDate("mesure.decision_date", mesure.DecisionDate);
        var frequency = Check(check, mesure.Periodicity);
        check.That(mesure.RencontreMinutes is 0 or (>= 5 and <= 720), "mesure.rencontre_minutes", "must be 0, or from 5 to 720");
        check.Range("mesure.duration_months", mesure.DurationMonths, 0, 60);
        check.That(mesure.Languages.Count <= MaxLanguages, "mesure.languages", "must have at most 5 entries");
        for (var i = 0; i < mesure.Languages.Count; i++)
        {
            if (mesure.Languages[i].Length is < 2 or > 3 || !mesure.Languages[i].All(char.IsAsciiLetterLower))
                check.Add($"mesure.languages[{i}]", "must be an ISO 639 code of two or three lower-case letters");
        }
        Known(check, "mesure.besoins", mesure.Besoins);
        check.Range("mesure.child_count", mesure.ChildCount, 0, MaxChildren);
        return new MesureNeeds
        {
            Modalite = mesure.Modalite,
            Decision = decision ?? today,
            Today = today,
            YoungestAge = mesure.ChildAges.Count == 0 ? null : mesure.ChildAges.Min(),
            OldestAge = mesure.ChildAges.Count == 0 ? null : mesure.ChildAges.Max(),
            Children = mesure.ChildAges.Count > 0 ? mesure.ChildAges.Count : mesure.ChildCount,
            Situations = mesure.Situations.Count == 0 ? 0 : SearchedEspace.Bits(mesure.Situations),
            ProtectionOrder = mesure.ProtectionOrder,
            Frequency = frequency,
            Minutes = mesure.RencontreMinutes,
            DurationMonths = mesure.DurationMonths,
            Languages = mesure.Languages.Count == 0 ? [] : [.. mesure.Languages.Select(LanguageCodes.Of).Where(l => l != LanguageCodes.French).Distinct().Order(StringComparer.Ordinal)],
            Besoins = BesoinsOf(mesure),
            Court = mesure.CourtCode,
            Communes = [.. new[] { mesure.HoteCommuneInsee, mesure.VisiteurCommuneInsee }.Where(c => c.Length > 0)],
        };

        void Commune(string field, string insee) =>
            check.That(insee.Length == 0 || geography.CommuneNames.ContainsKey(insee), field, "is not a known commune");
    }

    /// <summary>The ways of both parents, as far as their communes are given: of the others nothing is computed at all.</summary>
    public static async ValueTask<FamilyTravel> TravelAsync(MesureProfile mesure, Snapshot snapshot, double daysPerTravelHour, CancellationToken ct) => new(
        mesure.HoteCommuneInsee.Length == 0 ? null : await snapshot.Geography.Travel.FromAsync(mesure.HoteCommuneInsee, ct),
        mesure.VisiteurCommuneInsee.Length == 0 ? null : await snapshot.Geography.Travel.FromAsync(mesure.VisiteurCommuneInsee, ct),
        daysPerTravelHour,
        UnknownWait: snapshot.UnknownWaitOf(mesure.Modalite));

    private static uint BesoinsOf(MesureProfile mesure) =>
        (mesure.Besoins.Count == 0 ? 0 : SearchedEspace.Bits(mesure.Besoins))
        | (mesure.ChildAges.Any(age => age is >= 0 and < NotVeryYoung) ? 1u << (int)BesoinAccueil.TresJeuneEnfant : 0);

    private static Frequency? Check(FieldChecks check, Periodicity? periodicity)
    {
        if (periodicity is null)
            return null;
        var (count, interval, unit) = (periodicity.RencontreCount, periodicity.IntervalCount, periodicity.Unit);
        check.Range("mesure.periodicity.rencontre_count", count, 1, 31);
        check.Range("mesure.periodicity.interval_count", interval, 1, 12);
        check.Known("mesure.periodicity.unit", unit);
        return count > 0 && interval > 0 ? Frequency.Of(count, interval, unit) : null;
    }

    private static void Known<T>(FieldChecks check, string field, Google.Protobuf.Collections.RepeatedField<T> values)
        where T : struct, Enum
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (EqualityComparer<T>.Default.Equals(values[i], default) || !Enum.IsDefined(values[i]))
                check.Known($"{field}[{i}]", values[i]);
        }
    }
}
