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

    public DbSet<WaitDeclarationRow> WaitDeclarations => Set<WaitDeclarationRow>();

    public DbSet<DepartementRow> Departements => Set<DepartementRow>();

    public DbSet<CourtRow> Courts => Set<CourtRow>();

    public DbSet<CommuneRow> Communes => Set<CommuneRow>();

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
            e.HasMany(g => g.Contacts).WithOne().HasForeignKey(c => c.OrganisationId);
        });
        modelBuilder.Entity<ContactRow>(e =>
        {
            e.ToTable("contacts");
            e.HasKey(c => new { c.OrganisationId, c.ExternalId });
            Code(e.Property(c => c.Role));
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
        });
        modelBuilder.Entity<ModaliteRow>(e =>
        {
            e.ToTable("modalites");
            e.HasKey(m => new { m.EspaceId, m.Modalite });
            e.Ignore(m => m.Wait);
            e.Ignore(m => m.TakesMesures);
            Code(e.Property(m => m.Modalite));
            Code(e.Property(m => m.State));
            e.Property(m => m.WaitSource).HasConversion(s => s!.Value.ToCode(), s => ProtoConversions.FromCode<Contracts.Directory.V1.FigureSource>(s));
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
