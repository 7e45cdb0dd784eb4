using Jafer.ServiceDefaults.Privacy;

[assembly: HeldInSql("__EFMigrationsHistory", DataCategory.Technical, Processing.Operation, Retention.Unlimited)]
[assembly: HeldInSql("outbox_messages", DataCategory.Technical, Processing.Operation, Retention.UntilDone)]
[assembly: HeldInSql("sealing_passes", DataCategory.Technical, Processing.Operation, Retention.Unlimited)]
[assembly: HeldInSql("journal.entries", DataCategory.Pseudonym, Processing.Accountability, Retention.Journal)]
[assembly: HeldInSql("journal.entries.subject", DataCategory.Professional, Processing.Accountability, Retention.Journal)]
[assembly: HeldInSql("journal.entries.on_behalf_of", DataCategory.Professional, Processing.Accountability, Retention.Journal)]
[assembly: HeldInSql("journal.seals", DataCategory.Technical, Processing.Accountability, Retention.Journal)]
