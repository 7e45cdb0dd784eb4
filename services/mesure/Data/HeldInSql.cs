using Jafer.ServiceDefaults.Privacy;

[assembly: HeldInSql("delay_counts", DataCategory.Statistics, Processing.Figures, Kept.Unlimited)]
[assembly: HeldInSql("delay_totals", DataCategory.Statistics, Processing.Figures, Kept.Unlimited)]
[assembly: HeldInSql("delay_entries", DataCategory.CaseLife, Processing.Figures, Kept.WithMesure)]
[assembly: HeldInSql("delay_queue", DataCategory.Technical, Processing.Figures, Kept.UntilDone)]
[assembly: HeldInSql("index_renewals", DataCategory.Technical, Processing.Operation, Kept.Unlimited)]
[assembly: HeldInSql("mesure_returns", DataCategory.Pseudonym, Processing.Figures, Kept.WithMesure)]
[assembly: HeldInSql("survey_entries", DataCategory.CaseLife, Processing.Figures, Kept.WithMesure)]
[assembly: HeldInSql("survey_counts", DataCategory.Statistics, Processing.Figures, Kept.Unlimited)]
[assembly: HeldInSql("survey_queue", DataCategory.Technical, Processing.Figures, Kept.UntilDone)]
[assembly: HeldInSql("survey_state", DataCategory.Technical, Processing.Figures, Kept.Unlimited)]
