using Google.Protobuf;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Contracts.Csv;

/// <summary>
/// The template by which espaces are imported and exported as CSV, described in docs/directory.md. The column <c>ligne</c> says
/// what a line is, the column <c>espace</c> which espace it belongs to; each kind of line uses some of the other columns.
/// </summary>
public static class EspaceTemplate
{
    /// <summary>Column that says what a line is.</summary>
    public const string KindColumn = "ligne";

    /// <summary>Column that says which espace a line belongs to.</summary>
    public const string EspaceColumn = "espace";

    internal static readonly LineKind<EspaceImport> Espace = new("ESPACE",
        Columns.Text<EspaceImport>("nom", "name", e => e.Name, (e, v) => e.Name = v),
        Columns.Text<EspaceImport>("departement", "departement", e => e.Departement, (e, v) => e.Departement = v),
        Columns.Code<EspaceImport, EspaceState>("etat", "state", e => e.State, (e, v) => e.State = v),
        Columns.Day<EspaceImport>("confirme_le", "confirmed_date", e => e.ConfirmedDate, (e, v) => e.ConfirmedDate = v),
        Columns.YesNo<EspaceImport>("fictif", "fictive", e => e.Fictive, (e, v) => e.Fictive = v),
        Columns.Text<EspaceImport>("gestionnaire", "gestionnaire.external_id", e => e.Gestionnaire.ExternalId, (e, v) => e.Gestionnaire.ExternalId = v),
        Columns.Text<EspaceImport>("gestionnaire_nom", "gestionnaire.name", e => e.Gestionnaire.Name, (e, v) => e.Gestionnaire.Name = v),
        Columns.Text<EspaceImport>("siret", "gestionnaire.siret", e => e.Gestionnaire.Siret, (e, v) => e.Gestionnaire.Siret = v.Replace(" ", "", StringComparison.Ordinal)),
        Columns.Code<EspaceImport, FormeJuridique>("forme_juridique", "gestionnaire.legal_form", e => e.Gestionnaire.LegalForm, (e, v) => e.Gestionnaire.LegalForm = v),
        Columns.Code<EspaceImport, Federation>("federation", "gestionnaire.federation", e => e.Gestionnaire.Federation, (e, v) => e.Gestionnaire.Federation = v),
        Columns.Text<EspaceImport>("alerte", "alert_text", e => e.AlertText, (e, v) => e.AlertText = v),
        Columns.Texts<EspaceImport>("langues", "accueil.languages", e => e.Accueil.Languages),
        Columns.YesNo<EspaceImport>("interprete", "accueil.interpreter_on_request", e => e.Accueil.InterpreterOnRequest, (e, v) => e.Accueil.InterpreterOnRequest = v),
        Columns.Code<EspaceImport, PremierContact>("premier_contact", "accueil.premier_contact", e => e.Accueil.PremierContact, (e, v) => e.Accueil.PremierContact = v),
        Columns.Whole<EspaceImport>("delai_contact_jours", "accueil.contact_deadline_days", e => e.Accueil.ContactDeadlineDays, (e, v) => e.Accueil.ContactDeadlineDays = v),
        Columns.Codes<EspaceImport, DocumentDemande>("documents", "accueil.documents", e => e.Accueil.Documents),
        Columns.Whole<EspaceImport>("absences_avant_saisine", "accueil.absences_before_referral", e => e.Accueil.AbsencesBeforeReferral, (e, v) => e.Accueil.AbsencesBeforeReferral = v),
        Columns.Whole<EspaceImport>("participation_centimes", "accueil.participation_fee_cents", e => e.Accueil.ParticipationFeeCents, (e, v) => e.Accueil.ParticipationFeeCents = v),
        Columns.YesNo<EspaceImport>("precarite", "accueil.precariousness_support", e => e.Accueil.PrecariousnessSupport, (e, v) => e.Accueil.PrecariousnessSupport = v),
        Columns.YesNo<EspaceImport>("repas", "accueil.meals_possible", e => e.Accueil.MealsPossible, (e, v) => e.Accueil.MealsPossible = v),
        Columns.YesNo<EspaceImport>("animaux", "accueil.animals_accepted", e => e.Accueil.AnimalsAccepted, (e, v) => e.Accueil.AnimalsAccepted = v),
        Columns.Texts<EspaceImport>("exclusions", "accueil.exclusions", e => e.Accueil.Exclusions),
        Columns.Text<EspaceImport>("reglement_version", "accueil.reglement.version", e => e.Accueil.Reglement?.Version ?? "", (e, v) => Reglement(e).Version = v),
        Columns.Text<EspaceImport>("reglement_lien", "accueil.reglement.uri", e => e.Accueil.Reglement?.Uri ?? "", (e, v) => Reglement(e).Uri = v),
        Columns.Day<EspaceImport>("reglement_debut", "accueil.reglement.start_date", e => e.Accueil.Reglement?.StartDate, (e, v) => Reglement(e).StartDate = v),
        Columns.Texts<EspaceImport>("tribunaux", "accueil.court_codes", e => e.Accueil.CourtCodes),
        Columns.Texts<EspaceImport>("communes_desservies", "accueil.commune_insees", e => e.Accueil.CommuneInsees),
        Columns.Texts<EspaceImport>("cours_appel", "accueil.cour_appel_names", e => e.Accueil.CourAppelNames),
        Columns.Text<EspaceImport>("version", "etag", e => e.Etag, (e, v) => e.Etag = v.Trim()));

