using System.Globalization;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Printing;

namespace Jafer.Mesures.Documents;

/// <summary>The one who reads a notice. Nothing of the other party, and no address: a paper passes through many hands.</summary>
internal sealed record NoticeReader(PartyRole Role, PartyKind Kind, string GivenName, string FamilyName);

/// <summary>What both parties may be told of what the judge ordered: no name, no text of the decision, no situation.</summary>
internal sealed record NoticedMesure(
    string Reference,
    DateOnly DecisionDate,
    DateOnly? ContactDeadline,
    Modalite Modalite,
    int? DurationMonths,
    TermStart TermStart,
    int? PeriodicityCount,
    int? PeriodicityInterval,
    PeriodicityUnit PeriodicityUnit,
    int? RencontreMinutes,
    int ChildCount,
    DateOnly? DurationFrom = null);

/// <summary>What the directory says of an espace to a parent.</summary>
/// <param name="Name">Name as the public knows it.</param>
/// <param name="Fictive">Invented for demonstration.</param>
/// <param name="Places">Where it receives families.</param>
/// <param name="Phone">Telephone number; empty when none is known.</param>
/// <param name="CallsFirst">Whether the espace calls the parents.</param>
/// <param name="ContactDeadlineDays">Days within which it asks them to make contact; 0 when it has no such rule.</param>
/// <param name="Documents">What it asks for.</param>
/// <param name="FeeCents">Fee for each rencontre in euro cents, normally 0.</param>
internal sealed record EspaceWelcome(
    string Name, bool Fictive, IReadOnlyList<WelcomePlace> Places, string Phone, bool CallsFirst, int ContactDeadlineDays, IReadOnlyList<DocumentDemande> Documents, int FeeCents);

/// <summary>A place where an espace receives families.</summary>
internal sealed record WelcomePlace(Guid LieuId, string Name, string AddressLine, string Commune, IReadOnlyList<WelcomeStop> Stops, bool WheelchairAccessible, bool CarPark);

/// <summary>A stop of public transport near a place.</summary>
internal sealed record WelcomeStop(TransportMode Mode, string Line, string Name, int WalkMinutes);

/// <summary>The first interview of one party.</summary>
/// <param name="StartsAt">When.</param>
/// <param name="TimeZone">IANA zone of the place.</param>
/// <param name="DurationMinutes">How long.</param>
/// <param name="LieuId">Where; null when not said.</param>
internal sealed record Appointment(DateTimeOffset StartsAt, string TimeZone, int DurationMinutes, Guid? LieuId);

