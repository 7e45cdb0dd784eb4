using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Simulation.Replay;

/// <summary>
/// The figures of the national survey as the client that played the year keeps them itself: from its own lives, by the wording of the
/// questionnaire, without the services' counting. What it never tells (transfers, for one) it has none of.
/// </summary>
/// <param name="lives">The mesures that were played.</param>
internal sealed class SurveyBooks(IReadOnlyList<Life> lives)
{
    /// <summary>The figures of a year by code; those that are 0 may be left out.</summary>
    /// <param name="year">The year.</param>
    public Dictionary<string, long> Of(int year)
    {
        var (begin, end) = (new DateOnly(year, 1, 1), new DateOnly(year, 12, 31));
        var there = lives.Where(l => l.IsAtEspace).Select(l => (
            Life: l, Received: l.DayOf(StepKind.Transmit) ?? l.DayOf(StepKind.Register)!.Value, Closed: l.IsClosed ? Life.DayOf(l.Steps[^1].At) : (DateOnly?)null)).ToList();
        var fresh = there.Where(m => m.Received.Year == year).Select(m => m.Life).ToList();
        var closed = there.Where(m => m.Closed?.Year == year).ToList();
        var stock = there.Where(m => m.Received <= end && !(m.Closed <= end)).Select(m => m.Life).ToList();
        var figures = new Dictionary<string, long>
        {
            ["MESURES_NOUVELLES"] = fresh.Count,
            ["MESURES_NOUVELLES_JUDICIAIRES"] = fresh.Count(l => l.Court is not null),
            // Where the decision names no duration it was played as one of child protection.
            ["MESURES_NOUVELLES_JAF"] = fresh.Count(l => l.Court is not null && l.Months > 0),
            ["MESURES_NOUVELLES_JUGE_DES_ENFANTS"] = fresh.Count(l => l.Court is not null && l.Months == 0),
            ["SITUATION_AUCUNE"] = fresh.Count(l => l.Court is not null && l.Situations.Count == 0),
            ["SITUATION_AU_MOINS_UNE"] = fresh.Count(l => l.Situations.Count > 0),
            ["MESURES_NOUVELLES_NON_JUDICIAIRES"] = fresh.Count(l => l.Court is null),
            ["MESURES_NOUVELLES_AVOCAT"] = fresh.Count(l => l.Origin == NonJudicialOrigin.Avocat),
            ["MESURES_NOUVELLES_ASE"] = fresh.Count(l => l.Origin == NonJudicialOrigin.Ase),
            ["MESURES_NOUVELLES_BOUCHE_A_OREILLE"] = fresh.Count(l => l.Origin == NonJudicialOrigin.BoucheAOreille),
            ["MESURES_NOUVELLES_AUTRE_ORIGINE"] = fresh.Count(l => l.Origin == NonJudicialOrigin.Autre),
            ["MESURES_CLOTUREES"] = closed.Count,
            ["STOCK_DEBUT"] = there.Count(m => m.Received < begin && !(m.Closed < begin)),
            ["STOCK_FIN"] = stock.Count,
            ["MESURES_EN_COURS"] = stock.Count(l => l.DayOf(StepKind.Schedule) <= end),
            ["MESURES_EN_ATTENTE"] = stock.Count(l => !(l.DayOf(StepKind.Schedule) <= end) && l.DayOf(StepKind.Contact) <= end),
            ["MESURES_NON_CONTACTEES"] = stock.Count(l => !(l.DayOf(StepKind.Schedule) <= end) && !(l.DayOf(StepKind.Contact) <= end)),
        };
        foreach (var life in fresh.Where(l => l.Situations.Count > 0))
        {
            Add($"SITUATION_PRINCIPALE_{life.Situations[0].ToCode()}");
            foreach (var situation in life.Situations)
                Add($"SITUATION_{situation.ToCode()}");
        }

        foreach (var (life, _, on) in closed)
        {
            var origin = life.Court is null ? "NON_JUDICIAIRES" : "JUDICIAIRES";
            var planned = life.Rencontres.Count > 0 ? Life.DayOf(life.Rencontres[0]) : (DateOnly?)null;
            var why = Why(life.Reason, planned is not null);
            Add($"MESURES_CLOTUREES_{origin}");
            Add($"MESURES_CLOTUREES_{(why.StartsWith("INTERRUPTION", StringComparison.Ordinal) ? "INTERRUPTION" : why)}");
            Add($"MOTIF_{life.Reason.ToCode()}");
            if (why.StartsWith("INTERRUPTION", StringComparison.Ordinal))
            {
                Add(why);
                if (life.Court is not null)
                    Add("INTERRUPTION_JUDICIAIRES");
            }
            Add(planned is not { } first ? "DUREE_SANS_RENCONTRE"
                : $"DUREE_{origin}_{(on!.Value < first.AddMonths(6) ? "MOINS_DE_6_MOIS" : on.Value < first.AddMonths(12) ? "6_A_12_MOIS" : "12_MOIS_ET_PLUS")}");
        }

        foreach (var life in there.Select(m => m.Life))
        {
            var came = false;
            foreach (var (i, start) in life.Rencontres.Index().Where(r => Life.DayOf(r.Item).Year == year))
            {
                var (held, lost) = (life.Steps.Any(s => s.Kind == StepKind.Held && s.Rencontre == i), life.Steps.Any(s => s.Kind == StepKind.NotHeld && s.Rencontre == i));
                came |= held;
                // One that was still to come when its mesure was closed was released: it is none.
                if (held || lost || !life.IsClosed)
                {
                    Add("RENCONTRES_PROGRAMMEES");
                    Add(held ? "RENCONTRES_REALISEES" : lost ? "RENCONTRES_ABSENCE_VISITEUR" : "RENCONTRES_SANS_ISSUE");
                }
            }

            // One child to a mesure, so many years old on the day of the decision.
            if (came)
            {
                Add("ENFANTS_ACCUEILLIS");
                Add(life.ChildAge switch { < 3 => "ENFANTS_0_A_2_ANS", < 6 => "ENFANTS_3_A_5_ANS", < 11 => "ENFANTS_6_A_10_ANS", < 15 => "ENFANTS_11_A_14_ANS", _ => "ENFANTS_15_A_17_ANS" });
                if (life.ChildAge < 11)
                    Add("ENFANTS_MOINS_DE_11_ANS");
            }
        }

        return figures;

        void Add(string code) => figures[code] = figures.GetValueOrDefault(code) + 1;
    }

    // The category of the questionnaire: the reason, and whether a rencontre was ever scheduled.
    private static string Why(ClosureReason reason, bool scheduled) => reason.ToString() switch
    {
        var r when r.StartsWith("SansSuite", StringComparison.Ordinal) && !scheduled => "SANS_SUITE",
        _ when !scheduled => "AUTRE",
        nameof(ClosureReason.ArriveeATerme) => "A_TERME",
        nameof(ClosureReason.InterruptionMeilleurAccord) or nameof(ClosureReason.InterruptionHoteAutre) => "INTERRUPTION_HOTE",
        var r when r.StartsWith("Interruption", StringComparison.Ordinal) => "INTERRUPTION_ESPACE",
        var r when r.StartsWith("Juge", StringComparison.Ordinal) => "INTERRUPTION_JUGE",
        _ => "AUTRE",
    };
}
