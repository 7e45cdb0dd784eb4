using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults.Grpc;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Espaces;

/// <summary>From the rows of an espace to what is sent.</summary>
internal static class EspaceMapping
{
    /// <summary>The espace as it is sent.</summary>
    /// <param name="row">The espace with its gestionnaire and all that belongs to it.</param>
    /// <param name="geography">Names of communes.</param>
    /// <param name="today">Today in Paris, for the state of agréments and the age of waits.</param>
    public static Espace ToProto(this EspaceRow row, Geography geography, DateOnly today)
    {
        var espace = new Espace
        {
            EspaceId = row.Id.ToString(),
            GestionnaireId = row.GestionnaireId.ToString(),
            GestionnaireName = row.Gestionnaire.Name,
            Name = row.Name,
            Departement = row.Departement,
            Fictive = row.Fictive,
            State = row.State,
            AlertText = row.AlertText,
            CreateTime = row.CreatedAt.ToProto(),
            UpdateTime = row.UpdatedAt.ToProto(),
            Etag = row.Version.ToEtag(),
        };
        espace.Agrements.Add(row.Agrements.OrderBy(a => a.Position).Select(a => a.ToDomain().ToProto(today)));
        espace.Lieux.Add(row.Lieux.OrderBy(l => l.Position).Select(l => l.ToProto(geography)));
        espace.Modalites.Add(row.Modalites.OrderBy(m => m.Modalite).Select(m => m.ToProto(today)));
        return espace;
    }

    /// <summary>The lieu as it is sent.</summary>
    public static Lieu ToProto(this LieuRow row, Geography geography) => new()
    {
        LieuId = row.Id.ToString(),
        ExternalId = row.ExternalId,
        Name = row.Name,
        AddressLine = row.AddressLine,
        CommuneInsee = row.CommuneInsee,
        CommuneName = geography.CommuneNames[row.CommuneInsee],
        Latitude = row.Latitude,
        Longitude = row.Longitude,
        WheelchairAccessible = row.WheelchairAccessible,
        SeparateEntrances = row.SeparateEntrances,
        TimeZone = LocalTime.ZoneOf(row.CommuneInsee),
    };

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

    private static Proto.Agrement ToProto(this Domain.Agrement agrement, DateOnly today) => new()
    {
        Number = agrement.Number,
        Departement = agrement.Departement,
        State = agrement.StateOn(today),
        RequestDate = agrement.RequestDate.ToProto(),
        StartDate = agrement.Validity?.From.ToProto(),
        EndDate = agrement.EndDate.ToProto(),
    };

    private static ModaliteOfferte ToProto(this ModaliteRow row, DateOnly today)
    {
        var modalite = new ModaliteOfferte
        {
            Modalite = row.Modalite,
            State = row.State,
            CapacityFamilies = row.CapacityFamilies,
            SlotsPerWeek = row.SlotsPerWeek,
            MinAge = row.MinAge,
            MaxAge = row.MaxAge,
            ProtectionOrderAccepted = row.ProtectionOrderAccepted,
            DeclaredWait = row.Wait.ToProto(row.WaitSource ?? FigureSource.Unspecified, today),
        };
        modalite.AcceptedSituations.Add(row.AcceptedSituations.Select(ProtoConversions.FromCode<SituationParticuliere>));
        return modalite;
    }
}
