using System.Diagnostics;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain.Survey;
using Jafer.ServiceDefaults;
using Microsoft.EntityFrameworkCore;
using SserReturn = Jafer.Mesures.Domain.Survey.SserReturn;
using SurveyCampaign = Jafer.Mesures.Domain.Survey.SurveyCampaign;

namespace Jafer.Mesures.Survey;

/// <summary>What a campaign does to the returns of its year.</summary>
internal sealed class SurveyCampaigns(MesuresDbContext db, SserReturns returns, SurveyFigures figures)
{
    /// <summary>
    /// Asks every gestionnaire with an espace that is not closed and not of a later year alone, and each that had a mesure in the year.
    /// </summary>
    /// <param name="campaign">The campaign.</param>
    /// <param name="organisationId">By whose call.</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task AskAsync(SurveyCampaign campaign, Guid organisationId, DateTimeOffset now, CancellationToken ct)
    {
        var year = campaign.Year;
        var counted = await figures.ByGestionnaireAsync(year, ct);
        // Who began later did nothing in the year, and would be imputed the mean of those who did. Of whom no agrément is known, who knows.
        var lastDay = new DateOnly(year, 12, 31);
        var open = (await db.Espaces.AsNoTracking().Where(e => e.State != "FERME").Select(e => new { e.GestionnaireId, e.AgrementPeriods }).ToListAsync(ct))
            .Where(e => e.AgrementPeriods.Count == 0 || e.AgrementPeriods.Any(p => p.From <= lastDay)).Select(e => e.GestionnaireId);
        var known = await db.SserReturns.Where(r => r.Year == year).ToDictionaryAsync(r => r.GestionnaireId, ct);
        foreach (var gestionnaire in counted.Keys.Union(open).Union(known.Keys).Order())
        {
            if (!known.TryGetValue(gestionnaire, out var of))
            {
                of = new SserReturn { GestionnaireId = gestionnaire, Year = year };
                db.SserReturns.Add(of);
            }

            of.Ask();
            returns.Keep(of, organisationId, now);
            if (of.State != SserReturnState.Validated)
            {
                db.Publish(new SurveyOpened
                {
                    EventId = Guid.CreateVersion7(now),
                    AggregateId = IdOf(of),
                    AggregateVersion = of.Version,
                    OccurredAt = now,
                    RecordedAt = now,
                    CorrelationId = Activity.Current?.TraceId.ToString(),
                    GestionnaireId = gestionnaire,
                    Year = year,
                    DueDate = campaign.DueDate,
                });
            }
        }
    }

    /// <summary>Reminds those who have not validated.</summary>
    /// <param name="campaign">The campaign.</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>How many.</returns>
    public async Task<int> RemindAsync(SurveyCampaign campaign, DateTimeOffset now, CancellationToken ct)
    {
        var late = await db.SserReturns.Where(r => r.Year == campaign.Year && r.Asked && r.State != SserReturnState.Validated).OrderBy(r => r.GestionnaireId).ToListAsync(ct);
        foreach (var of in late)
        {
            db.Publish(new SurveyReminderDue
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = IdOf(of),
                AggregateVersion = of.Version,
                OccurredAt = now,
                RecordedAt = now,
                CorrelationId = Activity.Current?.TraceId.ToString(),
                GestionnaireId = of.GestionnaireId,
                Year = campaign.Year,
                DueDate = campaign.DueDate,
            });
        }

        return late.Count;
    }

    /// <summary>
    /// Takes figures for who did not validate: what Jafer counted or they corrected, else what is imputed. Of who validated, what is missing
    /// in the answer is imputed. Who came to Jafer after the opening, with a return or mesures of the year, is one of them.
    /// </summary>
    /// <param name="year">The year.</param>
    /// <param name="organisationId">By whose call.</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>All returns of the year; none where nobody validated.</returns>
    public async Task<IReadOnlyList<SserReturn>> ImputeAsync(int year, Guid organisationId, DateTimeOffset now, CancellationToken ct)
    {
        var all = await db.SserReturns.Where(r => r.Year == year).OrderBy(r => r.GestionnaireId).ToListAsync(ct);
        var before = (await db.SserReturns.AsNoTracking().Where(r => r.Year == year - 1 && (r.State == SserReturnState.Validated || r.State == SserReturnState.Imputed)).ToListAsync(ct))
            .ToDictionary(r => r.GestionnaireId, Values);
        var counted = await figures.ByGestionnaireAsync(year, ct);
        foreach (var gestionnaire in counted.Keys.Except(all.Select(r => r.GestionnaireId)).Order().ToList())
        {
            all.Add(new SserReturn { GestionnaireId = gestionnaire, Year = year });
            db.SserReturns.Add(all[^1]);
        }

        var answers = all.Where(r => r.State == SserReturnState.Validated).Select(r => (Values(r), (IReadOnlyDictionary<string, long>?)before.GetValueOrDefault(r.GestionnaireId))).ToList();
        foreach (var of in answers.Count > 0 ? all : [])
        {
            var known = of.State != SserReturnState.Missing ? Values(of)
                : counted.TryGetValue(of.GestionnaireId, out var sums) ? SurveyCatalogue.BuiltIn.Figures.Where(f => f.IsCounted).ToDictionary(f => f.Code, f => sums.GetValueOrDefault(f.Code))
                : new Dictionary<string, long>();
            if (of.Impute(Imputation.Of(known, before.GetValueOrDefault(of.GestionnaireId), answers), now))
            {
                returns.Keep(of, organisationId, now);
            }
        }

        return answers.Count > 0 ? all : [];
    }

    /// <summary>How many returns that were asked for stand where.</summary>
    /// <param name="years">Of which years.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<ILookup<int, (SserReturnState State, int Count)>> StatesAsync(IReadOnlyCollection<int> years, CancellationToken ct) =>
        (await db.SserReturns.AsNoTracking().Where(r => years.Contains(r.Year) && r.Asked).GroupBy(r => new { r.Year, r.State })
            .Select(g => new { g.Key.Year, g.Key.State, Count = g.Count() }).ToListAsync(ct))
        .OrderBy(g => g.State).ToLookup(g => g.Year, g => (g.State, g.Count));

    private static IReadOnlyDictionary<string, long> Values(SserReturn of) => of.Figures.ToDictionary(f => f.Code, f => f.Value);

    private static Guid IdOf(SserReturn of) => StableIds.For($"sser-return:{of.GestionnaireId}:{of.Year}");
}