    internal static readonly LineKind<Agrement> Agrement = new("AGREMENT",
        Columns.Text<Agrement>("numero", "number", a => a.Number, (a, v) => a.Number = v),
        Columns.Text<Agrement>("departement", "departement", a => a.Departement, (a, v) => a.Departement = v),
        Columns.Code<Agrement, AgrementState>("etat", "state", a => a.State, (a, v) => a.State = v),
        Columns.Day<Agrement>("date_demande", "request_date", a => a.RequestDate, (a, v) => a.RequestDate = v),
        Columns.Day<Agrement>("date_debut", "start_date", a => a.StartDate, (a, v) => a.StartDate = v),
        Columns.Day<Agrement>("date_fin", "end_date", a => a.EndDate, (a, v) => a.EndDate = v),
        Columns.Day<Agrement>("date_decision", "decision_date", a => a.DecisionDate, (a, v) => a.DecisionDate = v),
        Columns.Day<Agrement>("date_liste", "list_entry_date", a => a.ListEntryDate, (a, v) => a.ListEntryDate = v),
        Columns.Texts<Agrement>("lieux", "lieu_external_ids", a => a.LieuExternalIds));

    internal static readonly LineKind<Lieu> Lieu = new("LIEU",
        Columns.Text<Lieu>("lieu", "external_id", l => l.ExternalId, (l, v) => l.ExternalId = v),
        Columns.Text<Lieu>("nom", "name", l => l.Name, (l, v) => l.Name = v),
        Columns.Text<Lieu>("adresse", "address_line", l => l.AddressLine, (l, v) => l.AddressLine = v),
        Columns.Text<Lieu>("commune", "commune_insee", l => l.CommuneInsee, (l, v) => l.CommuneInsee = v),
        Columns.Degrees<Lieu>("latitude", "latitude", l => l.Latitude, (l, v) => l.Latitude = v),
        Columns.Degrees<Lieu>("longitude", "longitude", l => l.Longitude, (l, v) => l.Longitude = v),
        Columns.YesNo<Lieu>("pmr", "wheelchair_accessible", l => l.WheelchairAccessible, (l, v) => l.WheelchairAccessible = v),
        Columns.YesNo<Lieu>("entrees_separees", "separate_entrances", l => l.SeparateEntrances, (l, v) => l.SeparateEntrances = v),
        Columns.YesNo<Lieu>("arrivees_decalees", "staggered_arrivals", l => l.StaggeredArrivals, (l, v) => l.StaggeredArrivals = v),
        Columns.YesNo<Lieu>("exterieur", "outdoor_area", l => l.OutdoorArea, (l, v) => l.OutdoorArea = v),
        Columns.YesNo<Lieu>("parking", "car_park", l => l.CarPark, (l, v) => l.CarPark = v),
        Columns.Codes<Lieu, Accessibilite>("accessibilites", "accessibilites", l => l.Accessibilites));