/// <summary>
/// What a parent takes home from the hearing, in plain French (français facile à lire): short sentences, one idea in each, what
/// to do first. It takes nothing of the other party in, so nothing of it can come out.
/// </summary>
internal static class ParentNotice
{
    /// <summary>Writes the notice.</summary>
    /// <param name="mesure">What the judge ordered.</param>
    /// <param name="reader">For whom.</param>
    /// <param name="espace">The espace; null when the directory did not answer.</param>
    /// <param name="appointment">The first interview; null when none is booked.</param>
    /// <param name="madeAt">Now.</param>
    public static PrintedDocument Write(NoticedMesure mesure, NoticeReader reader, EspaceWelcome? espace, Appointment? appointment, DateTimeOffset madeAt)
    {
        var place = espace?.Places.FirstOrDefault(p => p.LieuId == appointment?.LieuId);
        IReadOnlyList<WelcomePlace> places = place is not null ? [place] : espace?.Places ?? [];
        var child = Child(mesure, reader);
        var them = mesure.ChildCount > 1 ? "les" : "le";
        var remise = mesure.Modalite == Modalite.RemiseEnfant;
        var blocks = new List<Block>
        {
            new Paragraph(new RichText([new Span("Pour : "), new Span($"{reader.GivenName} {reader.FamilyName}".Trim(), Strong: true)])),
            new Paragraph($"Le {French.Date(mesure.DecisionDate)}, le juge a pris une décision. "
                + (remise ? $"{(mesure.ChildCount > 1 ? "Les enfants passent" : "L'enfant passe")} d'un adulte à l'autre dans un espace de rencontre. " : "Il a décidé de rencontres dans un espace de rencontre. ")
                + (reader.Role == PartyRole.Hote ? $"Vous y amenez {child}, et vous venez {them} rechercher."
                    : remise ? $"Vous y venez chercher {child}, et vous {them} ramenez."
                    : $"Vous y rencontrez {child}.")),
            new Heading(2, "Ce que vous devez faire maintenant"),
            new Callout(ToDo(mesure, espace, appointment)),
            new Paragraph("Si personne ne prend contact avec l'espace, l'espace prévient le juge."),
            new Heading(2, "Où aller ?"),
        };
        blocks.AddRange(Where(espace, places, appointment));
        blocks.Add(new Heading(2, "Que faut-il apporter ?"));
        blocks.Add(new Points(ToBring(espace)));
        blocks.Add(new Heading(2, "Un espace de rencontre, c'est quoi ?"));
        blocks.Add(new Points([
            "C'est un lieu calme et neutre, fait pour les enfants.",
            "Un enfant y rencontre un parent, ou un proche, avec qui il ne vit pas.",
            "Des professionnels vous accueillent. Ils veillent sur les enfants.",
            "Ils ne jugent personne. Ils ne font pas d'enquête.",
            "Vous ne voulez pas croiser l'autre personne ? Dites-le à l'espace : il peut prévoir des heures d'arrivée différentes.",
        ]));
        blocks.Add(new Heading(2, "Combien ça coûte ?"));
        blocks.Add(new Paragraph(espace is { FeeCents: > 0 }
            ? $"Venir à l'espace est gratuit. L'espace peut vous demander une participation de {Euros(espace.FeeCents)}. Vous pouvez refuser : la rencontre a lieu quand même."
            : "C'est gratuit : les entretiens et les rencontres."));
        blocks.Add(new Heading(2, "Ce que le juge a décidé"));
        blocks.Add(new Values(Ordered(mesure)));
        blocks.Add(new Heading(2, "Besoin d'aide ?"));
        blocks.Add(new Points([
            "Vous parlez peu le français ? Vous avez un handicap ? Vous n'avez pas de voiture ? Dites-le à l'espace dès le premier appel.",
            Link("Vos droits, l'aide pour payer un avocat", "www.justice.fr"),
            Link("Les aides pour les familles", "www.caf.fr"),
            Link("Les aides si vous êtes à la MSA (agriculture)", "www.msa.fr"),
        ]));
        blocks.Add(new Heading(2, "En cas de danger"));
        blocks.Add(new Points([
            new RichText([new Span("Urgence : appelez le "), new Span("17", Strong: true), new Span(", ou envoyez un SMS au "), new Span("114", Strong: true), new Span(".")]),
            new RichText([new Span("Violences : le "), new Span("3919", Strong: true), new Span(" vous écoute. C'est gratuit et anonyme.")]),
            new RichText([new Span("Enfant en danger : appelez le "), new Span("119", Strong: true), new Span(". C'est gratuit.")]),
        ]));
        return new PrintedDocument(
            "Vos rencontres dans un espace de rencontre",
            "Notice remise à l'audience : où aller, quand, et que faire.",
            $"Notice remise à l'audience · Référence {mesure.Reference}",
            madeAt,
            blocks);
    }

    private static string Child(NoticedMesure mesure, NoticeReader reader) => (reader.Kind, mesure.ChildCount > 1) switch
    {
        (PartyKind.Parent, true) => "vos enfants",
        (PartyKind.Parent, false) => "votre enfant",
        (_, true) => "les enfants",
        _ => "l'enfant",
    };

    private static List<RichText> ToDo(NoticedMesure mesure, EspaceWelcome? espace, Appointment? appointment)
    {
        var lines = new List<RichText>();
        var phone = espace is { Phone.Length: > 0 } ? Phone(espace.Phone) : null;
        if (appointment is not null)
        {
            var start = French.Local(appointment.StartsAt, appointment.TimeZone);
            lines.Add(new RichText([
                new Span("Vous avez un rendez-vous : "),
                new Span($"{French.DayAndDate(DateOnly.FromDateTime(start.DateTime))} à {French.Hour(start)}", Strong: true),
                new Span("."),
            ]));
            lines.Add($"C'est un entretien avec un professionnel. Il dure environ {French.Length(appointment.DurationMinutes)}. Ce n'est pas encore une rencontre.");
            lines.Add("Demandez à l'espace si vous devez venir seul.");
            lines.Add(phone is null ? "Vous ne pouvez pas venir ? Prévenez l'espace tout de suite." : $"Vous ne pouvez pas venir ? Appelez tout de suite l'espace : {phone}.");
        }
        else if (espace is { CallsFirst: true })
        {
            lines.Add("L'espace va vous appeler, pour fixer un premier rendez-vous. Répondez, même si vous ne connaissez pas le numéro.");
            lines.Add(phone is null ? "Pas d'appel dans les 3 jours ? Appelez l'espace." : $"Pas d'appel dans les 3 jours ? Appelez l'espace : {phone}.");
        }
        else
        {
            lines.Add(phone is null
                ? new RichText([new Span("Appelez l'espace", Strong: true), new Span(" pour fixer un premier rendez-vous. Demandez le numéro au greffe, avant de partir.")])
                : new RichText([new Span($"Appelez l'espace : {phone}", Strong: true), new Span(". Vous fixez ensemble un premier rendez-vous.")]));
        }

        if (mesure.ContactDeadline is { } deadline)
        {
            lines.Add(new RichText([new Span("Vous devez prendre contact avec l'espace "), new Span($"au plus tard le {French.DayAndDate(deadline)}", Strong: true), new Span(".")]));
        }
        else if (espace is { ContactDeadlineDays: > 0 } rule)
        {
            lines.Add(new RichText([new Span("L'espace demande un contact "), new Span($"dans les {French.Count(rule.ContactDeadlineDays, "jour")}", Strong: true), new Span(".")]));
        }
        else if (appointment is null)
        {
            lines.Add("Faites-le le plus tôt possible : les premières places vont vite.");
        }

        lines.Add($"Donnez cette référence : {mesure.Reference}.");
        return lines;
    }

    private static IEnumerable<Block> Where(EspaceWelcome? espace, IReadOnlyList<WelcomePlace> places, Appointment? appointment)
    {
        if (espace is null)
        {
            yield return new Paragraph("L'adresse n'est pas disponible en ce moment. Demandez-la au greffe, avant de partir.");
            yield break;
        }

        yield return new Paragraph(new RichText([new Span(espace.Name, Strong: true), new Span(espace.Fictive ? " (fictif)" : "")]));
        if (places.Count > 1)
        {
            yield return new Paragraph(appointment is null
                ? "Cet espace a plusieurs adresses. Demandez à l'espace où vous devez venir."
                : "Cet espace a plusieurs adresses. Demandez à l'espace à laquelle est votre rendez-vous.");
        }

        foreach (var place in places)
        {
            if (places.Count > 1)
            {
                yield return new Heading(3, place.Name);
            }

            yield return new Values([.. Access(place)]);
        }

        if (espace.Phone.Length > 0)
        {
            yield return new Values([("Téléphone", Phone(espace.Phone))]);
        }
    }

    private static IEnumerable<(string Name, string Value)> Access(WelcomePlace place)
    {
        yield return ("Adresse", place.AddressLine.Length > 0 ? $"{place.AddressLine}, {place.Commune}" : place.Commune);
        foreach (var (i, stop) in place.Stops.Index())
        {
            yield return (i == 0 ? "Transports" : "Ou aussi", $"{Mode(stop.Mode)} {stop.Line}".Trim() + $", arrêt {stop.Name}, à {French.Length(stop.WalkMinutes)} à pied");
        }

        yield return ("Voiture", place.CarPark ? "Il y a un parking." : "Il n'y a pas de parking sur place.");
        yield return ("Fauteuil roulant", place.WheelchairAccessible ? "L'accès est possible." : "L'accès est difficile : appelez avant de venir.");
    }

    private static List<RichText> ToBring(EspaceWelcome? espace)
    {
        var lines = new List<RichText> { "Une pièce d'identité, par exemple votre carte d'identité ou votre titre de séjour.", "La décision du juge, si vous l'avez.", "Cette feuille." };
        if (espace?.Documents.Contains(DocumentDemande.Sante) == true)
        {
            lines.Add("Le carnet de santé de l'enfant, ou un papier du médecin, si vous l'avez.");
        }

        if (espace?.Documents.Contains(DocumentDemande.Assurance) == true)
        {
            lines.Add("Une attestation d'assurance.");
        }

        if (espace?.Documents.Contains(DocumentDemande.ReglementSigne) == true)
        {
            lines.Add("Le règlement de l'espace, signé. L'espace vous le donne.");
        }

        return lines;
    }

    private static List<(string Name, string Value)> Ordered(NoticedMesure mesure)
    {
        var items = new List<(string, string)>();
        if (Manner(mesure.Modalite) is { } manner)
        {
            items.Add(("Comment ?", manner));
        }

        items.Add(("Combien de fois ?", mesure.PeriodicityCount is { } count && mesure.PeriodicityInterval is { } interval
            ? Rhythm(count, interval, mesure.PeriodicityUnit)
            : "L'espace vous le dira."));
        items.Add(("Combien de temps chaque fois ?", mesure.RencontreMinutes is { } minutes ? French.Length(minutes) : "L'espace vous le dira."));
        if (mesure.DurationMonths is { } months)
        {
            items.Add(("Pendant combien de mois ?", $"{French.Count(months, "mois")}, à partir {Start(mesure)}"));
        }

        return items;
    }

    // Of a mesure that goes on at another espace the duration began to run before.
    private static string Start(NoticedMesure mesure) => mesure.DurationFrom is { } from ? $"du {French.Date(from)}"
        : mesure.TermStart == TermStart.FirstRencontre ? "de la première rencontre" : "de la décision";

    private static string Rhythm(int count, int interval, PeriodicityUnit unit)
    {
        var every = (unit, interval) switch
        {
            (PeriodicityUnit.Week, 1) => "par semaine",
            (PeriodicityUnit.Week, _) => string.Create(CultureInfo.InvariantCulture, $"toutes les {interval} semaines"),
            (_, 1) => "par mois",
            _ => string.Create(CultureInfo.InvariantCulture, $"tous les {interval} mois"),
        };
        return $"{French.Count(count, "fois")} {every}";
    }

    // Of a prison nothing is said: where the other party lives is their own affair.
    private static string? Manner(Modalite modalite) => modalite switch
    {
        Modalite.Visite or Modalite.VisiteTiers => "Les rencontres se passent dans les locaux de l'espace.",
        Modalite.VisiteAvecSortie => "Les rencontres se passent dans les locaux de l'espace. Des sorties sont possibles.",
        Modalite.SortieAccompagnee => "Des sorties se font avec un professionnel.",
        Modalite.RemiseEnfant => "À l'espace, l'enfant passe d'un adulte à l'autre.",
        Modalite.VisitePresenceContinue => "Un professionnel est là pendant toute la rencontre.",
        Modalite.VisitePresenceIntermittente => "Un professionnel est là à certains moments.",
        Modalite.VisiteVisio => "Les rencontres se font par vidéo.",
        _ => null,
    };

    private static string Mode(TransportMode mode) => mode switch
    {
        TransportMode.Bus => "Bus",
        TransportMode.Tramway => "Tramway",
        TransportMode.Metro => "Métro",
        TransportMode.Train => "Train",
        TransportMode.Bateau => "Bateau",
        TransportMode.ALaDemande => "Transport à la demande",
        _ => "",
    };

    // As French numbers are read aloud, two digits at a time; any other number as it was given.
    private static string Phone(string phone)
    {
        var digits = string.Concat(phone.Where(char.IsAsciiDigit));
        return digits.Length == 10 && !phone.Contains('+', StringComparison.Ordinal)
            ? string.Join('\u00a0', digits.Chunk(2).Select(pair => new string(pair)))
            : phone.Replace(' ', '\u00a0');
    }

    private static string Euros(int cents) => cents % 100 == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{cents / 100} €")
        : string.Create(CultureInfo.InvariantCulture, $"{cents / 100},{cents % 100:D2} €");

    private static RichText Link(string text, string host) => new([new Span($"{text} : "), new Span(host, Link: new Uri($"https://{host}"))]);
}
