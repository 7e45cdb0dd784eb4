using Jafer.ServiceDefaults.Privacy;

[assembly: HeldInSql("agrement_ends_told", DataCategory.Technical, Processing.Directory, Kept.WithOrganisation)]
[assembly: HeldInSql("agrement_lieux_ends_told", DataCategory.Technical, Processing.Directory, Kept.WithOrganisation)]
[assembly: HeldInSql("stale_groups_told", DataCategory.Technical, Processing.Directory, Kept.WithOrganisation)]
[assembly: HeldInSql("upkeep_reminders", DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
[assembly: HeldInSql("directory_revision", DataCategory.Technical, Processing.Directory, Kept.Unlimited)]
[assembly: HeldInSql("distancier_imports", DataCategory.Public, Processing.Directory, Kept.Unlimited)]
[assembly: HeldInSql("distancier_ways", DataCategory.Public, Processing.Directory, Kept.Unlimited)]
[assembly: HeldInSql("reference_files", DataCategory.Public, Processing.Directory, Kept.Unlimited)]
[assembly: HeldInSql("communes.population_10km", DataCategory.Public, Processing.Directory, Kept.Unlimited)]
[assembly: HeldInSql("place_holds", DataCategory.CaseLife, Processing.Figures, Kept.UntilDone)]
[assembly: HeldInSql("mesure_receptions", DataCategory.CaseLife, Processing.Figures, Kept.WithMesure)]
