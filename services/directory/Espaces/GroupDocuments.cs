using System.Globalization;
using Google.Protobuf;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Contacts;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults.Grpc;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Espaces;

/// <summary>A group of an espace's fields.</summary>
/// <param name="Group">The group.</param>
/// <param name="Key">Code of the modalité for groups that stand once for each; else empty.</param>
internal readonly record struct GroupKey(EspaceGroup Group, string Key)
{
    /// <summary>A group that stands once.</summary>
    public static implicit operator GroupKey(EspaceGroup group) => new(group, "");
}

/// <summary>
/// What an espace holds, cut into its groups: what is said, confirmed and kept in the history together. A document is an
/// Espace of the contract of which only the group's own fields are set, as said; nothing that depends on the day of reading.
/// The document of the contacts is their list: it tells a change, and is never kept.
/// </summary>
internal static class GroupDocuments
{
    /// <summary>Groups that stand once.</summary>
    public static readonly IReadOnlyList<EspaceGroup> Single =
        [EspaceGroup.Identite, EspaceGroup.Agrement, EspaceGroup.Lieux, EspaceGroup.Ouvertures, EspaceGroup.Accueil];

    /// <summary>The documents of an espace.</summary>
    /// <param name="row">The espace, with what belongs to the groups wanted.</param>
    /// <param name="groups">Groups wanted.</param>
    public static Dictionary<GroupKey, IMessage> Of(EspaceRow row, IReadOnlyCollection<EspaceGroup> groups)
    {
        var documents = new Dictionary<GroupKey, IMessage>();
        foreach (var group in groups)
        {
            switch (group)
            {
                case EspaceGroup.Identite:
                    documents.Add(group, Identite(row));
                    break;
                case EspaceGroup.Agrement:
                    Add(group, new Espace { Agrements = { row.Agrements.OrderBy(a => a.Position).Select(ToDocument) } });
                    break;
                case EspaceGroup.Lieux:
                    documents.Add(group, new Espace { Lieux = { row.Lieux.OrderBy(l => l.Position).Select(ToDocument) } });
                    break;
                case EspaceGroup.Modalite:
                    foreach (var modalite in row.Modalites)
                        documents.Add(new(group, modalite.Modalite.ToCode()), new Espace { Modalites = { ToDocument(modalite) } });
                    break;
                case EspaceGroup.Attente:
                    foreach (var modalite in row.Modalites.Where(m => m.Wait is not null || m.WaitingFamilies is not null || m.NextEstimatedDate is not null || m.Places is not null))
                        documents.Add(new(group, modalite.Modalite.ToCode()), new Espace { Modalites = { WaitOf(modalite) } });
                    break;
                case EspaceGroup.Ouvertures:
                    Add(group, new Espace
                    {
                        Ouvertures = { row.Ouvertures.OrderBy(o => o.Position).Select(ToDocument) },
                        Fermetures = { row.Fermetures.OrderBy(f => f.Position).Select(ToDocument) },
                    });
                    break;
                case EspaceGroup.Accueil:
                    Add(group, Accueil(row));
                    break;
                case EspaceGroup.Contacts:
                    if (row.Gestionnaire.Contacts.Count > 0)
                    {
                        documents.Add(group, new ListContactsResponse
                        {
                            Contacts =
                            {
                                row.Gestionnaire.Contacts.OrderBy(c => c.ExternalId, StringComparer.Ordinal).Select(ContactParts.ToProto),
                            },
                        });
                    }
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(groups));
            }
        }
        return documents;