    internal static readonly LineKind<Desserte> Desserte = new("DESSERTE",
        Columns.Code<Desserte, TransportMode>("transport", "mode", d => d.Mode, (d, v) => d.Mode = v),
        Columns.Text<Desserte>("ligne_transport", "line", d => d.Line, (d, v) => d.Line = v),
        Columns.Text<Desserte>("arret", "stop", d => d.Stop, (d, v) => d.Stop = v),
        Columns.Whole<Desserte>("minutes_a_pied", "walk_minutes", d => d.WalkMinutes, (d, v) => d.WalkMinutes = v));

    internal static readonly LineKind<ModaliteOfferte> Modalite = new("MODALITE",
        Columns.Code<ModaliteOfferte, Modalite>("modalite", "modalite", m => m.Modalite, (m, v) => m.Modalite = v),
        Columns.Code<ModaliteOfferte, ModaliteState>("etat", "state", m => m.State, (m, v) => m.State = v),
        Columns.Whole<ModaliteOfferte>("capacite", "capacity_families", m => m.CapacityFamilies, (m, v) => m.CapacityFamilies = v),
        Columns.Whole<ModaliteOfferte>("capacite_financee", "funded_capacity_families", m => m.FundedCapacityFamilies, (m, v) => m.FundedCapacityFamilies = v),
        Columns.Whole<ModaliteOfferte>("creneaux_par_semaine", "slots_per_week", m => m.SlotsPerWeek, (m, v) => m.SlotsPerWeek = v),
        Columns.OptionalWhole<ModaliteOfferte>("familles_en_attente", "waiting_families", m => m.HasWaitingFamilies ? m.WaitingFamilies : null, (m, v) => m.WaitingFamilies = v),
        Columns.OptionalWhole<ModaliteOfferte>("places_libres", "free_places.count", m => m.FreePlaces?.Count, (m, v) => Places(m).Count = v),
        Columns.Day<ModaliteOfferte>("places_date", "free_places.as_of_date", m => m.FreePlaces?.AsOfDate, (m, v) => Places(m).AsOfDate = v),
        Columns.OptionalWhole<ModaliteOfferte>("attente_jours", "declared_wait.days", m => m.DeclaredWait?.Days, (m, v) => Wait(m).Days = v),
        Columns.Day<ModaliteOfferte>("attente_date", "declared_wait.as_of_date", m => m.DeclaredWait?.AsOfDate, (m, v) => Wait(m).AsOfDate = v),
        Columns.Day<ModaliteOfferte>("reouverture", "reopening_date", m => m.ReopeningDate, (m, v) => m.ReopeningDate = v),
        Columns.Whole<ModaliteOfferte>("age_min", "min_age", m => m.MinAge, (m, v) => m.MinAge = v),
        Columns.Whole<ModaliteOfferte>("age_max", "max_age", m => m.MaxAge, (m, v) => m.MaxAge = v),
        Columns.Whole<ModaliteOfferte>("fratrie_max", "max_siblings", m => m.MaxSiblings, (m, v) => m.MaxSiblings = v),
        Columns.Whole<ModaliteOfferte>("duree_min", "min_rencontre_minutes", m => m.MinRencontreMinutes, (m, v) => m.MinRencontreMinutes = v),
        Columns.Whole<ModaliteOfferte>("duree_max", "max_rencontre_minutes", m => m.MaxRencontreMinutes, (m, v) => m.MaxRencontreMinutes = v),
        Columns.Rhythms<ModaliteOfferte>("rythmes", "periodicities", m => m.Periodicities),
        Columns.Codes<ModaliteOfferte, SituationParticuliere>("situations", "accepted_situations", m => m.AcceptedSituations),
        Columns.Codes<ModaliteOfferte, PublicAccueilli>("publics", "accepted_publics", m => m.AcceptedPublics),
        Columns.YesNo<ModaliteOfferte>("ordonnance_protection", "protection_order_accepted", m => m.ProtectionOrderAccepted, (m, v) => m.ProtectionOrderAccepted = v),
        Columns.Code<ModaliteOfferte, ModeAccueil>("mode_accueil", "mode_accueil", m => m.ModeAccueil, (m, v) => m.ModeAccueil = v),
        Columns.Whole<ModaliteOfferte>("personnels_presents", "staff_present", m => m.StaffPresent, (m, v) => m.StaffPresent = v),
        Columns.Codes<ModaliteOfferte, AmenagementVif>("amenagements_vif", "vif_amenagements", m => m.VifAmenagements),
        Columns.Day<ModaliteOfferte>("prochaine_date", "next_estimated_date", m => m.NextEstimatedDate, (m, v) => m.NextEstimatedDate = v));

