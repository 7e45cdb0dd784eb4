using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Directory.Data;

/// <summary>The directory's database.</summary>
internal sealed class DirectoryDbContext(DbContextOptions<DirectoryDbContext> options) : JaferDbContext(options)
{
    public DbSet<EspaceRow> Espaces => Set<EspaceRow>();

    public DbSet<GestionnaireRow> Gestionnaires => Set<GestionnaireRow>();

    public DbSet<ContactRow> Contacts => Set<ContactRow>();

    public DbSet<CapacityEnquiryRow> CapacityEnquiries => Set<CapacityEnquiryRow>();

    public DbSet<WaitDeclarationRow> WaitDeclarations => Set<WaitDeclarationRow>();

    public DbSet<EspaceGroupRow> EspaceGroups => Set<EspaceGroupRow>();

    public DbSet<EspaceChangeRow> EspaceChanges => Set<EspaceChangeRow>();

    public DbSet<SchoolHolidayRow> SchoolHolidays => Set<SchoolHolidayRow>();

    public DbSet<YearlyDeclarationRow> YearlyDeclarations => Set<YearlyDeclarationRow>();

    public DbSet<YearlyDeclarationChangeRow> YearlyDeclarationChanges => Set<YearlyDeclarationChangeRow>();

    public DbSet<MemberRow> Members => Set<MemberRow>();

    public DbSet<DelegationRow> Delegations => Set<DelegationRow>();

    public DbSet<CredentialRow> Credentials => Set<CredentialRow>();

    public DbSet<TerritoryRow> Territories => Set<TerritoryRow>();

    public DbSet<DepartementRow> Departements => Set<DepartementRow>();

    public DbSet<CourtRow> Courts => Set<CourtRow>();

    public DbSet<CommuneRow> Communes => Set<CommuneRow>();

    /// <summary>Espaces with everything that belongs to them, their gestionnaire's contacts included.</summary>
    public IQueryable<EspaceRow> WholeEspaces => Espaces.AsSplitQuery()
        .Include(e => e.Gestionnaire).ThenInclude(g => g.Contacts)
        .Include(e => e.Agrements).Include(e => e.Lieux).ThenInclude(l => l.Dessertes).Include(e => e.Modalites)
        .Include(e => e.Entretiens).Include(e => e.Ouvertures).Include(e => e.Fermetures).Include(e => e.Groups);

    /// <summary>
    /// Begins a transaction that writes an espace. Writers of one espace go one after the other, so that none loses to another
    /// what both may keep. Rows of espaces are taken first, in the order of ids, and the revision last, by the write itself:
    /// whoever holds the revision waits for nobody.
    /// </summary>
    public async Task BeginEspaceWriteAsync(Guid espaceId, CancellationToken ct)
    {
        await Database.BeginTransactionAsync(ct);
        await Database.ExecuteSqlAsync($"select from espaces where id = {espaceId} for no key update", ct);
    }

    /// <summary>Begins a transaction that writes every espace of a gestionnaire.</summary>
    public async Task BeginGestionnaireWriteAsync(Guid gestionnaireId, CancellationToken ct)
    {
        if (Database.CurrentTransaction is null)
            await Database.BeginTransactionAsync(ct);
        await Database.ExecuteSqlAsync($"select from espaces where gestionnaire_id = {gestionnaireId} order by id for no key update", ct);
    }