        // Nothing said is no document.
        void Add(EspaceGroup group, Espace document)
        {
            if (!document.Equals(s_nothing))
                documents.Add(group, document);
        }
    }

    /// <summary>An espace put together from its documents.</summary>
    public static Espace Merge(IEnumerable<IMessage> documents)
    {
        var espace = new Espace();
        var modalites = new SortedDictionary<Modalite, ModaliteOfferte>();
        foreach (var document in documents.OfType<Espace>())
        {
            foreach (var offered in document.Modalites)
            {
                if (!modalites.TryAdd(offered.Modalite, offered.Clone()))
                    modalites[offered.Modalite].MergeFrom(offered);
            }
            if (document.Modalites.Count == 0)
                espace.MergeFrom(document);
        }
        espace.Modalites.Add(modalites.Values);
        return espace;
    }

    /// <summary>A frequency as the database keeps it, such as "2/1/MONTH".</summary>
    public static string ToCode(Periodicity periodicity) =>
        string.Create(CultureInfo.InvariantCulture, $"{periodicity.RencontreCount}/{periodicity.IntervalCount}/{periodicity.Unit.ToCode()}");

    /// <summary>The frequency of a code.</summary>
    public static Periodicity ToPeriodicity(string code)
    {
        var parts = code.Split('/');
        return new Periodicity
        {
            RencontreCount = int.Parse(parts[0], CultureInfo.InvariantCulture),
            IntervalCount = int.Parse(parts[1], CultureInfo.InvariantCulture),
            Unit = ProtoConversions.FromCode<PeriodicityUnit>(parts[2]),
        };
    }

    private static readonly Espace s_nothing = new();

    private static Espace Identite(EspaceRow row) => new()
    {
        GestionnaireId = row.GestionnaireId.ToString(),
        GestionnaireName = row.Gestionnaire.Name,
        GestionnaireSiret = row.Gestionnaire.Siret,
        LegalForm = row.Gestionnaire.LegalForm,
        Federation = row.Gestionnaire.Federation,
        Name = row.Name,
        Departement = row.Departement,
        Fictive = row.Fictive,
        State = row.State,
    };

    /// <summary>The agrément as it was said.</summary>
    public static Proto.Agrement ToDocument(AgrementRow row) => new()
    {
        Number = row.Number,
        Departement = row.Departement,
        State = row.State,
        RequestDate = row.RequestDate.ToProto(),
        StartDate = row.StartDate.ToProto(),
        EndDate = row.EndDate.ToProto(),
        DecisionDate = row.DecisionDate.ToProto(),
        ListEntryDate = row.ListEntryDate.ToProto(),
        LieuExternalIds = { row.LieuExternalIds },
    };

    /// <summary>The lieu as it was said.</summary>
    public static Lieu ToDocument(LieuRow row) => new()
    {
        ExternalId = row.ExternalId,
        Name = row.Name,
        AddressLine = row.AddressLine,
        CommuneInsee = row.CommuneInsee,
        Latitude = row.Latitude,
        Longitude = row.Longitude,
        WheelchairAccessible = row.WheelchairAccessible,
        SeparateEntrances = row.SeparateEntrances,
        StaggeredArrivals = row.StaggeredArrivals,
        OutdoorArea = row.OutdoorArea,
        CarPark = row.CarPark,
        Accessibilites = { row.Accessibilites.Select(ProtoConversions.FromCode<Accessibilite>) },
        Dessertes =
        {
            row.Dessertes.OrderBy(d => d.Position)
                .Select(d => new Desserte { Mode = d.Mode, Line = d.Line, Stop = d.Stop, WalkMinutes = d.WalkMinutes }),
        },
    };

    private static ModaliteOfferte ToDocument(ModaliteRow row) => new()
    {
        Modalite = row.Modalite,
        State = row.State,
        CapacityFamilies = row.CapacityFamilies,
        SlotsPerWeek = row.SlotsPerWeek,
        MinAge = row.MinAge,
        MaxAge = row.MaxAge,
        AcceptedSituations = { row.AcceptedSituations.Select(ProtoConversions.FromCode<SituationParticuliere>) },
        ProtectionOrderAccepted = row.ProtectionOrderAccepted,
        FundedCapacityFamilies = row.FundedCapacityFamilies,
        ReopeningDate = row.ReopeningDate.ToProto(),
        MaxSiblings = row.MaxSiblings,
        MinRencontreMinutes = row.MinRencontreMinutes,
        MaxRencontreMinutes = row.MaxRencontreMinutes,
        Periodicities = { row.Periodicities.Select(ToPeriodicity) },
        AcceptedPublics = { row.AcceptedPublics.Select(ProtoConversions.FromCode<PublicAccueilli>) },
        ModeAccueil = row.ModeAccueil,
        StaffPresent = row.StaffPresent,
        VifAmenagements = { row.VifAmenagements.Select(ProtoConversions.FromCode<AmenagementVif>) },
    };

    private static ModaliteOfferte WaitOf(ModaliteRow row)
    {
        var document = new ModaliteOfferte { Modalite = row.Modalite };
        if (row.Wait is { } wait)
        {
            document.DeclaredWait = new DeclaredWait
            {
                Days = wait.Days,
                AsOfDate = wait.AsOf.ToProto(),
                Source = row.WaitSource ?? FigureSource.Unspecified,
            };
        }
        if (row.WaitingFamilies is { } waiting)
            document.WaitingFamilies = waiting;
        document.NextEstimatedDate = row.NextEstimatedDate.ToProto();
        document.FreePlaces = row.Places.ToProto();
        return document;
    }

    /// <summary>The opening as it was said.</summary>
    public static Ouverture ToDocument(OuvertureRow row) => new()
    {
        ExternalId = row.ExternalId,
        LieuExternalId = row.LieuExternalId,
        Rrule = row.Rrule,
        StartDate = row.StartDate.ToProto(),
        StartTime = new TimeOfDay { Hours = row.StartMinute / 60, Minutes = row.StartMinute % 60 },
        EndTime = new TimeOfDay { Hours = row.EndMinute / 60, Minutes = row.EndMinute % 60 },
        Modalites = { row.Modalites.Select(ProtoConversions.FromCode<Modalite>) },
        SlotMinutes = row.SlotMinutes,
        Families = row.Families,
        SchoolHolidays = row.SchoolHolidays,
        OpenOnPublicHolidays = row.OpenOnPublicHolidays,
    };

    private static Fermeture ToDocument(FermetureRow row) => new()
    {
        StartDate = row.StartDate.ToProto(),
        EndDate = row.EndDate.ToProto(),
        Reason = row.Reason,
        LieuExternalId = row.LieuExternalId,
    };

    private static Espace Accueil(EspaceRow row)
    {
        var part = row.Accueil;
        var accueil = new Accueil
        {
            Languages = { part.Languages },
            InterpreterOnRequest = part.InterpreterOnRequest,
            Entretiens =
            {
                row.Entretiens.OrderBy(e => e.Position)
                    .Select(e => new Entretien { Party = e.Party, Minutes = e.Minutes, LeadDays = e.LeadDays, RemotePossible = e.RemotePossible }),
            },
            PremierContact = part.PremierContact,
            ContactDeadlineDays = part.ContactDeadlineDays,
            Documents = { part.Documents.Select(ProtoConversions.FromCode<DocumentDemande>) },
            AbsencesBeforeReferral = part.AbsencesBeforeReferral,
            ParticipationFeeCents = part.ParticipationFeeCents,
            PrecariousnessSupport = part.PrecariousnessSupport,
            MealsPossible = part.MealsPossible,
            AnimalsAccepted = part.AnimalsAccepted,
            Exclusions = { part.Exclusions },
            CourtCodes = { part.CourtCodes },
            CommuneInsees = { part.CommuneInsees },
            CourAppelNames = { part.CourAppelNames },
        };
        if (part.ReglementVersion is { } version && (version.Length > 0 || part.ReglementUri.Length > 0 || part.ReglementStartDate is not null))
            accueil.Reglement = new Reglement { Version = version, Uri = part.ReglementUri, StartDate = part.ReglementStartDate.ToProto() };
        return new Espace { AlertText = row.AlertText, Accueil = accueil.Equals(s_noAccueil) ? null : accueil };
    }

    private static readonly Accueil s_noAccueil = new();
}