    internal static readonly LineKind<Ouverture> Ouverture = new("OUVERTURE",
        Columns.Text<Ouverture>("ouverture", "external_id", o => o.ExternalId, (o, v) => o.ExternalId = v),
        Columns.Text<Ouverture>("lieu", "lieu_external_id", o => o.LieuExternalId, (o, v) => o.LieuExternalId = v),
        Columns.Text<Ouverture>("recurrence", "rrule", o => o.Rrule, (o, v) => o.Rrule = v.Trim()),
        Columns.Day<Ouverture>("date_debut", "start_date", o => o.StartDate, (o, v) => o.StartDate = v),
        Columns.Time<Ouverture>("heure_debut", "start_time", o => o.StartTime, (o, v) => o.StartTime = v),
        Columns.Time<Ouverture>("heure_fin", "end_time", o => o.EndTime, (o, v) => o.EndTime = v),
        Columns.Codes<Ouverture, Modalite>("modalites", "modalites", o => o.Modalites),
        Columns.Whole<Ouverture>("creneau_minutes", "slot_minutes", o => o.SlotMinutes, (o, v) => o.SlotMinutes = v),
        Columns.Whole<Ouverture>("familles", "families", o => o.Families, (o, v) => o.Families = v),
        Columns.Code<Ouverture, SchoolHolidayRule>("vacances", "school_holidays", o => o.SchoolHolidays, (o, v) => o.SchoolHolidays = v),
        Columns.YesNo<Ouverture>("jours_feries", "open_on_public_holidays", o => o.OpenOnPublicHolidays, (o, v) => o.OpenOnPublicHolidays = v));

    internal static readonly LineKind<Fermeture> Fermeture = new("FERMETURE",
        Columns.Day<Fermeture>("date_debut", "start_date", f => f.StartDate, (f, v) => f.StartDate = v),
        Columns.Day<Fermeture>("date_fin", "end_date", f => f.EndDate, (f, v) => f.EndDate = v),
        Columns.Code<Fermeture, FermetureReason>("motif", "reason", f => f.Reason, (f, v) => f.Reason = v),
        Columns.Text<Fermeture>("lieu", "lieu_external_id", f => f.LieuExternalId, (f, v) => f.LieuExternalId = v));

    internal static readonly LineKind<Entretien> Entretien = new("ENTRETIEN",
        Columns.Code<Entretien, EntretienParty>("avec", "party", e => e.Party, (e, v) => e.Party = v),
        Columns.Whole<Entretien>("duree_minutes", "minutes", e => e.Minutes, (e, v) => e.Minutes = v),
        Columns.Whole<Entretien>("delai_jours", "lead_days", e => e.LeadDays, (e, v) => e.LeadDays = v),
        Columns.YesNo<Entretien>("a_distance", "remote_possible", e => e.RemotePossible, (e, v) => e.RemotePossible = v));

    internal static readonly IReadOnlyList<LineKind> AllKinds = [Espace, Agrement, Lieu, Desserte, Modalite, Ouverture, Fermeture, Entretien];

    /// <summary>Every column, in the order in which an export writes them.</summary>
    public static IReadOnlyList<string> Header { get; } = [KindColumn, EspaceColumn, .. AllKinds.SelectMany(k => k.ColumnNames).Distinct(StringComparer.Ordinal)];

    /// <summary>What a line can be, each with the columns that it uses and the form of their cells.</summary>
    public static IEnumerable<(string Kind, IReadOnlyList<(string Column, string Form)> Columns)> Kinds => AllKinds.Select(k => (k.Code, k.Forms));

