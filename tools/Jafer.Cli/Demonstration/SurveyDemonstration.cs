using System.Globalization;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;

#pragma warning disable RS0030 // What a client catches.

namespace Jafer.Cli.Demonstration;

/// <summary>
/// A closed campaign of the national survey, so that the public page of a fresh system shows something: invented returns of all fictive
/// associations but one, which is imputed, and those of the year before. Sizes are drawn; shares are about those that were published for 2024.
/// </summary>
/// <param name="system">The running system.</param>
/// <param name="clock">Clock.</param>
/// <param name="output">Where it tells what it does.</param>
internal sealed class SurveyDemonstration(RunningSystem system, TimeProvider clock, TextWriter output)
{
    /// <summary>The year: the one whose publication stands beside it. Later years are left to who tries the survey out.</summary>
    public const int Year = 2024;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    /// <summary>Imports the returns and closes the campaign, unless there is one.</summary>
    /// <param name="seed">Seed of the generator.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task LoadAsync(int seed, CancellationToken ct)
    {
        try
        {
            await LoadCampaignAsync(seed, ct);
        }
        catch (RpcException e)
        {
            // A start does not fail for want of it.
            await output.WriteLineAsync($"demonstration data: no campaign of the survey ({e.StatusCode}: {e.Status.Detail})");
        }
    }

    private async Task LoadCampaignAsync(int seed, CancellationToken ct)
    {
        using var channel = GrpcChannel.ForAddress(system.AddressOf("mesure"));
        var client = new SurveyService.SurveyServiceClient(channel);
        // Campaigns are people's acts.
        var headers = new Metadata { { "authorization", "Bearer " + await system.TokenAsync("statisticien.sser", ct, "nicole") } };
        if ((await client.ListSurveyCampaignsAsync(new ListSurveyCampaignsRequest(), headers, cancellationToken: ct)).Campaigns.Any(c => c.Year == Year))
        {
            return;
        }

        var ids = await IdsAsync(seed, ct);
        foreach (var year in (int[])[Year - 1, Year])
        {
            await ImportAsync(client, headers, Csv(seed, year, ids), ct);
        }

        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        var due = today.AddMonths(1);
        await client.OpenSurveyCampaignAsync(
            new OpenSurveyCampaignRequest { Year = Year, DueDate = new() { Year = due.Year, Month = due.Month, Day = due.Day }, RequestId = NewId() }, headers, cancellationToken: ct);
        var closed = await client.CloseSurveyCampaignAsync(new CloseSurveyCampaignRequest { Year = Year, RequestId = NewId() }, headers, cancellationToken: ct);
        await output.WriteLineAsync($"demonstration data: fictive campaign of {Year} closed, {closed.Campaign.AskedCount} associations; ./jafer export-public writes its page");
    }

    /// <summary>The returns of a year as the survey imports them. Of the last year the last association does not answer.</summary>
    /// <param name="seed">Seed of the generator.</param>
    /// <param name="year">The year.</param>
    /// <param name="ids">Associations with the ids of their gestionnaires, in the order in which they are to be written.</param>
    private static string Csv(int seed, int year, List<(string Association, string Id)> ids)
    {
        var text = new StringBuilder("year,gestionnaire_id,code,value\n");
        foreach (var (association, id) in ids.Take(ids.Count - (year == Year ? 1 : 0)))
        {
            foreach (var (code, value) in FiguresOf(new Draws(seed, association), year))
            {
                text.Append(CultureInfo.InvariantCulture, $"{year},{id},{code},{value}\n");
            }
        }

        return text.ToString();
    }

