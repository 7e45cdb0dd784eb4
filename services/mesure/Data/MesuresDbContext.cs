using System.Linq.Expressions;
using System.Text.Json;
using System.Text.Json.Serialization;
using Jafer.Mesures.Bulk;
using Jafer.Mesures.Deadlines;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Domain.Survey;
using Jafer.Mesures.Mesures;
using Jafer.Mesures.Retention;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Npgsql;

namespace Jafer.Mesures.Data;

/// <summary>The mesure service's database. The schema is written in Migrations/*.sql; a test compares it with this model.</summary>
internal sealed class MesuresDbContext : JaferDbContext
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new CodeConverterFactory() },
    };

    private static readonly Func<MesuresDbContext, Guid, CancellationToken, Task<Mesure?>> s_mesure = EF.CompileAsyncQuery(
        (MesuresDbContext db, Guid id, CancellationToken ct) => db.Mesures.SingleOrDefault(m => m.Id == id));

    private static readonly Func<MesuresDbContext, Guid, CancellationToken, Task<EspaceView?>> s_espace = EF.CompileAsyncQuery(
        (MesuresDbContext db, Guid id, CancellationToken ct) => db.Espaces.AsNoTracking().SingleOrDefault(e => e.Id == id));

    // Saving looks for changes once; by itself EF would at every look at the tracker, and a mesure has a hundred columns.
    public MesuresDbContext(DbContextOptions<MesuresDbContext> options)
        : base(options) => ChangeTracker.AutoDetectChangesEnabled = false;

    public DbSet<Mesure> Mesures => Set<Mesure>();

    public DbSet<MesureFact> Facts => Set<MesureFact>();

    public DbSet<Party> Parties => Set<Party>();

    public DbSet<Child> Children => Set<Child>();

    public DbSet<Rencontre> Rencontres => Set<Rencontre>();

    public DbSet<Difficulty> Difficulties => Set<Difficulty>();

    public DbSet<InformationExchange> InformationExchanges => Set<InformationExchange>();

    public DbSet<DecisionVersion> DecisionVersions => Set<DecisionVersion>();

    public DbSet<ExternalAlert> ExternalAlerts => Set<ExternalAlert>();

    public DbSet<BulkJob> BulkJobs => Set<BulkJob>();

    public DbSet<BulkItem> BulkItems => Set<BulkItem>();

    public DbSet<Interview> Interviews => Set<Interview>();

    public DbSet<InterviewSlot> InterviewSlots => Set<InterviewSlot>();

    public DbSet<FreeSlot> FreeSlots => Set<FreeSlot>();

    public DbSet<SessionRequest> SessionRequests => Set<SessionRequest>();

    public DbSet<DecisionDocument> DecisionDocuments => Set<DecisionDocument>();

    public DbSet<DecisionDocumentChunk> DecisionDocumentChunks => Set<DecisionDocumentChunk>();

    public DbSet<EspaceView> Espaces => Set<EspaceView>();

    public DbSet<OrganisationView> Organisations => Set<OrganisationView>();

    public DbSet<IntakeItem> IntakeItems => Set<IntakeItem>();

    public DbSet<IntakeSequence> IntakeSequences => Set<IntakeSequence>();

    public DbSet<IntakeSource> IntakeSources => Set<IntakeSource>();

    public DbSet<Deadline> Deadlines => Set<Deadline>();

    public DbSet<SentReminder> Reminders => Set<SentReminder>();

    public DbSet<LegalHold> LegalHolds => Set<LegalHold>();

    public DbSet<RetentionRun> RetentionRuns => Set<RetentionRun>();

    public DbSet<RetentionCount> RetentionCounts => Set<RetentionCount>();

    public DbSet<TransmissionRelay> TransmissionRelays => Set<TransmissionRelay>();

    public DbSet<SurveyCampaign> SurveyCampaigns => Set<SurveyCampaign>();

    public DbSet<SserReturn> SserReturns => Set<SserReturn>();

    public DbSet<SserReturnVersion> SserReturnVersions => Set<SserReturnVersion>();

    public DbSet<NationalFigure> NationalFigures => Set<NationalFigure>();

    /// <summary>
    /// Saves, and with the acts of each mesure the deadlines that follow from them. Here, because no act comes past it but those of
    /// the intake, which plans them by the hundred.
    /// </summary>
    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        var acted = ChangeTracker.Entries<Mesure>().Select(e => e.Entity).Where(m => m.NewFacts.Count > 0).ToList();
        await using var own = Database.CurrentTransaction is null && acted.Exists(m => DeadlinePlan.MayBeTold(m, m.NewFacts[^1].RecordedAt))
            ? await Database.BeginTransactionAsync(cancellationToken) : null;
        foreach (var mesure in acted)
        {
            await PlanDeadlinesAsync(mesure, mesure.NewFacts[^1].RecordedAt, cancellationToken);
        }

        var written = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        if (own is not null)
        {
            // Once begun, a commit is not given up because the client left.
            await own.CommitAsync(CancellationToken.None);
        }

        return written;
    }

    /// <summary>Computes the deadlines of a mesure, and tells which of those that were told are lifted; both are saved with the next changes.</summary>
    /// <param name="mesure">The mesure.</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task PlanDeadlinesAsync(Mesure mesure, DateTimeOffset now, CancellationToken ct)
    {
        var mayBeTold = DeadlinePlan.MayBeTold(mesure, now);
        if (DeadlineTable.AsksForDifficulties(mesure.Status))
        {
            await Difficulties.Where(d => d.MesureId == mesure.Id && d.State != Contracts.Mesure.V1.DifficultyState.Answered).LoadAsync(ct);
        }

        var interviews = DeadlineTable.AsksForInterviews(mesure.Status);
        if (interviews)
        {
            await Interviews.Where(i => i.MesureId == mesure.Id && i.State == Contracts.Mesure.V1.InterviewState.Booked).LoadAsync(ct);
        }

        var plan = DeadlinePlan.Of(
            mesure,
            ChangeTracker.Entries<Difficulty>().Select(e => e.Entity).Where(d => d.MesureId == mesure.Id),
            ChangeTracker.Entries<Interview>().Select(e => e.Entity).Where(i => interviews && i.MesureId == mesure.Id));
        Append(plan);
        foreach (var lifted in mayBeTold ? await DeadlinePlan.LiftedAsync(this, [(mesure, plan)], now, ct) : [])
        {
            Publish(lifted);
        }
    }

    /// <summary>Adds a fact to the history.</summary>
    public void Append(MesureFact fact) => Append(new AppendedFact(fact));

    /// <summary>A mesure to act on; null when there is none.</summary>
    public Task<Mesure?> MesureAsync(Guid id, CancellationToken ct) => s_mesure(this, id, ct);

    /// <summary>What is known of an espace, to look at only; null when nothing is.</summary>
    public Task<EspaceView?> EspaceAsync(Guid id, CancellationToken ct) => s_espace(this, id, ct);

    protected override void Map(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Mesure>(e =>
        {
            e.ToTable("mesures");
            e.Property(m => m.Version).IsConcurrencyToken();
            e.Ignore(m => m.NewFacts).Ignore(m => m.Plannable);
            e.ComplexProperty(m => m.Status, status =>
            {
                // The status is the mesure's own: its columns need no prefix.
                foreach (var property in status.Metadata.ComplexType.GetProperties())
                {
                    property.SetColumnName(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name));
                }
            });
            e.ComplexProperty(m => m.Decision, decision => decision.Ignore(d => d.Rendered).Ignore(d => d.GrantsRemises));
        });
        modelBuilder.Entity<MesureFact>(e =>
        {
            e.ToTable("mesure_facts");
            BelongsToMesure(e, f => f.MesureId);
            e.Property(f => f.Details).HasColumnType("jsonb").HasConversion(
                d => JsonSerializer.Serialize(d, s_json), s => JsonSerializer.Deserialize<FactDetails>(s, s_json)!);
        });
        BelongsToMesure(modelBuilder.Entity<Party>().ToTable("parties"), p => p.MesureId);
        BelongsToMesure(modelBuilder.Entity<Child>().ToTable("children"), c => c.MesureId);
        modelBuilder.Entity<Rencontre>(e =>
        {
            e.ToTable("rencontres");
            BelongsToMesure(e, r => r.MesureId);
            e.Ignore(r => r.Day).Ignore(r => r.EndsAt);
            e.ComplexProperty(r => r.Arrivals);
            e.Property(r => r.Presences).HasColumnType("jsonb").HasConversion(ListConverter<Attendance>(), ListComparer<Attendance>());
        });
        modelBuilder.Entity<FreeSlot>(e =>
        {
            e.ToTable("free_slots");
            e.Property(s => s.Version).IsConcurrencyToken();
            e.HasOne<Rencontre>().WithMany().HasForeignKey(s => s.RencontreId).OnDelete(DeleteBehavior.Restrict);
        });
        modelBuilder.Entity<SessionRequest>().ToTable("session_requests").Property(r => r.Version).IsConcurrencyToken();
        BelongsToMesure(modelBuilder.Entity<Difficulty>().ToTable("difficulties"), d => d.MesureId);
        BelongsToMesure(modelBuilder.Entity<InformationExchange>().ToTable("information_exchanges"), i => i.MesureId);
        BelongsToMesure(modelBuilder.Entity<ExternalAlert>().ToTable("external_alerts"), a => a.MesureId);
        modelBuilder.Entity<ExternalAlert>().HasOne<Difficulty>().WithMany().HasForeignKey(a => a.DifficultyId).OnDelete(DeleteBehavior.Restrict);
        modelBuilder.Entity<DecisionVersion>(e =>
        {
            e.ToTable("decision_versions").HasKey(v => new { v.MesureId, v.Number });
            BelongsToMesure(e, v => v.MesureId);
            e.Property(v => v.Content).HasColumnType("jsonb").HasConversion(
                d => JsonSerializer.Serialize(d, s_json), s => JsonSerializer.Deserialize<Decision>(s, s_json)!);
        });
        modelBuilder.Entity<BulkJob>().ToTable("bulk_jobs");
        modelBuilder.Entity<BulkItem>(e =>
        {
            e.ToTable("bulk_items").HasKey(i => new { i.JobId, i.MesureId });
            BelongsToMesure(e, i => i.MesureId);
            e.HasOne<BulkJob>().WithMany().HasForeignKey(i => i.JobId).OnDelete(DeleteBehavior.Restrict);
        });
        BelongsToMesure(modelBuilder.Entity<Interview>().ToTable("interviews"), i => i.MesureId);
        modelBuilder.Entity<InterviewSlot>().ToTable("interview_slots");
        BelongsToMesure(modelBuilder.Entity<Deadline>().ToTable("deadlines"), d => d.MesureId);
        modelBuilder.Entity<Deadline>().HasKey(d => new { d.MesureId, d.Kind, d.DueAt });
        BelongsToMesure(modelBuilder.Entity<SentReminder>().ToTable("reminders"), r => r.MesureId);
        modelBuilder.Entity<TransmissionRelay>().ToTable("transmission_relays").HasKey(r => r.MesureId);
        // What is erased is there for nobody.
        BelongsToMesure(modelBuilder.Entity<DecisionDocument>().ToTable("decision_documents").HasQueryFilter(d => d.ErasedAt == null), d => d.MesureId);
        BelongsToMesure(modelBuilder.Entity<LegalHold>().ToTable("legal_holds"), h => h.MesureId);
        modelBuilder.Entity<RetentionRun>().ToTable("retention_runs");
        modelBuilder.Entity<RetentionCount>(e =>
        {
            e.ToTable("retention_counts").HasKey(c => new { c.RunId, c.Rule });
            e.HasOne<RetentionRun>().WithMany().HasForeignKey(c => c.RunId).OnDelete(DeleteBehavior.Restrict);
        });
        modelBuilder.Entity<DecisionDocumentChunk>().ToTable("decision_document_chunks").HasKey(c => new { c.DocumentId, c.Number });
        modelBuilder.Entity<OrganisationView>().ToTable("organisations");
        modelBuilder.Entity<SurveyCampaign>(e =>
        {
            e.ToTable("survey_campaigns").HasKey(c => c.Year);
            e.Property(c => c.Year).ValueGeneratedNever();
            e.Property(c => c.Version).IsConcurrencyToken();
            e.Ignore(c => c.IsClosed);
        });
        modelBuilder.Entity<SserReturn>(e =>
        {
            e.ToTable("sser_returns").HasKey(r => new { r.GestionnaireId, r.Year });
            e.Property(r => r.Version).IsConcurrencyToken();
            e.Property(r => r.Figures).HasColumnType("jsonb").HasConversion(ListConverter<ReturnFigure>(), ListComparer<ReturnFigure>());
        });
        modelBuilder.Entity<SserReturnVersion>(e =>
        {
            e.ToTable("sser_return_versions").HasKey(r => new { r.GestionnaireId, r.Year, r.Version });
            e.HasOne<SserReturn>().WithMany().HasForeignKey(r => new { r.GestionnaireId, r.Year }).OnDelete(DeleteBehavior.Restrict);
            e.Property(r => r.Figures).HasColumnType("jsonb").HasConversion(ListConverter<ReturnFigure>(), ListComparer<ReturnFigure>());
        });
        modelBuilder.Entity<NationalFigure>().ToTable("survey_national").HasKey(f => new { f.Year, f.Code });
        modelBuilder.Entity<ReferenceCounter>().ToTable("reference_counters").HasKey(c => new { c.Prefix, c.Year });
        modelBuilder.Entity<EspaceView>(e =>
        {
            e.ToTable("espaces");
            e.Ignore(v => v.Closed);
            e.Property(v => v.AgrementPeriods).HasColumnType("jsonb").HasConversion(ListConverter<ApprovedPeriod>(), ListComparer<ApprovedPeriod>());
            e.Property(v => v.LieuAgrements).HasColumnType("jsonb").HasConversion(ListConverter<ApprovedLieu>(), ListComparer<ApprovedLieu>());
            e.Property(v => v.Capacities).HasColumnType("jsonb").HasConversion(ListConverter<DeclaredCapacity>(), ListComparer<DeclaredCapacity>());
            e.Property(v => v.Waits).HasColumnType("jsonb").HasConversion(ListConverter<KnownWait>(), ListComparer<KnownWait>());
        });
        modelBuilder.Entity<IntakeItem>(e =>
        {
            e.ToTable("intake_items").HasKey(i => new { i.GestionnaireId, i.Id });
            e.Property(i => i.Id).UseIdentityAlwaysColumn();
        });
        modelBuilder.Entity<IntakeSequence>(e =>
        {
            e.ToTable("intake_sequences").HasKey(s => new { s.MesureId, s.SourceSystem });
            e.Ignore(s => s.Ahead);
            BelongsToMesure(e, s => s.MesureId);
        });
        modelBuilder.Entity<IntakeSource>(e =>
        {
            e.ToTable("intake_sources").HasKey(s => new { s.GestionnaireId, s.SourceSystem });
            e.Ignore(s => s.UsualDays);
        });
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        // Enums stand in the database as their codes.
        foreach (var type in typeof(Contracts.Mesure.V1.MesureState).Assembly.GetTypes().Where(t => t.IsEnum && t.Namespace?.StartsWith("Jafer.Contracts", StringComparison.Ordinal) == true))
        {
            configurationBuilder.Properties(type).HaveConversion(typeof(CodeValueConverter<>).MakeGenericType(type));
            configurationBuilder.Properties(type.MakeArrayType()).HaveConversion(
                typeof(CodesValueConverter<>).MakeGenericType(type), typeof(CodesComparer<>).MakeGenericType(type));
        }
    }

    private static void BelongsToMesure<T>(EntityTypeBuilder<T> entity, Expression<Func<T, object?>> mesureId)
        where T : class => entity.HasOne<Mesure>().WithMany().HasForeignKey(mesureId).OnDelete(DeleteBehavior.Restrict);

    private static ValueConverter<IReadOnlyList<T>, string> ListConverter<T>() =>
        new(list => JsonSerializer.Serialize(list, s_json), s => JsonSerializer.Deserialize<List<T>>(s, s_json)!);

    private static ValueComparer<IReadOnlyList<T>> ListComparer<T>() => new((a, b) => a!.SequenceEqual(b!), list => list.Count, list => list);

    private sealed record AppendedFact(MesureFact Fact) : IAppended
    {
        public NpgsqlBatchCommand ToInsert() => Inserts.With(
            """
            insert into mesure_facts (id, mesure_id, version, act, occurred_at, recorded_at, actor_organisation_id, actor_subject, source_system, external_id, details)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            Inserts.Value(Fact.Id), Inserts.Value(Fact.MesureId), Inserts.Value(Fact.Version), Inserts.Value(Fact.Act.ToCode()), Inserts.Value(Fact.OccurredAt),
            Inserts.Value(Fact.RecordedAt), Inserts.Uuid(Fact.ActorOrganisationId), Inserts.Text(Fact.ActorSubject), Inserts.Text(Fact.SourceSystem),
            Inserts.Text(Fact.ExternalId), Inserts.Json(JsonSerializer.Serialize(Fact.Details, s_json)));
    }

    private sealed class CodeConverterFactory : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) => typeToConvert.IsEnum;

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(CodeJsonConverter<>).MakeGenericType(typeToConvert))!;
    }

    private sealed class CodeJsonConverter<T> : JsonConverter<T>
        where T : struct, Enum
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ProtoConversions.FromCode<T>(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToCode());
    }
}

/// <summary>An enum of the contract as its code.</summary>
internal sealed class CodeValueConverter<T>() : ValueConverter<T, string>(v => v.ToCode(), s => ProtoConversions.FromCode<T>(s))
    where T : struct, Enum;

/// <summary>A list of enums of the contract as their codes.</summary>
internal sealed class CodesValueConverter<T>() : ValueConverter<T[], string[]>(
    values => values.Select(v => v.ToCode()).ToArray(), codes => codes.Select(c => ProtoConversions.FromCode<T>(c)).ToArray())
    where T : struct, Enum;

/// <summary>Compares lists of enums by content.</summary>
internal sealed class CodesComparer<T>() : ValueComparer<T[]>((a, b) => a!.SequenceEqual(b!), values => values.Length, values => values)
    where T : struct, Enum;
