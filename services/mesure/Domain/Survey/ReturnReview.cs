using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain.Survey;

/// <summary>What a reader should know of a return.</summary>
/// <param name="Code">What.</param>
/// <param name="Count">How much it concerns; 0 where that says nothing.</param>
/// <param name="Figure">The figure concerned; empty when the return as a whole is.</param>
internal sealed record ReturnFlag(SurveyFlagCode Code, long Count = 0, string Figure = "");

/// <summary>Stock of the year before + new - closed = stock of the year, with what explains the difference.</summary>
/// <param name="Opening">Stock at the beginning.</param>
/// <param name="OpeningReturned">Whether it is that of the return of the year before.</param>
/// <param name="Received">New mesures.</param>
/// <param name="Closed">Closed mesures.</param>
/// <param name="Closing">Stock at the end.</param>
/// <param name="Explained">What explains the difference.</param>
internal sealed record StockBalance(
    long Opening, bool OpeningReturned, long Received, long Closed, long Closing, IReadOnlyList<(StockDifferenceKind Kind, long Count)> Explained)
{
    /// <summary>What stands beside the equation.</summary>
    public long Difference => Closing - (Opening + Received - Closed);

    /// <summary>What of it nothing explains.</summary>
    public long Unexplained => Difference - Explained.Sum(e => e.Count);
}

/// <summary>Looks at a return as a statistician would: does it add up, and does it follow from the year before?</summary>
internal static class ReturnReview
{
    private const int LeastVariation = 10;

    // What a year is compared by with the year before.
    private static readonly string[] s_compared =
        ["MESURES_NOUVELLES", "MESURES_CLOTUREES", "MESURES_EN_COURS", "MESURES_EN_ATTENTE", "RENCONTRES_PROGRAMMEES", "RENCONTRES_REALISEES", "ENFANTS_ACCUEILLIS", "PERSONNEL", "RESSOURCES"];

    /// <summary>The equation of stocks; null where a figure for it is missing.</summary>
    /// <param name="of">The return.</param>
    /// <param name="before">The return of the year before; null when there is none.</param>
    public static StockBalance? Balance(SserReturn of, SserReturn? before)
    {
        if (of["MESURES_NOUVELLES"] is not { } received || of["MESURES_CLOTUREES"] is not { } closed || of["STOCK_FIN"] is not { } closing
            || (before?["STOCK_FIN"] ?? of["STOCK_DEBUT"]) is not { } opening)
        {
            return null;
        }

        var explained = new List<(StockDifferenceKind, long)>();
        Explain(StockDifferenceKind.Transfert, -(of["SORTIES_PAR_TRANSFERT"] ?? 0));
        if (before?["STOCK_FIN"] is not null && of["STOCK_DEBUT"] is { } computed)
        {
            Explain(StockDifferenceKind.OuvertureChangee, computed - opening);
        }

        Explain(StockDifferenceKind.Correction, Corrected("STOCK_FIN") - Corrected("MESURES_NOUVELLES") + Corrected("MESURES_CLOTUREES") + Corrected("SORTIES_PAR_TRANSFERT") - Corrected("STOCK_DEBUT"));
        return new StockBalance(opening, before?["STOCK_FIN"] is not null, received, closed, closing, explained);

        void Explain(StockDifferenceKind kind, long count)
        {
            if (count != 0)
            {
                explained.Add((kind, count));
            }
        }

        long Corrected(string code) =>
            of.Figures.FirstOrDefault(f => f.Code == code) is { Origin: SurveyFigureOrigin.Corrected, Computed: { } was } figure ? figure.Value - was : 0;
    }

    /// <summary>What a reader should know, in the order of the codes.</summary>
    /// <param name="of">The return.</param>
    /// <param name="before">The return of the year before; null when there is none.</param>
    /// <param name="over">Whether its year is over.</param>
    /// <param name="counted">What is counted today; null not to compare.</param>
    public static IReadOnlyList<ReturnFlag> Flags(SserReturn of, SserReturn? before, bool over, IReadOnlyDictionary<string, long>? counted)
    {
        if (of.State == SserReturnState.Missing)
        {
            return [];
        }

        var flags = new List<ReturnFlag>();
        if (!over)
        {
            flags.Add(new ReturnFlag(SurveyFlagCode.AnneeEnCours));
        }
        else
        {
            Some(SurveyFlagCode.RencontresSansIssue, "RENCONTRES_SANS_ISSUE");
        }

        Some(SurveyFlagCode.EnfantsSansAge, "ENFANTS_AGE_INCONNU");
        Some(SurveyFlagCode.OrigineInconnue, "MESURES_NOUVELLES_AUTRE_JUGE");
        Some(SurveyFlagCode.SansDuree, "DUREE_SANS_RENCONTRE");
        if (!Told("PERSONNEL") || !Told("RESSOURCES"))
        {
            flags.Add(new ReturnFlag(SurveyFlagCode.PersonnelNonDeclare));
        }

        if (Balance(of, before) is { Unexplained: not 0 } balance)
        {
            flags.Add(new ReturnFlag(SurveyFlagCode.StockInexplique, Math.Abs(balance.Unexplained)));
        }

        foreach (var (whole, parts) in SurveyCatalogue.BuiltIn.Sets)
        {
            // A set of which a part was not answered says nothing about its whole.
            if (of[whole.Code] is { } total && parts.All(p => of[p.Code] is not null) && parts.Sum(p => of[p.Code]!.Value) is var sum && sum != total)
            {
                flags.Add(new ReturnFlag(SurveyFlagCode.SommeDifferente, Math.Abs(sum - total), whole.Code));
            }
        }

        foreach (var code in s_compared)
        {
            if (of[code] is { } now && before?[code] is { } then && Math.Abs(now - then) is var change && change >= LeastVariation && change * 2 > then)
            {
                flags.Add(new ReturnFlag(SurveyFlagCode.ForteVariation, change, code));
            }
        }

        if (counted is not null && of.Source == SserReturnSource.Computed)
        {
            var changed = of.Figures.Count(f => SurveyCatalogue.BuiltIn.Find(f.Code)!.IsCounted
                && (f.Origin == SurveyFigureOrigin.Corrected ? f.Computed : f.Value) != counted.GetValueOrDefault(f.Code));
            if (changed > 0)
            {
                flags.Add(new ReturnFlag(SurveyFlagCode.DonneesChangees, changed));
            }
        }

        if (of.State == SserReturnState.Imputed)
        {
            flags.Add(new ReturnFlag(SurveyFlagCode.Redresse));
        }
        else if (of.Figures.Count(f => f.Origin == SurveyFigureOrigin.Imputed) is > 0 and var imputed)
        {
            flags.Add(new ReturnFlag(SurveyFlagCode.RedresseEnPartie, imputed));
        }

        return flags;

        bool Told(string code) => of.Figures.Any(f => f.Code == code && f.Origin != SurveyFigureOrigin.Imputed);

        void Some(SurveyFlagCode code, string figure)
        {
            if (of[figure] is > 0 and var count)
            {
                flags.Add(new ReturnFlag(code, count, figure));
            }
        }
    }
}