    private async Task<List<(string Association, string Id)>> IdsAsync(int seed, CancellationToken ct)
    {
        var directory = new DirectoryService.DirectoryServiceClient(await system.ConnectAsync("directory", ct));
        var (ids, pageToken) = (new Dictionary<string, string>(), "");
        do
        {
            var page = await directory.ListEspacesAsync(new ListEspacesRequest { PageSize = 200, PageToken = pageToken }, cancellationToken: ct);
            foreach (var espace in page.Espaces)
            {
                ids[espace.GestionnaireName] = espace.GestionnaireId;
            }

            pageToken = page.NextPageToken;
        }
        while (pageToken.Length > 0);
        return [.. new Generator(seed, DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime)).Espaces().Where(e => ids.ContainsKey(e.Gestionnaire.Name)).Select(e => (e.ExternalId, ids[e.Gestionnaire.Name]))];
    }

    private static Dictionary<string, long> FiguresOf(Draws draws, int year)
    {
        var size = draws.Factor("size", 0.6) * (year == Year ? 1 : 0.93 + (0.1 * draws.Unit("before"))) / 1.2;
        var figures = new Dictionary<string, long>();
        long Count(string code, double value) => figures[code] = (long)Math.Round(value * size);
        void Split(string whole, string prefix, params (string Part, double Share)[] parts)
        {
            // Largest remainder: parts add up to their whole.
            var of = figures[whole];
            var all = parts.Sum(p => p.Share);
            var exact = parts.Select(p => of * p.Share / all).ToArray();
            var left = of - exact.Sum(e => (long)e);
            foreach (var (i, rank) in exact.Select((e, i) => (i, e)).OrderByDescending(p => p.e - Math.Floor(p.e)).Select((p, rank) => (p.i, rank)))
            {
                figures[prefix + parts[i].Part] = (long)exact[i] + (rank < left ? 1 : 0);
            }
        }

        Count("MESURES_NOUVELLES", 111);
        Split("MESURES_NOUVELLES", "MESURES_NOUVELLES_", ("JUDICIAIRES", 88), ("NON_JUDICIAIRES", 12));
        Split("MESURES_NOUVELLES_JUDICIAIRES", "MESURES_NOUVELLES_", ("JAF", 90), ("JUGE_DES_ENFANTS", 6), ("COUR_D_APPEL", 3), ("AUTRE_JUGE", 1));
        Split("MESURES_NOUVELLES_NON_JUDICIAIRES", "MESURES_NOUVELLES_", ("PROLONGEMENT", 46), ("AVOCAT", 12), ("ASE", 11), ("BOUCHE_A_OREILLE", 9), ("AUTRE_ORIGINE", 22));
        Split("MESURES_NOUVELLES_JUDICIAIRES", "SITUATION_", ("AU_MOINS_UNE", 59), ("AUCUNE", 41));
        Split("SITUATION_AU_MOINS_UNE", "SITUATION_PRINCIPALE_", ("VIOLENCES_INTRAFAMILIALES", 65), ("TROUBLES_PSYCHIATRIQUES", 12), ("ADDICTION", 20), ("NON_PRECISEE", 3));
        foreach (var (situation, more) in (ReadOnlySpan<(string, double)>)[("VIOLENCES_INTRAFAMILIALES", 0.06), ("TROUBLES_PSYCHIATRIQUES", 0.04), ("ADDICTION", 0.07)])
        {
            figures[$"SITUATION_{situation}"] = figures[$"SITUATION_PRINCIPALE_{situation}"] + (long)(more * figures["SITUATION_AU_MOINS_UNE"]);
        }

        Count("MESURES_CLOTUREES", 104);
        Split("MESURES_CLOTUREES", "MESURES_CLOTUREES_", ("JUDICIAIRES", 89), ("NON_JUDICIAIRES", 11));
        Split("MESURES_CLOTUREES", "MESURES_CLOTUREES_", ("A_TERME", 44), ("SANS_SUITE", 27), ("INTERRUPTION", 25), ("AUTRE", 4));
        Split("MESURES_CLOTUREES_INTERRUPTION", "INTERRUPTION_", ("ESPACE", 46), ("HOTE", 38), ("JUGE", 16));
        figures["INTERRUPTION_JUDICIAIRES"] = Math.Min(figures["MESURES_CLOTUREES_JUDICIAIRES"], (long)Math.Round(0.92 * figures["MESURES_CLOTUREES_INTERRUPTION"]));
        Split("MESURES_CLOTUREES_JUDICIAIRES", "DUREE_", ("JUDICIAIRES_MOINS_DE_6_MOIS", 26), ("JUDICIAIRES_6_A_12_MOIS", 29), ("JUDICIAIRES_12_MOIS_ET_PLUS", 18), (" judicial", 27));
        Split("MESURES_CLOTUREES_NON_JUDICIAIRES", "DUREE_", ("NON_JUDICIAIRES_MOINS_DE_6_MOIS", 47), ("NON_JUDICIAIRES_6_A_12_MOIS", 17), ("NON_JUDICIAIRES_12_MOIS_ET_PLUS", 9), (" other", 27));
        figures["DUREE_SANS_RENCONTRE"] = figures["DUREE_ judicial"] + figures["DUREE_ other"];
        figures.Remove("DUREE_ judicial");
        figures.Remove("DUREE_ other");
        figures["STOCK_FIN"] = Count("MESURES_EN_COURS", 58) + Count("MESURES_EN_ATTENTE", 26) + Count("MESURES_NON_CONTACTEES", 8);
        figures["STOCK_DEBUT"] = Math.Max(0, figures["STOCK_FIN"] - figures["MESURES_NOUVELLES"] + figures["MESURES_CLOTUREES"]);
        Count("RENCONTRES_PROGRAMMEES", 1192);
        Split("RENCONTRES_PROGRAMMEES", "RENCONTRES_", ("REALISEES", 80.5), ("ABSENCE_VISITEUR", 6), ("ABSENCE_HOTE", 3), ("REFUS_ENFANT", 2), ("ANNULEES_VISITEUR", 4), ("ANNULEES_HOTE", 2.5), ("ANNULEES_ESPACE", 1.5), ("FORCE_MAJEURE", 0.4), ("SANS_ISSUE", 0.1));
        Count("ENFANTS_ACCUEILLIS", 180);
        Split("ENFANTS_ACCUEILLIS", "ENFANTS_", ("0_A_2_ANS", 11), ("3_A_5_ANS", 21), ("6_A_10_ANS", 36), ("11_A_14_ANS", 20), ("15_A_17_ANS", 10), ("18_ANS_ET_PLUS", 1), ("AGE_INCONNU", 1));
        figures["ENFANTS_MOINS_DE_11_ANS"] = figures["ENFANTS_0_A_2_ANS"] + figures["ENFANTS_3_A_5_ANS"] + figures["ENFANTS_6_A_10_ANS"];
        Count("PERSONNEL", 11.2);
        Split("PERSONNEL", "PERSONNEL_", ("SALARIES", 93), ("BENEVOLES", 7));
        Split("PERSONNEL_SALARIES", "PERSONNEL_SALARIES_", ("JURISTES", 3), ("PSYCHOLOGUES", 17), ("TRAVAILLEURS_SOCIAUX", 41), ("AUTRES_INTERVENANTS", 3), ("SUPPORT", 36));
        Split("PERSONNEL_BENEVOLES", "PERSONNEL_BENEVOLES_", ("JURISTES", 10), ("PSYCHOLOGUES", 29), ("TRAVAILLEURS_SOCIAUX", 23), ("AUTRES_INTERVENANTS", 20), ("SUPPORT", 18));
        Count("ETP", 410);
        Split("ETP", "ETP_", ("SALARIES", 97), ("BENEVOLES", 3));
        Count("RESSOURCES", 208_600);
        Split("RESSOURCES", "RESSOURCES_", ("CAF", 66.7), ("ETAT", 20), ("COLLECTIVITES", 12), ("AUTRES", 1.3));
        return figures;
    }

    // The mesure service knows a gestionnaire once the directory's event came through.
    private async Task ImportAsync(SurveyService.SurveyServiceClient client, Metadata headers, string csv, CancellationToken ct)
    {
        var start = clock.GetTimestamp();
        while (true)
        {
            try
            {
                var answer = await client.ImportSserReturnsAsync(new ImportSserReturnsRequest { Content = ByteString.CopyFromUtf8(csv), RequestId = NewId() }, headers, cancellationToken: ct);
                await output.WriteLineAsync($"demonstration data: {answer.CreatedCount} fictive returns of the survey, {answer.LineCount} lines");
                return;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.InvalidArgument && clock.GetElapsedTime(start) < s_patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), clock, ct);
            }
        }
    }

    private string NewId() => Guid.CreateVersion7(clock.GetUtcNow()).ToString();
}
