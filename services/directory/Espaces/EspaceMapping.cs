using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Espaces;

/// <summary>From the rows of an espace to what is sent.</summary>
internal static class EspaceMapping
{
    /// <summary>The espace as it is sent.</summary>
    /// <param name="row">The espace with its gestionnaire and all that belongs to it.</param>
    /// <param name="geography">Names of communes.</param>
    /// <param name="today">Today in Paris, for the state of agréments and the age of figures.</param>
    public static Espace ToProto(this EspaceRow row, Geography geography, DateOnly today)
    {
        var espace = GroupDocuments.Merge(GroupDocuments.Of(row, s_shown).Values).Complete(row, geography, today);
        espace.UpdateTime = row.UpdatedAt.ToProto();
        espace.Etag = row.Version.ToEtag();
        espace.Provenances.Add(row.Groups.Select(g => g.ToProto(espace, today)).OrderBy(p => p.Group).ThenBy(p => p.Key, StringComparer.Ordinal));
        return espace;
    }

    /// <summary>Sets what follows from the documents, from the reference data and from the day of reading.</summary>
    /// <param name="espace">An espace put together from its documents.</param>
    /// <param name="row">Its row; only what never changes is taken from it.</param>
    /// <param name="geography">Names of communes.</param>
    /// <param name="today">The day of reading.</param>
    public static Espace Complete(this Espace espace, EspaceRow row, Geography geography, DateOnly today)
    {
        espace.EspaceId = row.Id.ToString();
        espace.CreateTime = row.CreatedAt.ToProto();
        foreach (var agrement in espace.Agrements)
            Shown(agrement, today);
        foreach (var lieu in espace.Lieux)
            lieu.Complete(row.Id, geography);
        foreach (var wait in espace.Modalites.Select(m => m.DeclaredWait).OfType<DeclaredWait>())
            wait.Stale = wait.ToDomain().IsStaleOn(today);
        return espace;
    }

    /// <summary>Turns an agrément as it is held into what is shown of it on a day.</summary>
    public static Contracts.Directory.V1.Agrement Shown(Contracts.Directory.V1.Agrement agrement, DateOnly today)
    {
        var domain = ImportChecks.ToDomain(agrement);
        (agrement.State, agrement.StartDate) = (domain.StateOn(today), domain.Validity?.From.ToProto());
        return agrement;
    }

    /// <summary>The lieu as it is sent.</summary>
    public static Lieu ToProto(this LieuRow row, Geography geography) => GroupDocuments.ToDocument(row).Complete(row.EspaceId, geography);

    private static readonly EspaceGroup[] s_shown = [.. GroupDocuments.Single, EspaceGroup.Modalite, EspaceGroup.Attente];

    private static Lieu Complete(this Lieu lieu, Guid espaceId, Geography geography)
    {
        lieu.LieuId = StableIds.Lieu(espaceId, lieu.ExternalId).ToString();
        lieu.CommuneName = geography.CommuneNames.GetValueOrDefault(lieu.CommuneInsee, "");
        lieu.TimeZone = LocalTime.ZoneOf(lieu.CommuneInsee);
        return lieu;
    }

    /// <summary>The wait of a message.</summary>
    public static Wait ToDomain(this DeclaredWait wait) => new(wait.Days, ImportChecks.ToDate(wait.AsOfDate)!.Value);

    /// <summary>The provenance as it is sent.</summary>
    /// <param name="row">The provenance.</param>
    /// <param name="espace">The espace, whose declared waits say for which day they hold.</param>
    /// <param name="today">The day of reading.</param>
    public static Provenance ToProto(this EspaceGroupRow row, Espace espace, DateOnly today)
    {
        // A declared wait ages from the day for which it holds, whenever it was sent.
        var wait = row.Group == EspaceGroup.Attente ? espace.Modalites.FirstOrDefault(m => m.Modalite.ToCode() == row.Key)?.DeclaredWait : null;
        var confirmed = wait?.ToDomain().AsOf ?? row.ConfirmedAt.DayInParis();
        return new Provenance
        {
            Group = row.Group,
            Key = row.Key,
            Source = row.Source,
            OrganisationId = row.OrganisationId.ToString(),
            SaidTime = row.SaidAt.ToProto(),
            ConfirmedTime = row.ConfirmedAt.ToProto(),
            Stale = Freshness.IsStaleOn(row.Group, confirmed, today),
            FreshUntilDate = Freshness.FreshUntil(row.Group, confirmed).ToProto(),
        };
    }

    /// <summary>The wait as it is sent; null when there is none.</summary>
    public static DeclaredWait? ToProto(this Wait? wait, FigureSource source, DateOnly today) => wait is not { } known ? null : new DeclaredWait
    {
        Days = known.Days,
        AsOfDate = known.AsOf.ToProto(),
        Source = source,
        Stale = known.IsStaleOn(today),
    };

    /// <summary>The current state of an espace for the projections of others.</summary>
    /// <param name="row">The espace with all that belongs to it.</param>
    /// <param name="now">Now.</param>
    public static EspacePublished ToEvent(this EspaceRow row, DateTimeOffset now) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = row.Id,
        AggregateVersion = row.Version,
        OccurredAt = row.UpdatedAt,
        RecordedAt = now,
        CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
        GestionnaireId = row.GestionnaireId,
        Departement = row.Departement,
        State = row.State.ToCode(),
        AgrementPeriods = [.. row.Agrements.OrderBy(a => a.Position).Select(a => a.ToDomain().Validity).OfType<Period>().Select(p => new AgrementPeriod(p.From, p.To))],
        OpenModalites = [.. row.Modalites.Where(m => m.TakesMesures).Select(m => m.Modalite).Order().Select(m => m.ToCode())],
        TimeZone = LocalTime.ZoneOf(row.Lieux.MinBy(l => l.Position)!.CommuneInsee),
    };

    /// <summary>A court for the projections of others.</summary>
    public static OrganisationPublished ToEvent(this CourtRow row, DateTimeOffset now) => Organisation(row.OrganisationId, 1, "JURIDICTION", row.Code, now);

    /// <summary>A gestionnaire for the projections of others.</summary>
    public static OrganisationPublished ToEvent(this GestionnaireRow row, DateTimeOffset now) => Organisation(row.Id, row.Version, "GESTIONNAIRE", null, now);

    private static OrganisationPublished Organisation(Guid id, long version, string kind, string? code, DateTimeOffset now) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = id,
        AggregateVersion = version,
        OccurredAt = now,
        RecordedAt = now,
        CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
        Kind = kind,
        Code = code,
    };
}
