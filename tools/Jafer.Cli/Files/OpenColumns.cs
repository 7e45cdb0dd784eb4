using System.Globalization;
using Jafer.Contracts;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Cli.Files;

/// <summary>The columns of the open data: what each says is told once, and stands in the dictionary.</summary>
internal static class OpenColumns
{
    /// <summary>One espace in a row.</summary>
    public static OpenColumn<OpenEspace>[] Espaces { get; } =
    [
        new("espace_id", "uuid", "Identifiant de l'espace de rencontre dans Jafer", e => e.Espace.EspaceId),
        new("nom", "texte", "Nom de l'espace", e => e.Espace.Name),
        new("departement", "code", "Code du département", e => e.Espace.Departement),
        new("etat", "code", "Accueille des mesures, n'en accueille pas pour un temps, ou plus du tout", e => Code(e.Espace.State)) { Values = All<EspaceState>() },
        new("fictif", "booléen", "true : espace inventé pour la démonstration", e => e.Espace.Fictive),
        new("gestionnaire_id", "uuid", "Identifiant de l'organisme gestionnaire", e => e.Espace.GestionnaireId),
        new("gestionnaire", "texte", "Nom de l'organisme gestionnaire", e => e.Espace.GestionnaireName),
        new("siret", "texte", "SIRET du gestionnaire", e => Text(e.Espace.GestionnaireSiret)),
        new("forme_juridique", "code", "Forme juridique du gestionnaire", e => Code(e.Espace.LegalForm)) { Values = All<FormeJuridique>() },
        new("federation", "code", "Fédération du gestionnaire", e => Code(e.Espace.Federation)) { Values = All<Federation>() },
        new("agrement_valide", "booléen", "true : un agrément est valide ce jour ; le juge peut désigner l'espace", e => ValidAgrement(e) is not null),
        new("agrement_etat", "code", "État de l'agrément valide ce jour ; vide : aucun ne l'est", e => ValidAgrement(e) is { } a ? Code(a.State) : null) { Values = All<AgrementState>() },
        new("agrement_numero", "texte", "Numéro de cet agrément", e => Text(ValidAgrement(e)?.Number)),
        new("agrement_departement", "code", "Département dont le préfet a décidé", e => Text(ValidAgrement(e)?.Departement)),
        new("agrement_debut", "date", "Premier jour de validité", e => Day(ValidAgrement(e)?.StartDate)),
        new("agrement_fin", "date", "Dernier jour de validité, inclus ; vide sans terme", e => Day(ValidAgrement(e)?.EndDate)),
        new("tribunaux", "liste", "Ressorts que l'espace dit desservir, codes des tribunaux ; vide : sans restriction", e => Sorted(e.Espace.Accueil?.CourtCodes)),
        new("cours_appel", "liste", "Cours d'appel que l'espace dit desservir, par leur nom ; vide : aucune n'est dite", e => Sorted(e.Espace.Accueil?.CourAppelNames)),
        new("communes", "liste", "Communes que l'espace dit desservir, codes INSEE ; vide : sans restriction", e => Sorted(e.Espace.Accueil?.CommuneInsees)),
        new("langues", "liste", "Langues parlées par l'équipe, codes ISO 639", e => Sorted(e.Espace.Accueil?.Languages)),
        new("interprete", "booléen", "Un interprète peut être appelé", e => e.Espace.Accueil?.InterpreterOnRequest ?? false),
        new("premier_contact", "code", "Qui prend le premier contact", e => Code(e.Espace.Accueil?.PremierContact ?? default)) { Values = All<PremierContact>() },
        new("delai_contact_jours", "entier", "Jours dans lesquels les parents doivent prendre contact ; 0 : sans délai", e => e.Espace.Accueil?.ContactDeadlineDays ?? 0),
        new("documents", "liste", "Documents demandés, codes", e => Codes(e.Espace.Accueil?.Documents)) { Values = All<DocumentDemande>() },
        new("absences_avant_juge", "entier", "Absences non excusées de suite après lesquelles l'espace en réfère au juge ; 0 : sans règle", e => e.Espace.Accueil?.AbsencesBeforeReferral ?? 0),
        new("participation_centimes", "entier", "Participation demandée par rencontre, en centimes d'euro", e => e.Espace.Accueil?.ParticipationFeeCents ?? 0),
        new("aide_precarite", "booléen", "Aide à la venue des familles en grande précarité (transport, repas, vêtements)", e => e.Espace.Accueil?.PrecariousnessSupport ?? false),
        new("repas", "booléen", "Repas possible sur place", e => e.Espace.Accueil?.MealsPossible ?? false),
        new("animaux", "booléen", "Animal de la famille accepté", e => e.Espace.Accueil?.AnimalsAccepted ?? false),
        new("reglement_version", "texte", "Version du règlement de fonctionnement", e => Text(e.Espace.Accueil?.Reglement?.Version)),
        new("reglement", "uri", "Adresse du règlement de fonctionnement", e => Text(e.Espace.Accueil?.Reglement?.Uri)),
        new("reglement_date", "date", "Jour depuis lequel il s'applique", e => Day(e.Espace.Accueil?.Reglement?.StartDate)),
        new("mis_a_jour", "instant", "Dernière modification, UTC", e => e.Espace.UpdateTime.ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
    ];

    /// <summary>One agrément in a row, whatever became of it.</summary>
    public static OpenColumn<(OpenEspace Of, Agrement Part)>[] Agrements { get; } =
    [
        .. Heading<Agrement>("Espace qui l'a demandé"),
        new("numero", "texte", "Numéro donné par la préfecture", a => Text(a.Part.Number)),
        new("departement", "code", "Département dont le préfet décide", a => Text(a.Part.Departement)),
        new("etat", "code", "État de la procédure ce jour", a => Code(a.Part.State)) { Values = All<AgrementState>() },
        new("valide", "booléen", "true : valide ce jour", a => IsValid(a.Part, a.Of.Today)),
        new("demande", "date", "Jour du dossier complet", a => Day(a.Part.RequestDate)),
        new("decision", "date", "Jour de la décision du préfet : accord, refus ou retrait", a => Day(a.Part.DecisionDate)),
        new("debut", "date", "Premier jour de validité", a => Day(a.Part.StartDate)),
        new("fin", "date", "Dernier jour de validité, inclus ; vide sans terme", a => Day(a.Part.EndDate)),
        new("inscription", "date", "Jour d'inscription sur la liste du département", a => Day(a.Part.ListEntryDate)),
        new("lieux", "liste", "Lieux couverts, identifiants ; vide : tous", a => Sorted(a.Part.LieuExternalIds.Select(l => LieuOf(a.Of, l)).OfType<string>())),
    ];

    /// <summary>One lieu in a row.</summary>
    public static OpenColumn<(OpenEspace Of, Lieu Part)>[] Lieux { get; } =
    [
        new("lieu_id", "uuid", "Identifiant du lieu d'accueil dans Jafer", l => l.Part.LieuId),
        new("espace_id", "uuid", "Espace auquel il appartient", l => l.Of.Espace.EspaceId),
        new("espace", "texte", "Nom de cet espace", l => l.Of.Espace.Name),
        new("fictif", "booléen", "true : lieu inventé pour la démonstration", l => l.Of.Espace.Fictive),
        new("nom", "texte", "Nom du lieu", l => l.Part.Name),
        new("adresse", "texte", "Voie et numéro", l => Text(l.Part.AddressLine)),
        new("commune_insee", "code", "Code INSEE de la commune", l => l.Part.CommuneInsee),
        new("commune", "texte", "Nom de la commune", l => l.Part.CommuneName),
        new("latitude", "nombre", "Latitude WGS 84, en degrés ; vide : non connue", l => HasPoint(l.Part) ? Math.Round(l.Part.Latitude, 6) : null),
        new("longitude", "nombre", "Longitude WGS 84, en degrés ; vide : non connue", l => HasPoint(l.Part) ? Math.Round(l.Part.Longitude, 6) : null),
        new("fuseau", "texte", "Fuseau horaire de l'IANA", l => Text(l.Part.TimeZone)),
        new("pmr", "booléen", "Accessible en fauteuil roulant", l => l.Part.WheelchairAccessible),
        new("entrees_separees", "booléen", "Entrées séparées pour les deux parents", l => l.Part.SeparateEntrances),
        new("arrivees_decalees", "booléen", "Arrivées décalées possibles", l => l.Part.StaggeredArrivals),
        new("exterieur", "booléen", "Les enfants peuvent jouer dehors", l => l.Part.OutdoorArea),
        new("parking", "booléen", "Stationnement sur place", l => l.Part.CarPark),
        new("accessibilites", "liste", "Autres aménagements, codes", l => Codes(l.Part.Accessibilites)) { Values = All<Accessibilite>() },
        new("dessertes", "liste", "Transports à pied du lieu : mode, ligne, arrêt, minutes", l => l.Part.Dessertes
            .Select(d => string.Create(CultureInfo.InvariantCulture, $"{EnumCodes.Of(d.Mode)} {d.Line} {d.Stop} ({d.WalkMinutes} min)")).ToArray()) { Values = All<TransportMode>() },
    ];

    /// <summary>One modalité of an espace in a row.</summary>
    public static OpenColumn<(OpenEspace Of, ModaliteOfferte Part)>[] Modalites { get; } =
    [
        .. Heading<ModaliteOfferte>("Espace qui propose la modalité"),
        new("modalite", "code", "Modalité", m => Code(m.Part.Modalite)) { Values = All<Modalite>() },
        new("etat", "code", "État déclaré : reçoit des mesures, sur liste d'attente, ou n'en reçoit pas", m => Code(m.Part.State)) { Values = All<ModaliteState>() },
        new("confirme_le", "date", "Jour auquel cela a été dit ou confirmé pour la dernière fois, UTC", m => Said(m)?.ConfirmedTime.ToDateTimeOffset().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
        new("perime", "booléen", "true : personne ne l'a confirmé à temps", m => Said(m)?.Stale ?? false),
        new("capacite", "entier", "Familles reçues en même temps", m => m.Part.CapacityFamilies),
        new("capacite_financee", "entier", "Familles en même temps que le financement couvre ; 0 : non dit", m => m.Part.FundedCapacityFamilies),
        new("creneaux_par_semaine", "entier", "Créneaux d'une famille dans une semaine ordinaire", m => m.Part.SlotsPerWeek),
        new("attente_jours", "entier", "Attente déclarée, en jours de la transmission à la première rencontre", m => m.Part.DeclaredWait?.Days),
        new("attente_date", "date", "Jour auquel cette attente vaut : à montrer avec elle", m => Day(m.Part.DeclaredWait?.AsOfDate)),
        new("attente_age_jours", "entier", "Jours écoulés depuis ce jour", m => m.Part.DeclaredWait is { } wait ? m.Of.Today.DayNumber - ToDate(wait.AsOfDate).DayNumber : null),
        new("attente_perimee", "booléen", "true : attente de plus de 30 jours ; vide : aucune n'a été déclarée", m => m.Part.DeclaredWait?.Stale),
        new("attente_source", "code", "D'où vient cette attente", m => Code(m.Part.DeclaredWait?.Source ?? default)) { Values = All<FigureSource>() },
        new("familles_en_attente", "entier", "Familles qui attendent leur première rencontre ; vide : non dit", m => m.Part.HasWaitingFamilies ? m.Part.WaitingFamilies : null),
        new("places_libres", "entier", "Places libres déclarées : familles qui pourraient commencer aussitôt ; vide : non dit", m => m.Part.FreePlaces?.Count),
        new("places_date", "date", "Jour auquel ces places libres valent : à montrer avec elles", m => Day(m.Part.FreePlaces?.AsOfDate)),
        new("reouverture", "date", "Jour de réouverture annoncé", m => Day(m.Part.ReopeningDate)),
        new("age_min", "entier", "Plus jeune âge reçu, en années", m => m.Part.MinAge),
        new("age_max", "entier", "Plus grand âge reçu, en années", m => m.Part.MaxAge),
        new("fratrie_max", "entier", "Enfants d'une famille reçus ensemble ; 0 : sans limite", m => m.Part.MaxSiblings),
        new("duree_min", "entier", "Rencontre la plus courte, en minutes ; 0 : non dit", m => m.Part.MinRencontreMinutes),
        new("duree_max", "entier", "Rencontre la plus longue, en minutes ; 0 : non dit", m => m.Part.MaxRencontreMinutes),
        new("rythmes", "liste", "Rythmes proposés : rencontres / longueur de l'intervalle et son unité, 2/1 MONTH pour deux par mois ; vide : tous", m => m.Part.Periodicities
            .OrderBy(p => p.Unit).ThenBy(p => p.IntervalCount).ThenBy(p => p.RencontreCount)
            .Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.RencontreCount}/{p.IntervalCount} {EnumCodes.Of(p.Unit)}")).ToArray()) { Values = All<PeriodicityUnit>() },
        new("situations", "liste", "Situations particulières reçues, codes", m => Codes(m.Part.AcceptedSituations)) { Values = All<SituationParticuliere>() },
        new("publics", "liste", "Autres publics reçus, codes", m => Codes(m.Part.AcceptedPublics)) { Values = All<PublicAccueilli>() },
        new("ordonnance_protection", "booléen", "Familles sous ordonnance de protection reçues (C. civ. art. 515-11)", m => m.Part.ProtectionOrderAccepted),
        new("mode_accueil", "code", "Les familles partagent-elles les salles", m => Code(m.Part.ModeAccueil)) { Values = All<ModeAccueil>() },
        new("personnels_presents", "entier", "Personnels présents pendant l'accueil ; 0 : non dit", m => m.Part.StaffPresent),
        new("amenagements_vif", "liste", "Comment les familles où il y a eu des violences sont reçues, codes", m => Codes(m.Part.VifAmenagements)) { Values = All<AmenagementVif>() },
        new("prochaine_date", "date", "Jour auquel l'espace estime pouvoir recevoir une nouvelle famille", m => Day(m.Part.NextEstimatedDate)),
    ];

    /// <summary>One rule of opening in a row.</summary>
    public static OpenColumn<(OpenEspace Of, Ouverture Part)>[] Ouvertures { get; } =
    [
        .. Heading<Ouverture>("Espace qui ouvre"),
        new("lieu_id", "uuid", "Lieu qui ouvre", o => LieuOf(o.Of, o.Part.LieuExternalId)),
        new("regle", "texte", "Règle de récurrence (RFC 5545) depuis le premier jour ; vide : ce jour seul", o => Text(o.Part.Rrule)),
        new("premier_jour", "date", "Premier jour que la règle peut donner", o => Day(o.Part.StartDate)),
        new("heure_debut", "heure", "Ouverture, à l'heure du lieu", o => Time(o.Part.StartTime)),
        new("heure_fin", "heure", "Fermeture, à l'heure du lieu", o => Time(o.Part.EndTime)),
        new("modalites", "liste", "Modalités de ces heures, codes ; vide : toutes", o => Codes(o.Part.Modalites)) { Values = All<Modalite>() },
        new("creneau_minutes", "entier", "Longueur d'un créneau", o => o.Part.SlotMinutes),
        new("familles", "entier", "Familles en même temps", o => o.Part.Families),
        new("vacances_scolaires", "code", "Ce que changent les vacances scolaires de la zone", o => Code(o.Part.SchoolHolidays)) { Values = All<SchoolHolidayRule>() },
        new("jours_feries", "booléen", "true : ouvre aussi les jours fériés", o => o.Part.OpenOnPublicHolidays),
    ];

    /// <summary>One exceptional closure in a row.</summary>
    public static OpenColumn<(OpenEspace Of, Fermeture Part)>[] Fermetures { get; } =
    [
        .. Heading<Fermeture>("Espace qui ferme"),
        new("lieu_id", "uuid", "Lieu qui ferme ; vide : tout l'espace", f => LieuOf(f.Of, f.Part.LieuExternalId)),
        new("debut", "date", "Premier jour de fermeture", f => Day(f.Part.StartDate)),
        new("fin", "date", "Dernier jour de fermeture, inclus", f => Day(f.Part.EndDate)),
        new("motif", "code", "Motif", f => Code(f.Part.Reason)) { Values = All<FermetureReason>() },
    ];

    /// <summary>One kind of preliminary interview in a row.</summary>
    public static OpenColumn<(OpenEspace Of, Entretien Part)>[] Entretiens { get; } =
    [
        .. Heading<Entretien>("Espace qui tient l'entretien"),
        new("avec", "code", "Avec qui", t => Code(t.Part.Party)) { Values = All<EntretienParty>() },
        new("minutes", "entier", "Longueur habituelle", t => t.Part.Minutes),
        new("delai_jours", "entier", "Jours habituels du premier contact à l'entretien", t => t.Part.LeadDays),
        new("a_distance", "booléen", "Possible par téléphone ou vidéo", t => t.Part.RemotePossible),
    ];

    /// <summary>Whether it is known where a lieu lies: some overseas communes have no coordinates, and nothing lies at 0° N 0° E.</summary>
    public static bool HasPoint(Lieu lieu) => lieu is not { Latitude: 0, Longitude: 0 };

    /// <summary>A day as it is written; null when there is none.</summary>
    public static string? Day(Date? date) => date is null ? null : string.Create(CultureInfo.InvariantCulture, $"{date.Year:D4}-{date.Month:D2}-{date.Day:D2}");

    private static OpenColumn<(OpenEspace Of, T Part)>[] Heading<T>(string meaning) =>
    [
        new("espace_id", "uuid", meaning, p => p.Of.Espace.EspaceId),
        new("fictif", "booléen", "true : espace inventé pour la démonstration", p => p.Of.Espace.Fictive),
    ];

    // Of several that are valid, each for lieux of its own, the one that holds longest, then the one of the latest decision.
    private static Agrement? ValidAgrement(OpenEspace of) => of.Espace.Agrements.Where(a => IsValid(a, of.Today))
        .OrderByDescending(a => Day(a.EndDate) ?? "9999-12-31", StringComparer.Ordinal).ThenByDescending(a => Day(a.StartDate), StringComparer.Ordinal)
        .ThenBy(a => a.Number, StringComparer.Ordinal).FirstOrDefault();

    // The directory sends each agrément as it stands today: one that silence has granted, or that is withdrawn from later on.
    private static bool IsValid(Agrement agrement, DateOnly today) =>
        agrement.State is AgrementState.Accorde or AgrementState.ReputeAcquis
        && agrement.StartDate is { } start && ToDate(start) <= today && (agrement.EndDate is not { } end || today <= ToDate(end));

    private static Provenance? Said((OpenEspace Of, ModaliteOfferte Part) modalite) => modalite.Of.Espace.Provenances.FirstOrDefault(
        p => p.Group == EspaceGroup.Modalite && p.Key == EnumCodes.Of(modalite.Part.Modalite));

    private static string? LieuOf(OpenEspace of, string externalId) => of.Espace.Lieux.FirstOrDefault(l => l.ExternalId == externalId)?.LieuId;

    private static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string? Time(TimeOfDay? time) => time is null ? null : string.Create(CultureInfo.InvariantCulture, $"{time.Hours:D2}:{time.Minutes:D2}");

    private static DateOnly ToDate(Date date) => new(date.Year, date.Month, date.Day);

    private static string[] Sorted(IEnumerable<string>? texts) => [.. (texts ?? []).Order(StringComparer.Ordinal)];

    private static string? Code<T>(T value)
        where T : struct, Enum => EqualityComparer<T>.Default.Equals(value, default) ? null : EnumCodes.Of(value);

    private static string[] Codes<T>(IEnumerable<T>? values)
        where T : struct, Enum => [.. (values ?? []).Order().Select(v => EnumCodes.Of(v))];

    private static string[] All<T>()
        where T : struct, Enum => [.. Enum.GetValues<T>().Where(v => !EqualityComparer<T>.Default.Equals(v, default)).Select(v => EnumCodes.Of(v))];
}
