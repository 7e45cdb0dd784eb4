using Jafer.ServiceDefaults.Privacy;

[assembly: HeldInSql("__EFMigrationsHistory", DataCategory.Technical, Processing.Operation, Kept.Unlimited)]
[assembly: HeldInSql("outbox_messages", DataCategory.Technical, Processing.Operation, Kept.UntilDone)]
[assembly: HeldInSql("sealing_passes", DataCategory.Technical, Processing.Operation, Kept.Unlimited)]
[assembly: HeldInSql("journal.entries", DataCategory.Pseudonym, Processing.Accountability, Kept.Journal)]
[assembly: HeldInSql("journal.entries.subject", DataCategory.Professional, Processing.Accountability, Kept.Journal)]
[assembly: HeldInSql("journal.entries.on_behalf_of", DataCategory.Professional, Processing.Accountability, Kept.Journal)]
[assembly: HeldInSql("journal.seals", DataCategory.Technical, Processing.Accountability, Kept.Journal)]
