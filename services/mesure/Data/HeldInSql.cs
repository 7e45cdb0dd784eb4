using Jafer.ServiceDefaults.Privacy;

[assembly: HeldInSql("delay_counts", DataCategory.Statistics, Processing.Figures, Retention.Unlimited)]
[assembly: HeldInSql("delay_totals", DataCategory.Statistics, Processing.Figures, Retention.Unlimited)]
[assembly: HeldInSql("delay_entries", DataCategory.CaseLife, Processing.Figures, Retention.WithMesure)]
[assembly: HeldInSql("delay_queue", DataCategory.Technical, Processing.Figures, Retention.UntilDone)]
[assembly: HeldInSql("index_renewals", DataCategory.Technical, Processing.Operation, Retention.Unlimited)]
[assembly: HeldInSql("mesure_returns", DataCategory.Pseudonym, Processing.Figures, Retention.WithMesure)]