    /// <summary>Begins a transaction that says who gestionnaires are: one at a time, so that a SIRET is given once.</summary>
    public async Task BeginIdentityWriteAsync(CancellationToken ct)
    {
        await Database.BeginTransactionAsync(ct);
        await Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended('directory:identities', 0))", ct);
    }

    /// <summary>
    /// Begins a transaction that writes the members of an organisation: one at a time, so that two managers who remove each other at once do
    /// not both succeed.
    /// </summary>
    public async Task BeginMemberWriteAsync(Guid organisationId, CancellationToken ct)
    {
        await Database.BeginTransactionAsync(ct);
        await Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended({"directory:members:" + organisationId}, 0))", ct);
    }

    /// <summary>
    /// Begins an import. It holds the espaces that it writes, and leaves the revision to others until
    /// <see cref="EndImportAsync"/>.
    /// </summary>
    /// <param name="espaces">Ids of the espaces.</param>
    /// <param name="gestionnaires">Ids of the gestionnaires, of which all espaces are held.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task BeginImportAsync(Guid[] espaces, Guid[] gestionnaires, CancellationToken ct)
    {
        await BeginIdentityWriteAsync(ct);
        await Database.ExecuteSqlAsync(
            $"select from espaces where id = any({espaces}) or gestionnaire_id = any({gestionnaires}) order by id for no key update", ct);
        await Database.ExecuteSqlAsync($"select set_config('jafer.revision', 'later', true)", ct);
    }

    /// <summary>Saves what is left of an import and takes its revision; the commit follows at once.</summary>
    public async Task EndImportAsync(CancellationToken ct)
    {
        await SaveChangesAsync(ct);
        await Database.ExecuteSqlAsync($"select set_config('jafer.revision', '', true)", ct);
        // The trigger takes one revision for all of them.
        if (await Espaces.AnyAsync(e => e.Revision == -1, ct))
            await Database.ExecuteSqlAsync($"update espaces set revision = revision where revision = -1", ct);
    }

    /// <summary>
    /// Gives espaces a new revision, so that every replica reads them again. Their rows are taken before the revision, as
    /// everywhere: an import holds rows for long and takes the revision at its end.
    /// </summary>
    /// <param name="espaces">A query of their ids, in the order of ids, that locks their rows.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> ReviseAsync(FormattableString espaces, CancellationToken ct)
    {
        var ids = await Database.SqlQuery<Guid>(espaces).ToListAsync(ct);
        return ids.Count > 0 && await Database.ExecuteSqlAsync($"update espaces set revision = revision where id = any({ids})", ct) > 0;
    }

    /// <summary>
    /// Makes what holds a place for a mesure, and what tells that it was transmitted, go one after the other: whichever comes first, it never
    /// counts twice. Taken before the rows of espaces.
    /// </summary>
    public Task LockPlaceAsync(Guid mesureId, CancellationToken ct) =>
        Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended({"directory:place:" + mesureId}, 0))", ct);

    protected override void Map(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<DepartementRow>(e =>
        {
            e.ToTable("departements");
            e.HasKey(d => d.Code);
        });
        modelBuilder.Entity<CourtRow>(e =>
        {
            e.ToTable("courts");
            e.HasKey(c => c.Code);
            e.Property(c => c.ContactsVersion).IsConcurrencyToken();
        });
        modelBuilder.Entity<CommuneRow>(e =>
        {
            e.ToTable("communes");
            e.HasKey(c => c.Insee);
            e.Property(c => c.SearchName).ValueGeneratedOnAddOrUpdate();
        });
        modelBuilder.Entity<GestionnaireRow>(e =>
        {
            e.ToTable("gestionnaires");
            e.Property(g => g.Version).IsConcurrencyToken();
            e.Property(g => g.Id).ValueGeneratedNever();
            Code(e.Property(g => g.LegalForm));
            Code(e.Property(g => g.Federation));
            e.HasMany(g => g.Contacts).WithOne().HasForeignKey(c => c.OrganisationId);
        });
        modelBuilder.Entity<ContactRow>(e =>
        {
            e.ToTable("contacts");
            e.HasKey(c => new { c.OrganisationId, c.ExternalId });
            Code(e.Property(c => c.Role));
            Code(e.Property(c => c.Right));
        });
        modelBuilder.Entity<EspaceRow>(e =>
        {
            e.ToTable("espaces");
            e.Property(s => s.Id).ValueGeneratedNever();
            e.Property(s => s.Version).IsConcurrencyToken();
            e.Property(s => s.Revision).ValueGeneratedOnAddOrUpdate();
            Code(e.Property(s => s.State));
            e.HasOne(s => s.Gestionnaire).WithMany().HasForeignKey(s => s.GestionnaireId);
            e.HasMany(s => s.Agrements).WithOne().HasForeignKey(a => a.EspaceId);
            e.HasMany(s => s.Lieux).WithOne().HasForeignKey(l => l.EspaceId);
            e.HasMany(s => s.Modalites).WithOne().HasForeignKey(m => m.EspaceId);
            e.HasMany(s => s.Entretiens).WithOne().HasForeignKey(i => i.EspaceId);
            e.HasMany(s => s.Ouvertures).WithOne().HasForeignKey(o => o.EspaceId);
            e.HasMany(s => s.Fermetures).WithOne().HasForeignKey(f => f.EspaceId);
            e.HasMany(s => s.Groups).WithOne().HasForeignKey(g => g.EspaceId);
            e.ComplexProperty(s => s.Accueil, a => a.Property(p => p.PremierContact)
                .HasConversion(value => value.ToCode(), code => ProtoConversions.FromCode<Contracts.Directory.V1.PremierContact>(code)));
        });
        modelBuilder.Entity<EntretienRow>(e =>
        {
            e.ToTable("entretiens");
            e.HasKey(i => new { i.EspaceId, i.Position });
            Code(e.Property(i => i.Party));
        });
        modelBuilder.Entity<AgrementRow>(e =>
        {
            e.ToTable("agrements");
            e.HasKey(a => new { a.EspaceId, a.Position });
            Code(e.Property(a => a.State));
        });
        modelBuilder.Entity<LieuRow>(e =>
        {
            e.ToTable("lieux");
            e.Property(l => l.Id).ValueGeneratedNever();
            e.HasMany(l => l.Dessertes).WithOne().HasForeignKey(d => d.LieuId);
        });
        modelBuilder.Entity<DesserteRow>(e =>
        {
            e.ToTable("dessertes");
            e.HasKey(d => new { d.LieuId, d.Position });
            Code(e.Property(d => d.Mode));
        });
        modelBuilder.Entity<ModaliteRow>(e =>
        {
            e.ToTable("modalites");
            e.HasKey(m => new { m.EspaceId, m.Modalite });
            e.Ignore(m => m.Wait);
            e.Ignore(m => m.Places);
            e.Ignore(m => m.TakesMesures);
            e.Ignore(m => m.IsOffered);
            Code(e.Property(m => m.Modalite));
            Code(e.Property(m => m.State));
            Code(e.Property(m => m.ModeAccueil));
            e.Property(m => m.WaitSource).HasConversion(s => s!.Value.ToCode(), s => ProtoConversions.FromCode<Contracts.Directory.V1.FigureSource>(s));
        });
        modelBuilder.Entity<OuvertureRow>(e =>
        {
            e.ToTable("ouvertures");
            e.HasKey(o => new { o.EspaceId, o.Position });
            Code(e.Property(o => o.SchoolHolidays));
        });
        modelBuilder.Entity<FermetureRow>(e =>
        {
            e.ToTable("fermetures");
            e.HasKey(f => new { f.EspaceId, f.Position });
            Code(e.Property(f => f.Reason));
        });
        modelBuilder.Entity<EspaceGroupRow>(e =>
        {
            e.ToTable("espace_groups");
            e.HasKey(g => new { g.EspaceId, g.Group, g.Key });
            Code(e.Property(g => g.Group));
            Code(e.Property(g => g.Source));
        });
        modelBuilder.Entity<EspaceChangeRow>(e =>
        {
            e.ToTable("espace_changes");
            e.HasKey(c => new { c.EspaceId, c.Sequence });
            e.HasOne<EspaceRow>().WithMany().HasForeignKey(c => c.EspaceId);
            Code(e.Property(c => c.Group));
            Code(e.Property(c => c.Kind));
            Code(e.Property(c => c.Source));
        });
        modelBuilder.Entity<SchoolHolidayRow>(e =>
        {
            e.ToTable("school_holidays");
            e.HasKey(h => new { h.Zone, h.StartDate });
        });
        modelBuilder.Entity<YearlyDeclarationRow>(e =>
        {
            e.ToTable("yearly_declarations");
            e.HasKey(y => new { y.GestionnaireId, y.Year });
            e.Property(y => y.Version).IsConcurrencyToken();
            e.HasMany(y => y.Personnels).WithOne().HasForeignKey(p => new { p.GestionnaireId, p.Year });
            e.HasMany(y => y.Ressources).WithOne().HasForeignKey(r => new { r.GestionnaireId, r.Year });
        });
        modelBuilder.Entity<YearlyDeclarationChangeRow>(e =>
        {
            e.ToTable("yearly_declaration_changes");
            e.HasKey(y => new { y.GestionnaireId, y.Year, y.Version });
            Code(e.Property(y => y.Source));
        });
        modelBuilder.Entity<PersonnelRow>(e =>
        {
            e.ToTable("personnels");
            e.HasKey(p => new { p.GestionnaireId, p.Year, p.Status, p.Function });
            Code(e.Property(p => p.Status));
            Code(e.Property(p => p.Function));
        });
        modelBuilder.Entity<RessourceRow>(e =>
        {
            e.ToTable("ressources");
            e.HasKey(r => new { r.GestionnaireId, r.Year, r.Funder });
            Code(e.Property(r => r.Funder));
        });
        modelBuilder.Entity<CapacityEnquiryRow>(e =>
        {
            e.ToTable("capacity_enquiries");
            e.Property(q => q.Id).ValueGeneratedNever();
            e.Property(q => q.Version).IsConcurrencyToken();
            e.HasOne(q => q.Espace).WithMany().HasForeignKey(q => q.EspaceId);
            e.HasOne<CapacityEnquiryRow>().WithMany().HasForeignKey(q => q.JoinedId);
            Code(e.Property(q => q.Modalite));
            e.Property(q => q.Answer).HasConversion(a => a!.Value.ToCode(), a => ProtoConversions.FromCode<Contracts.Directory.V1.CapacityAnswer>(a));
            e.Property(q => q.AnsweredBy).HasConversion(a => a!.Value.ToCode(), a => ProtoConversions.FromCode<Contracts.Directory.V1.EnquiryAnsweredBy>(a));
        });
        modelBuilder.Entity<MemberRow>(e =>
        {
            e.ToTable("members");
            e.Property(m => m.Id).ValueGeneratedNever();
            e.Property(m => m.Version).IsConcurrencyToken();
            Code(e.Property(m => m.Rank));
            Code(e.Property(m => m.State));
        });
        modelBuilder.Entity<DelegationRow>(e =>
        {
            e.ToTable("delegations");
            e.Property(d => d.Id).ValueGeneratedNever();
            e.Property(d => d.Version).IsConcurrencyToken();
            e.HasOne<MemberRow>().WithMany().HasForeignKey(d => d.FromMemberId);
            e.HasOne<MemberRow>().WithMany().HasForeignKey(d => d.ToMemberId);
        });
        modelBuilder.Entity<CredentialRow>(e =>
        {
            e.ToTable("credentials");
            e.Property(c => c.Id).ValueGeneratedNever();
            e.Property(c => c.Version).IsConcurrencyToken();
            e.HasMany(c => c.Keys).WithOne().HasForeignKey(k => k.CredentialId);
            Code(e.Property(c => c.Rank));
        });
        modelBuilder.Entity<TerritoryRow>(e =>
        {
            e.ToTable("territories");
            e.HasKey(t => t.OrganisationId);
            e.Property(t => t.OrganisationId).ValueGeneratedNever();
            e.Property(t => t.Version).IsConcurrencyToken();
        });
        modelBuilder.Entity<CredentialKeyRow>(e =>
        {
            e.ToTable("credential_keys");
            e.Property(k => k.Id).ValueGeneratedNever();
        });
        modelBuilder.Entity<WaitDeclarationRow>(e =>
        {
            e.ToTable("wait_declarations");
            e.Property(w => w.Id).UseIdentityAlwaysColumn();
            e.HasOne<EspaceRow>().WithMany().HasForeignKey(w => w.EspaceId);
            Code(e.Property(w => w.Modalite));
            Code(e.Property(w => w.Source));
        });
    }

    // Enums stand in the database by the code of the contract, readable and checked there.
    private static void Code<T>(PropertyBuilder<T> property)
        where T : struct, Enum => property.HasConversion(value => value.ToCode(), code => ProtoConversions.FromCode<T>(code));
}
