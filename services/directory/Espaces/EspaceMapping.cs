using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Proto = Jafer.Contracts.Directory.V1;

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
        return espace.Judge(row.Groups, row.Gestionnaire.Contacts.Exists(c => c.Role == ContactRole.Suivi), today);
    }

    /// <summary>Adds who said what, and how good the description is.</summary>
    /// <param name="espace">A complete espace.</param>
    /// <param name="groups">Provenance of its groups.</param>
    /// <param name="hasFollowUpContact">Whether a contact follows mesures.</param>
    /// <param name="today">The day of reading.</param>
    public static Espace Judge(this Espace espace, IEnumerable<EspaceGroupRow> groups, bool hasFollowUpContact, DateOnly today)
    {
        espace.Provenances.Add(groups.Select(g => g.ToProto(espace, today)).OrderBy(p => p.Group).ThenBy(p => p.Key, StringComparer.Ordinal));
        List<Period> periods = [.. espace.Agrements.Select(a => ImportChecks.ToDomain(a).Validity).OfType<Period>()];
        DateOnly? validUntil = periods.Exists(p => p.Contains(today)) ? Domain.Agrement.ValidUntil(periods, today) ?? DateOnly.MaxValue : null;
        espace.Quality = Quality.Of(espace, hasFollowUpContact, validUntil, today);
        return espace;
    }

    /// <summary>The agrément as it stands on a day: what silence granted, and what is withdrawn from a later day on.</summary>
    public static Proto.Agrement OnDay(this Proto.Agrement agrement, DateOnly day)
    {
        var domain = ImportChecks.ToDomain(agrement);
        (agrement.State, agrement.StartDate) = (domain.StateOn(day), domain.Validity?.From.ToProto());
        return agrement;
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
            agrement.OnDay(today);
        foreach (var lieu in espace.Lieux)
            lieu.Complete(row.Id, geography);
        foreach (var wait in espace.Modalites.Select(m => m.DeclaredWait).OfType<DeclaredWait>())
            (wait.Stale, wait.AgeDays) = (wait.ToDomain().IsStaleOn(today), wait.ToDomain().AgeOn(today));
        foreach (var places in espace.Modalites.Select(m => m.FreePlaces).OfType<FreePlaces>())
            places.Stale = places.ToDomain().IsStaleOn(today);
        var schedule = OpeningSchedule.Of(espace);
        foreach (var modalite in espace.Modalites)
            modalite.ScheduledSlotsPerWeek = schedule.SlotsPerWeek(modalite.Modalite, today);
        return espace;
    }

    /// <summary>The lieu as it is sent.</summary>
    public static Lieu ToProto(this LieuRow row, Geography geography) => GroupDocuments.ToDocument(row).Complete(row.EspaceId, geography);

    private static readonly EspaceGroup[] s_shown = [.. GroupDocuments.Single, EspaceGroup.Modalite, EspaceGroup.Attente];

    /// <summary>Sets what follows from the espace and from the reference data.</summary>
    public static Lieu Complete(this Lieu lieu, Guid espaceId, Geography geography)
    {
        lieu.LieuId = StableIds.Lieu(espaceId, lieu.ExternalId).ToString();
        lieu.CommuneName = geography.CommuneNames.GetValueOrDefault(lieu.CommuneInsee, "");
        lieu.TimeZone = Communes.ZoneOf(lieu.CommuneInsee);
        return lieu;
    }

    /// <summary>The wait of a message.</summary>
    public static Wait ToDomain(this DeclaredWait wait) => new(wait.Days, ImportChecks.ToDate(wait.AsOfDate)!.Value);

    /// <summary>The free places of a message.</summary>
    public static DeclaredPlaces ToDomain(this FreePlaces places) => new(places.Count, ImportChecks.ToDate(places.AsOfDate)!.Value);

    /// <summary>The free places as they were declared; null when they were not.</summary>
    public static FreePlaces? ToProto(this DeclaredPlaces? places) =>
        places is not { } known ? null : new() { Count = known.Count, AsOfDate = known.AsOf.ToProto() };

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
        AgeDays = known.AgeOn(today),
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
        AgrementPeriods = Periods(row.Agrements),
        LieuAgrements = [.. row.Lieux.OrderBy(l => l.Position)
            .Where(l => row.Agrements.Exists(a => !Covers(a, l)))
            .Select(l => new LieuAgrement(l.Id, Periods(row.Agrements.Where(a => Covers(a, l)))))],
        LieuIds = [.. row.Lieux.OrderBy(l => l.Position).Select(l => l.Id)],
        OpenModalites = [.. row.Modalites.Where(m => m.TakesMesures).Select(m => m.Modalite).Order().Select(m => m.ToCode())],
        TimeZone = Communes.ZoneOf(row.Lieux.MinBy(l => l.Position)!.CommuneInsee),
        Capacities = [.. row.Modalites.Where(m => m.CapacityFamilies > 0).OrderBy(m => m.Modalite).Select(m => new ModaliteCapacity(m.Modalite.ToCode(), m.CapacityFamilies))],
        Waits = [.. row.Modalites.Where(m => m.WaitDays is not null).OrderBy(m => m.Modalite).Select(m => new ModaliteWait(m.Modalite.ToCode(), m.WaitDays!.Value))],
    };

    /// <summary>A court for the projections of others.</summary>
    public static OrganisationPublished ToEvent(this CourtRow row, DateTimeOffset now) => Organisation(row.OrganisationId, 1, "JURIDICTION", row.Code, now);

    /// <summary>A gestionnaire for the projections of others.</summary>
    public static OrganisationPublished ToEvent(this GestionnaireRow row, DateTimeOffset now) => Organisation(row.Id, row.Version, "GESTIONNAIRE", null, now);

    private static bool Covers(AgrementRow agrement, LieuRow lieu) => agrement.LieuExternalIds.Length == 0 || agrement.LieuExternalIds.Contains(lieu.ExternalId);

    private static AgrementPeriod[] Periods(IEnumerable<AgrementRow> agrements) =>
        [.. agrements.OrderBy(a => a.Position).Select(a => a.ToDomain().Validity).OfType<Period>().Select(p => new AgrementPeriod(p.From, p.To))];

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