    /// <summary>The lines of an espace.</summary>
    /// <param name="espace">The espace. Its contacts are left out: they are not for files.</param>
    public static IEnumerable<IReadOnlyList<string>> Lines(EspaceImport espace)
    {
        ArgumentNullException.ThrowIfNull(espace);
        var whole = espace.Clone();
        whole.Accueil ??= new Accueil();
        whole.Gestionnaire ??= new GestionnaireImport();
        yield return Line(Espace, whole);
        foreach (var agrement in whole.Agrements)
            yield return Line(Agrement, agrement);
        foreach (var lieu in whole.Lieux)
        {
            yield return Line(Lieu, lieu);
            foreach (var desserte in lieu.Dessertes)
                yield return Line(Desserte, desserte, lieu.ExternalId);
        }
        foreach (var modalite in whole.Modalites)
            yield return Line(Modalite, modalite);
        foreach (var ouverture in whole.Ouvertures)
            yield return Line(Ouverture, ouverture);
        foreach (var fermeture in whole.Fermetures)
            yield return Line(Fermeture, fermeture);
        foreach (var entretien in whole.Accueil.Entretiens)
            yield return Line(Entretien, entretien);

        string[] Line<T>(LineKind<T> kind, T part, string? lieu = null)
            where T : IMessage
        {
            var cells = new string[Header.Count];
            Array.Fill(cells, "");
            (cells[0], cells[1]) = (kind.Code, espace.ExternalId);
            if (lieu is not null)
                cells[Position("lieu")] = lieu;
            foreach (var column in kind.Columns)
                cells[Position(column.Name)] = column.Get(part);
            return cells;
        }
    }

    /// <summary>
    /// What an espace of the directory is as an import: known by its own id and that of its gestionnaire, so that the directory
    /// it comes from finds it again whatever its source was.
    /// </summary>
    /// <param name="espace">The espace.</param>
    public static EspaceImport ToImport(Espace espace)
    {
        ArgumentNullException.ThrowIfNull(espace);
        return new EspaceImport
        {
            ExternalId = espace.EspaceId,
            Gestionnaire = new GestionnaireImport
            {
                ExternalId = espace.GestionnaireId,
                Name = espace.GestionnaireName,
                Siret = espace.GestionnaireSiret,
                LegalForm = espace.LegalForm,
                Federation = espace.Federation,
            },
            Name = espace.Name,
            Departement = espace.Departement,
            Fictive = espace.Fictive,
            State = espace.State,
            Agrements = { espace.Agrements },
            Lieux = { espace.Lieux },
            Modalites = { espace.Modalites },
            AlertText = espace.AlertText,
            Accueil = espace.Accueil,
            Ouvertures = { espace.Ouvertures },
            Fermetures = { espace.Fermetures },
            Etag = espace.Etag,
        };
    }

    private static readonly Dictionary<string, int> s_positions = Header.Index().ToDictionary(h => h.Item, h => h.Index, StringComparer.Ordinal);

    private static int Position(string column) => s_positions[column];

    private static Reglement Reglement(EspaceImport espace) => espace.Accueil.Reglement ??= new Reglement();

    private static FreePlaces Places(ModaliteOfferte modalite) => modalite.FreePlaces ??= new FreePlaces();

    private static DeclaredWait Wait(ModaliteOfferte modalite) => modalite.DeclaredWait ??= new DeclaredWait();
}

/// <summary>What a line of the template can be.</summary>
internal abstract record LineKind(string Code)
{
    public abstract IEnumerable<string> ColumnNames { get; }

    public abstract IReadOnlyList<(string Column, string Form)> Forms { get; }

    /// <summary>The column of a field of the message; null when the whole line is meant.</summary>
    public abstract string? ColumnOf(string field);

    /// <summary>The field of a column; null when a line of this kind does not use it.</summary>
    public abstract string? FieldOf(string column);
}

/// <summary>What a line of the template can be, with what its cells are to a message.</summary>
internal sealed record LineKind<T>(string Code, params IReadOnlyList<TemplateColumn<T>> Columns) : LineKind(Code)
    where T : IMessage
{
    private readonly Dictionary<string, TemplateColumn<T>> _byName = Columns.ToDictionary(c => c.Name, StringComparer.Ordinal);

    public override IEnumerable<string> ColumnNames => Columns.Select(c => c.Name);

    public override IReadOnlyList<(string Column, string Form)> Forms => [.. Columns.Select(c => (c.Name, c.Form))];

    /// <summary>A column by its name; null when a line of this kind does not use it.</summary>
    public TemplateColumn<T>? Find(string name) => _byName.GetValueOrDefault(name);

    public override string? ColumnOf(string field) => Columns.FirstOrDefault(c => c.Field == field)?.Name;

    public override string? FieldOf(string column) => Find(column)?.Field;
}
