using Jafer.Cli.Demonstration;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Simulation.Replay;

/// <summary>
/// The organisations of the replay. Each place of the simulation is an espace of its own with one lieu; who runs it is the invented association
/// of the demonstration, for which the development issuer has tokens.
/// </summary>
internal sealed class Stage
{
    private readonly (string Lieu, string Association, string Name, string Commune, string Departement)[] _sites =
        [.. Territory.Rows("lieux.csv").Select(r => (r[0], r[1], r[2], r[3], r[5]))];

    private readonly Dictionary<string, GestionnaireImport> _gestionnaires;
    private readonly Caller[] _callers;

    /// <summary>Reads the invented espaces.</summary>
    /// <param name="lastDay">The day from which agréments are dated.</param>
    public Stage(DateOnly lastDay)
    {
        _gestionnaires = new Generator(Generator.DefaultSeed, lastDay).Espaces().Select(e => e.Gestionnaire).ToDictionary(g => g.ExternalId);
        _callers = [.. _sites.Select(s => new Caller("espace", s.Association, StableIds.Gestionnaire(Generator.Source, s.Association)))];
    }

    /// <summary>The national operator.</summary>
    public static Caller Operator { get; } = new("operateur", "national", StableIds.For("organisation:operateur:national"));

    /// <summary>A person of the statistical service.</summary>
    public static Caller Statistician { get; } = new("statisticien", "sser", StableIds.For("organisation:statisticien:sser"), "nicole");

    /// <summary>Département of an espace.</summary>
    public string DepartementOf(int site) => _sites[site].Departement;

    /// <summary>Who runs an espace.</summary>
    public Caller GestionnaireOf(int site) => _callers[site];

    /// <summary>A court.</summary>
    public static Caller CourtOf(string code) => new("juridiction", code, StableIds.Court(code));

    /// <summary>Id of an espace.</summary>
    public Guid EspaceOf(int site) => StableIds.Espace(Generator.Source, External(_sites[site].Lieu));

    /// <summary>For each espace whether it is played: gestionnaires are taken whole, so that each has a queue as in the books.</summary>
    /// <param name="plan">What is replayed.</param>
    /// <param name="draw">Random numbers.</param>
    public bool[] Played(ReplayPlan plan, Draw draw)
    {
        var all = _sites.Select(s => s.Association).Distinct().ToArray();
        var played = all.Index().OrderBy(a => draw.Unit(Habits.Chosen, a.Index)).Take(Math.Max(1, (int)Math.Round(plan.Fraction * all.Length))).Select(a => a.Item).ToHashSet();
        return [.. _sites.Select(s => played.Contains(s.Association))];
    }

    /// <summary>What the directory is told of the espaces that the mesures need.</summary>
    public IEnumerable<EspaceImport> Imports(ReplayPlan plan, IEnumerable<Life> lives) => lives.Select(l => l.Site).Distinct().Order().Select(site =>
    {
        var row = _sites[site];
        var espace = new EspaceImport
        {
            ExternalId = External(row.Lieu),
            // Contacts are those of whoever imported first: mails are no part of a replay.
            Gestionnaire = _gestionnaires[row.Association],
            Name = row.Name,
            Departement = row.Departement,
            Fictive = true,
            State = EspaceState.Ouvert,
        };
        espace.Agrements.Add(new Agrement
        {
            Number = $"FICTIF-{row.Departement}-REJEU",
            Departement = row.Departement,
            State = AgrementState.Accorde,
            StartDate = plan.LastDay.AddYears(-12).ToProto(),
            EndDate = plan.LastDay.AddYears(3).ToProto(),
        });
        espace.Lieux.Add(new Lieu { ExternalId = row.Lieu, Name = row.Name, AddressLine = "1 rue de l'Exemple (adresse fictive)", CommuneInsee = row.Commune });
        foreach (var modalite in (ReadOnlySpan<Modalite>)[Modalite.Visite, Modalite.RemiseEnfant])
            espace.Modalites.Add(new ModaliteOfferte
            {
                Modalite = modalite,
                State = ModaliteState.Ouverte,
                MaxAge = 17,
                AcceptedSituations = { SituationParticuliere.ViolencesIntrafamiliales, SituationParticuliere.TroublesPsychiatriques, SituationParticuliere.Addiction },
            });
        return espace;
    });

    private static string External(string lieu) => $"rejeu-{lieu}";
}
