using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain.Survey;
using Jafer.Mesures.Survey;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using SserReturn = Jafer.Contracts.Mesure.V1.SserReturn;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>The national survey: what is counted, the returns, and the campaign that collects them. Today is 2 March 2026.</summary>
public sealed partial class SurveyTests(ClockedMesures jafer) : IClassFixture<ClockedMesures>
{
    // Sums by gestionnaire, year, département and figure; and what follows from the entries alone.
    private const string Sums = "select coalesce(string_agg(concat_ws(' ', gestionnaire_id, year, departement, figure, count), E'\\n' order by gestionnaire_id, year, departement, figure), '') from survey_counts, unnest(figures, counts) as f (figure, count)";
    private const string SumsOfEntries = """
        select coalesce(string_agg(concat_ws(' ', gestionnaire_id, year, departement, figure, count), E'\n' order by gestionnaire_id, year, departement, figure), '')
        from (select gestionnaire_id, f.year, departement, f.figure, sum(f.count) as count from survey_entries, unnest(years, figures, counts) as f (year, figure, count) group by 1, 2, 3, 4) s
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private SurveyFold Fold => jafer.Host.App.Services.GetRequiredService<SurveyFold>();

    private SurveyService.SurveyServiceClient AsEspace => Of(Roles.Espace, Gestionnaire);

    private SurveyService.SurveyServiceClient AsManager => Of(Roles.Espace, Gestionnaire, person: true);

    private SurveyService.SurveyServiceClient AsStatistician => Of(Roles.Statisticien, Court, person: true);

    [Fact]
    public async Task GenerateSserReturn_AfterRealActs_CountsWhatWasAcknowledgedAndLeadsToTheEventsBehind()
    {
        await EmptyAsync();
        var held = await HeldAsync();
        var refused = await jafer.TransmittedAsync();
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = refused, RequestId = NewId() });
        await jafer.AsEspace.CloseMesureAsync(new CloseMesureRequest { MesureId = refused, Reason = ClosureReason.SansSuiteRefusHote, RequestId = NewId() });
        await jafer.TransmittedAsync(r => r.Decision.Situations.Clear());

        var of = (await AsEspace.GenerateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2026, RequestId = NewId() })).SserReturn;

        Assert.Equal((SserReturnState.Prefilled, SserReturnSource.Computed, true), (of.State, of.Source, of.Provisional));
        Assert.Equal(
            (3L, 1L, 1L, 2L, 1L, 0L, 1L, 1L, 1L, 1L),
            (Value(of, "MESURES_NOUVELLES"), Value(of, "MESURES_CLOTUREES"), Value(of, "MESURES_CLOTUREES_SANS_SUITE"), Value(of, "STOCK_FIN"), Value(of, "MESURES_EN_COURS"),
                Value(of, "MESURES_EN_ATTENTE"), Value(of, "MESURES_NON_CONTACTEES"), Value(of, "RENCONTRES_PROGRAMMEES"), Value(of, "RENCONTRES_REALISEES"), Value(of, "ENFANTS_ACCUEILLIS")));
        Assert.Equal((0L, 3L, 1L, 2L, 0L), (of.Equation.Opening, of.Equation.Received, of.Equation.Closed, of.Equation.Closing, of.Equation.Unexplained));
        Assert.Contains(SurveyFlagCode.AnneeEnCours, of.Flags.Select(f => f.Code));
        // The directory is not there: nothing is said of staff.
        Assert.Contains(SurveyFlagCode.PersonnelNonLu, of.Flags.Select(f => f.Code));
        Assert.Contains("DUREE/1", of.Definitions);

        var behind = await AsEspace.ListSurveyMesuresAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2026, FigureCode = "MESURES_CLOTUREES_SANS_SUITE" });
        Assert.Equal((refused, 1L, 1L), (Assert.Single(behind.Mesures).MesureId, behind.Mesures[0].Count, behind.Total));
        var events = await jafer.AsEspace.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = behind.Mesures[0].MesureId });
        Assert.Contains(MesureAct.Close, events.Events.Select(e => e.Act));
        var received = await AsEspace.ListSurveyMesuresAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2026, FigureCode = "ENFANTS_ACCUEILLIS" });
        Assert.Equal(held, Assert.Single(received.Mesures).MesureId);

        // Nothing but the year itself stands against it.
        var early = await Refusal.OfAsync(AsManager.ValidateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2026, Etag = of.Etag, RequestId = NewId() }));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (early.Code, early.Reason));
    }

    [Fact]
    public async Task ListSurveyMesures_PageByPage_AddsUpToTheFigure()
    {
        await EmptyAsync();
        for (var i = 0; i < 5; i++)
        {
            await OtherAsync("transmitted_at = '2025-02-01 12:00Z'");
        }

        await Fold.FoldAsync(Ct);
        var request = new ListSurveyMesuresRequest { GestionnaireId = Gestionnaire.ToString(), Year = 2025, FigureCode = "MESURES_NOUVELLES", PageSize = 2 };
        var ids = new List<string>();
        do
        {
            var page = await AsEspace.ListSurveyMesuresAsync(request);
            Assert.Equal(5, page.Total);
            ids.AddRange(page.Mesures.Select(m => m.MesureId));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(5, ids.Distinct().Count());
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);

        // A mesure of two years is behind each year's figures alone.
        Assert.Equal((0L, 5L), (await TotalAsync("MESURES_NOUVELLES"), await TotalAsync("STOCK_FIN")));

        async Task<long> TotalAsync(string code) =>
            (await AsEspace.ListSurveyMesuresAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2026, FigureCode = code })).Total;
    }

    [Fact]
    public async Task ListSurveyMesures_OfAnother_IsRefusedAndTheDatabaseHidesItToo()
    {
        await EmptyAsync();
        await OtherAsync("transmitted_at = '2025-02-01 12:00Z'");
        await Fold.FoldAsync(Ct);

        foreach (var call in new Func<Task>[]
        {
            async () => await AsEspace.ListSurveyMesuresAsync(new() { GestionnaireId = OtherGestionnaire.ToString(), Year = 2025, FigureCode = "MESURES_NOUVELLES" }),
            async () => await AsEspace.GetSserReturnAsync(new() { GestionnaireId = NewId(), Year = 2025 }),
            async () => await AsStatistician.ListSurveyMesuresAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, FigureCode = "MESURES_NOUVELLES" }),
            async () => await Of(Roles.Operateur, Court).GetSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025 }),
        })
        {
            Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(call)).Reason);
        }

        // A query that forgot whose rows it wants gets none of another's.
        Assert.Equal((1, 0), (await SeenAsync(Gestionnaire), await SeenAsync(OtherGestionnaire)));

        async Task<long> SeenAsync(Guid tenant)
        {
            await using var login = await TenantLogin.CreateAsync(jafer.Database);
            await using var connection = await login.OpenAsync(tenant);
            await using var command = new NpgsqlCommand("select count(*) from survey_entries where 2025 = any(years)", connection);
            return (long)(await command.ExecuteScalarAsync(Ct))!;
        }
    }

    [Fact]
    public async Task Fold_AnyChangesInAnyOrder_GivesWhatARebuildGives()
    {
        await EmptyAsync();
        var random = new Random(20260302);
        var ids = new List<string>();
        for (var step = 0; step < 60; step++)
        {
            if (ids.Count < 12 && random.Next(3) == 0)
            {
                ids.Add(await OtherAsync(Column()));
            }
            else if (ids.Count > 0)
            {
                var id = ids[random.Next(ids.Count)];
                await jafer.Database.RunAsync(random.Next(4) switch
                {
                    0 => $"""
                        insert into rencontres select (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'mesure_id', '{id}', 'starts_at', timestamptz '2024-06-01 10:00Z' + interval '1 day' * {random.Next(700)}))).*
                        from rencontres r limit 1
                        """,
                    1 => $"update rencontres set outcome = '{Pick("HELD", "VISITEUR_ABSENT", "MOVED", "SCHEDULED")}' where mesure_id = '{id}'",
                    _ => $"update mesures set {Column()} where id = '{id}'",
                });
            }

            if (random.Next(3) == 0)
            {
                await Fold.FoldAsync(Ct, portion: 1 + random.Next(5));
            }
        }

        await Fold.FoldAsync(Ct);
        var folded = await jafer.Database.ReadAsync<string>(Sums);
        Assert.Equal(folded, await jafer.Database.ReadAsync<string>(SumsOfEntries));
        await jafer.Database.RunAsync("truncate survey_entries, survey_counts; insert into survey_queue (mesure_id) select id from mesures where gestionnaire_id is not null");
        await Fold.FoldAsync(Ct);

        Assert.Equal(folded, await jafer.Database.ReadAsync<string>(Sums));
        Assert.True(folded.Split('\n').Length > 40, folded);

        string Pick(params string[] of) => of[random.Next(of.Length)];

        string Day() => new DateOnly(2023, 6, 1).AddDays(random.Next(900)).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

        string Column() => random.Next(8) switch
        {
            0 => $"transmitted_at = '{Day()} 12:00Z'",
            1 => $"visiteur_contact_at = '{Day()} 12:00Z'",
            7 => $"interview_at = '{Day()} 12:00Z'",
            2 => $"first_scheduling_at = '{Day()} 12:00Z', ever_scheduled = true",
            3 => $"first_planned_rencontre_at = '{Day()} 12:00Z'",
            4 => $"state = 'CLOTUREE', closed_at = '{Day()} 12:00Z', closure_reason = '{Pick("ARRIVEE_A_TERME", "DOUBLON", "TRANSFERT", "INTERRUPTION_INCIDENT")}'",
            5 => "state = 'EN_COURS', closed_at = null, closure_reason = 'UNSPECIFIED'",
            _ => $"gestionnaire_id = '{Pick(Gestionnaire.ToString(), OtherGestionnaire.ToString())}', espace_departement = '{Pick("69", "67")}'",
        };
    }

    [Fact]
    public async Task Fold_WhenAYearBegins_CountsOpenMesuresIntoIt()
    {
        await EmptyAsync();
        await OtherAsync("transmitted_at = '2025-02-01 12:00Z'");
        await OtherAsync("transmitted_at = '2025-02-01 12:00Z', state = 'CLOTUREE', closed_at = '2025-12-31 22:59Z', closure_reason = 'AUTRE'");
        // In Paris it is the next year already.
        await OtherAsync("transmitted_at = '2025-02-01 12:00Z', state = 'CLOTUREE', closed_at = '2025-12-31 23:00Z', closure_reason = 'AUTRE'");
        await Fold.FoldAsync(Ct);

        Assert.Equal((3L, 2L, 2L, 1L), (
            await CountAsync("MESURES_NOUVELLES", 2025), await CountAsync("STOCK_FIN", 2025), await CountAsync("STOCK_DEBUT", 2026), await CountAsync("MESURES_CLOTUREES", 2026)));
        // As a year before it was.
        await jafer.Database.RunAsync("""
            update survey_state set year = 2025; delete from survey_counts where year = 2026;
            update survey_entries set (years, figures, counts) = (
                select array_agg(f.year), array_agg(f.figure), array_agg(f.count) from unnest(years, figures, counts) as f (year, figure, count) where f.year < 2026)
            """);
        await Fold.FoldAsync(Ct);
        Assert.Equal((1L, 1L), (await CountAsync("STOCK_DEBUT", 2026), await CountAsync("STOCK_FIN", 2026)));
        Assert.Equal(2026, await jafer.Database.ReadAsync<short>("select year from survey_state"));
    }

    [Fact]
    public async Task Campaign_FromOpeningToClosing_CollectsCorrectsImputesAndFreezes()
    {
        await EmptyAsync();
        for (var i = 0; i < 8; i++)
        {
            await OtherAsync("transmitted_at = '2025-02-01 12:00Z'");
            await OtherAsync($"transmitted_at = '2025-02-01 12:00Z', gestionnaire_id = '{OtherGestionnaire}', espace_departement = '67'");
        }

        var (typed, silent) = (NewId(), NewId());
        await jafer.Database.RunAsync($"insert into organisations (id, kind) values ('{typed}', 'GESTIONNAIRE'), ('{silent}', 'GESTIONNAIRE')");
        await ImportAsync($"year;gestionnaire_id;code;value\n2024;{silent};MESURES_NOUVELLES;40\n2024;{silent};STOCK_FIN;10\n2024;{Gestionnaire};MESURES_NOUVELLES;4\n2024;{Gestionnaire};STOCK_FIN;1\n2023;FRANCE;MESURES_NOUVELLES;21000\n");
        // It has no espace any more; the campaign asks for whom there is a return of the year.
        await ImportAsync($"code;value;year;gestionnaire_id\nMESURES_NOUVELLES;1;2025;{silent}\n");
        await jafer.Database.RunAsync($"update sser_returns set state = 'MISSING', figures = '[]', source = 'UNSPECIFIED' where year = 2025 and gestionnaire_id = '{silent}'");

        var opened = (await AsStatistician.OpenSurveyCampaignAsync(new() { Year = 2025, DueDate = new DateOnly(2026, 5, 31).ToProto(), RequestId = NewId() })).Campaign;
        Assert.Equal((SurveyCampaignState.Open, 3), (opened.State, opened.AskedCount));
        Assert.Equal([(SserReturnState.Missing, 3)], opened.States.Select(s => (s.State, s.Count)));
        Assert.Equal(
            [Gestionnaire.ToString(), OtherGestionnaire.ToString(), silent],
            (await jafer.Database.ReadAllAsync<string>("select payload->>'gestionnaireId' from probe.told where type = 'mesure.survey-opened.v1'")).OrderBy(Place));
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsStatistician.OpenSurveyCampaignAsync(new() { Year = 2025, DueDate = new DateOnly(2026, 5, 31).ToProto(), RequestId = NewId() }))).Reason);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsStatistician.RemindSurveyCampaignAsync(new() { Year = 2025, RequestId = NewId() }))).Reason);

        // The gestionnaire takes what was counted, corrects it, and validates what it saw.
        var of = (await AsEspace.GenerateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, RequestId = NewId() })).SserReturn;
        Assert.Equal((8L, 1L, 8L, 8L), (Value(of, "MESURES_NOUVELLES"), of.Equation.Opening, of.Equation.Received, of.Equation.Closing));
        Assert.Equal(StockDifferenceKind.OuvertureChangee, Assert.Single(of.Equation.Explanations).Kind);
        var corrected = (await AsEspace.CorrectSserReturnAsync(new()
        {
            GestionnaireId = Gestionnaire.ToString(),
            Year = 2025,
            Etag = of.Etag,
            RequestId = NewId(),
            Corrections = { new SurveyCorrection { Code = "MESURES_NOUVELLES", Value = 9, Reason = SurveyCorrectionReason.HorsJafer } },
        })).SserReturn;
        var figure = corrected.Figures.Single(f => f.Code == "MESURES_NOUVELLES");
        Assert.Equal((9L, 8L, SurveyFigureOrigin.Corrected, SurveyCorrectionReason.HorsJafer), (figure.Value, figure.ComputedValue, figure.Origin, figure.Reason));
        Assert.Contains(corrected.Flags, f => f is { Code: SurveyFlagCode.SommeDifferente, Count: 1, FigureCode: "MESURES_NOUVELLES" });
        Assert.Equal("ETAG_MISMATCH", (await Refusal.OfAsync(AsManager.ValidateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, Etag = of.Etag, RequestId = NewId() }))).Reason);
        var software = await Refusal.OfAsync(AsEspace.ValidateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, Etag = corrected.Etag, RequestId = NewId() }));
        Assert.Equal("CALLER_FORBIDDEN", software.Reason);
        await AsManager.ValidateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, Etag = corrected.Etag, RequestId = NewId() });
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsEspace.CorrectSserReturnAsync(new()
        {
            GestionnaireId = Gestionnaire.ToString(),
            Year = 2025,
            RequestId = NewId(),
            Corrections = { new SurveyCorrection { Code = "PERSONNEL", Value = 9, Reason = SurveyCorrectionReason.Autre } },
        }))).Reason);

        // One that is not connected is typed in; the two others are late.
        await AsStatistician.RecordSserReturnAsync(new()
        {
            GestionnaireId = typed,
            Year = 2025,
            RequestId = NewId(),
            Figures = { new SurveyFigure { Code = "MESURES_NOUVELLES", Value = 20 }, new SurveyFigure { Code = "STOCK_FIN", Value = 5 }, new SurveyFigure { Code = "PERSONNEL", Value = 6 } },
        });
        jafer.Clock.Advance(TimeSpan.FromDays(8));
        Assert.Equal(2, (await AsStatistician.RemindSurveyCampaignAsync(new() { Year = 2025, RequestId = NewId() })).RemindedCount);
        Assert.Equal(2, await jafer.Database.ReadAsync<long>("select count(*) from probe.told where type = 'mesure.survey-reminder-due.v1'"));

        // Closed: what Jafer counted, and what is imputed by its own year before as the one that answered twice moved.
        var closed = (await AsStatistician.CloseSurveyCampaignAsync(new() { Year = 2025, RequestId = NewId() })).Campaign;
        Assert.Equal([(SserReturnState.Validated, 1), (SserReturnState.Imputed, 2)], closed.States.Select(s => (s.State, s.Count)));
        var listed = (await AsStatistician.ListSserReturnsAsync(new() { Year = 2025, FigureCode = "MESURES_NOUVELLES" })).SserReturns.ToDictionary(r => r.GestionnaireId, r => r.Figures.Single().Value);
        Assert.Equal((9L, 8L, 20L, 90L), (listed[Gestionnaire.ToString()], listed[OtherGestionnaire.ToString()], listed[typed], listed[silent]));
        var nation = await AsStatistician.GetNationalSurveyAsync(new() { Year = 2025 });
        var received = nation.Totals.Single(t => t.Code == "MESURES_NOUVELLES");
        Assert.Equal((127L, 98L, 44L, 11600L), (received.Value, received.ImputedValue, received.PreviousValue, received.FirstValue));
        Assert.Equal((4, 2, 2, false), (nation.AskedCount, nation.AnsweredCount, nation.ImputedCount, nation.Provisional));
        var refusal = await Refusal.OfAsync(AsEspace.GenerateSserReturnAsync(new() { GestionnaireId = OtherGestionnaire.ToString(), Year = 2025, RequestId = NewId() }));
        Assert.Equal("CALLER_FORBIDDEN", refusal.Reason);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsManager.ReopenSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, RequestId = NewId() }))).Reason);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsStatistician.CloseSurveyCampaignAsync(new() { Year = 2025, RequestId = NewId() }))).Reason);

        // What of a sum was imputed is what Jafer counted of single gestionnaires: the public is not told.
        Assert.All((await Of(Roles.Partenaire, Court).GetPublicSurveyAsync(new() { Year = 2025 })).Totals, t => Assert.Equal(0, t.ImputedValue));

        // What is told of it later changes no figure of the year.
        var file = await AsManager.GetSserReturnFileAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, Format = SserReturnFormat.Json });
        await OtherAsync("transmitted_at = '2025-02-01 12:00Z'");
        await Fold.FoldAsync(Ct);
        Assert.Equal(file, await AsManager.GetSserReturnFileAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, Format = SserReturnFormat.Json }));
        Assert.Equal(127, (await AsStatistician.GetNationalSurveyAsync(new() { Year = 2025 })).Totals.Single(t => t.Code == "MESURES_NOUVELLES").Value);

        int Place(string id) => id == Gestionnaire.ToString() ? 0 : id == OtherGestionnaire.ToString() ? 1 : 2;
    }

    [Fact]
    public async Task ImportSserReturns_WithMistakes_NamesEachLineAndWritesNothing()
    {
        await EmptyAsync();
        var stranger = NewId();
        var refusal = await Refusal.OfAsync(() => ImportAsync($"year;gestionnaire_id;code;value\n1999;{Gestionnaire};STOCK_FIN;1\n2024;x;STOCK_FIN;1\n2024;{Gestionnaire};NONE;1\n2024;{Gestionnaire};STOCK_FIN;-1\n2024;{stranger};STOCK_FIN;1\n2024;{Gestionnaire};STOCK_DEBUT;1\n2024;{Gestionnaire};STOCK_DEBUT;2\n"));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Equal(6, refusal.Fields.Count(f => f == "content"));
        Assert.Equal(0, await jafer.Database.ReadAsync<long>("select count(*) from sser_returns"));

        var content = $"year;gestionnaire_id;code;value\n2024;{Gestionnaire};STOCK_FIN;7\n2011;FRANCE;STOCK_FIN;70\n";
        var trial = await AsStatistician.ImportSserReturnsAsync(new() { Content = ByteString.CopyFromUtf8(content), DryRun = true, RequestId = NewId() });
        Assert.Equal((2, 1, 1), (trial.LineCount, trial.CreatedCount, trial.NationalCount));
        Assert.Equal(0, await jafer.Database.ReadAsync<long>("select count(*) from sser_returns"));
        await ImportAsync(content);
        var again = await ImportAsync(content);
        Assert.Equal((0, 0, 1, 0), (again.CreatedCount, again.UpdatedCount, again.UnchangedCount, again.NationalCount));
        Assert.Equal(1, await jafer.Database.ReadAsync<long>("select count(*) from sser_return_versions"));
    }

    [Fact]
    public async Task ImportSserReturns_FifteenYears_AreTakenWholeAndOnce()
    {
        await EmptyAsync();
        // As many lines as one file may have, which is a year of all gestionnaires too.
        string[] ids = [.. Enumerable.Range(0, 13).Select(_ => NewId())];
        await jafer.Database.RunAsync($"insert into organisations (id, kind) values {string.Join(", ", ids.Select(id => $"('{id}', 'GESTIONNAIRE')"))}");
        var content = new StringBuilder("year,gestionnaire_id,code,value\n");
        foreach (var year in Enumerable.Range(2010, 15))
        {
            foreach (var (i, id) in ids.Index())
            {
                content.Append(string.Concat(SurveyCatalogue.BuiltIn.Figures.Select(f => $"{year},{id},{f.Code},{f.Number + (100 * i) + year}\n")));
            }
        }

        var watch = System.Diagnostics.Stopwatch.StartNew();
        var answer = await ImportAsync(content.ToString());
        TestContext.Current.TestOutputHelper?.WriteLine($"{answer.LineCount} lines, {content.Length / 1024} KiB: {watch.ElapsedMilliseconds} ms");

        Assert.Equal((15 * 13 * SurveyCatalogue.BuiltIn.Figures.Count, 15 * 13), (answer.LineCount, answer.CreatedCount));
        var nation = await AsStatistician.GetNationalSurveyAsync(new() { Year = 2011 });
        Assert.All(SurveyCatalogue.BuiltIn.Figures, f => Assert.Equal(ids.Select((_, i) => f.Number + (100L * i) + 2011).Sum(), nation.Totals.Single(t => t.Code == f.Code).Value));
        var again = await ImportAsync(content.ToString());
        Assert.Equal((0, 0, 15 * 13), (again.CreatedCount, again.UpdatedCount, again.UnchangedCount));

        var wrong = await Refusal.OfAsync(() => ImportAsync(content + string.Concat(Enumerable.Repeat("2024,x,STOCK_FIN,1\n", 150))));
        // As many as an answer has room for.
        Assert.Equal((StatusCode.InvalidArgument, 60), (wrong.Code, wrong.Fields.Count));
        var large = await Refusal.OfAsync(() => ImportAsync(content.ToString() + content));
        Assert.Equal((StatusCode.InvalidArgument, "content"), (large.Code, Assert.Single(large.Fields)));
    }

    [Fact]
    public async Task GetNationalSurvey_Of2024_StandsBesideThePublicationWithItsContradictions()
    {
        await EmptyAsync();
        var nation = await AsStatistician.GetNationalSurveyAsync(new() { Year = 2024 });

        var closed = nation.Totals.Single(t => t.Code == "MESURES_CLOTUREES");
        Assert.Equal((20500L, 9500L), (closed.Value, closed.FirstValue));
        Assert.Contains("20 400", Assert.Single(closed.PublishedFigures).Remark, StringComparison.Ordinal);
        Assert.Contains("187 500", Assert.Single(nation.Totals.Single(t => t.Code == "RENCONTRES_REALISEES").PublishedFigures).Remark, StringComparison.Ordinal);
        var byJudge = Assert.Single(nation.Totals.Single(t => t.Code == "INTERRUPTION_JUGE").PublishedFigures);
        Assert.Equal((17.0, "%", "mesures judiciaires cloturees"), (byJudge.Value, byJudge.Unit, byJudge.Population));
        Assert.Contains(nation.PublishedFigures, p => p.Figure == 1 && p.Label.Contains("temps de trajet", StringComparison.Ordinal));
    }

    [Fact]
    public async Task GetPublicSurvey_OfAClosedYear_TellsNothingSmallNorWhatItFollowsFrom()
    {
        await EmptyAsync();
        var nation = new Dictionary<string, long>();
        // By département: new, judicial, not judicial, in the stock of the year before.
        foreach (var (departement, counts) in new[] { ("01", (60, 57, 3, 40)), ("02", (70, 50, 20, 50)), ("03", (80, 60, 20, 60)), ("04", (3, 3, 0, 0)) })
        {
            var figures = new[] { ("MESURES_NOUVELLES", counts.Item1), ("MESURES_NOUVELLES_JUDICIAIRES", counts.Item2), ("MESURES_NOUVELLES_NON_JUDICIAIRES", counts.Item3), ("STOCK_DEBUT", counts.Item4) };
            foreach (var (code, count) in figures)
            {
                nation[code] = nation.GetValueOrDefault(code) + count;
            }

            await SumsAsync(2023, departement, figures);
        }

        await AsStatistician.RecordSserReturnAsync(new()
        {
            GestionnaireId = Gestionnaire.ToString(),
            Year = 2023,
            RequestId = NewId(),
            Figures = { nation.Select(f => new SurveyFigure { Code = f.Key, Value = f.Value }) },
        });
        await jafer.Database.RunAsync("insert into survey_campaigns (year, state, due_date, opened_at, version) values (2023, 'OPEN', '2024-03-01', '2024-01-02 12:00Z', 1)");
        var partner = Of(Roles.Partenaire, Court);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(partner.GetPublicSurveyAsync(new() { Year = 2023 }))).Reason);
        await AsStatistician.CloseSurveyCampaignAsync(new() { Year = 2023, RequestId = NewId() });

        var survey = await partner.GetPublicSurveyAsync(new() { Year = 2023 });

        Assert.Equal((213L, 170L, 43L), (Nation("MESURES_NOUVELLES"), Nation("MESURES_NOUVELLES_JUDICIAIRES"), Nation("MESURES_NOUVELLES_NON_JUDICIAIRES")));
        Assert.Equal(["01", "02", "03", "04"], survey.Departements.Select(d => d.Departement));
        Assert.Equal((true, true), (Told("01", "MESURES_NOUVELLES_JUDICIAIRES").Withheld, Told("01", "MESURES_NOUVELLES_NON_JUDICIAIRES").Withheld));
        Assert.Equal((true, true), (Told("02", "MESURES_NOUVELLES_JUDICIAIRES").Withheld, Told("02", "MESURES_NOUVELLES_NON_JUDICIAIRES").Withheld));
        Assert.Equal((false, 80L), (Told("03", "MESURES_NOUVELLES").Withheld, Told("03", "MESURES_NOUVELLES").Value));
        Assert.All(survey.Departements.Single(d => d.Departement == "04").Totals, t => Assert.True(t is { Withheld: true, HasValue: false }));
        Assert.All(survey.Departements.SelectMany(d => d.Totals), t => Assert.True(t.Withheld ? !t.HasValue : t.Value is 0 or >= 5));
        Assert.All(survey.Departements.SelectMany(d => d.Totals).GroupBy(t => t.Code), of =>
            Assert.True(of.Key is not ("MESURES_NOUVELLES" or "MESURES_NOUVELLES_JUDICIAIRES" or "MESURES_NOUVELLES_NON_JUDICIAIRES") || of.Count(t => t.Withheld) > 1));
        Assert.DoesNotContain(survey.Departements[0].Totals, t => t.Code is "STOCK_FIN" or "MESURES_NON_CONTACTEES" || t.Code.StartsWith("MOTIF_", StringComparison.Ordinal));

        // A partner is told of its territory what everybody is; a sum only where it follows from that.
        var territory = await partner.GetTerritorySurveyAsync(new() { Year = 2023 });
        Assert.Equal(survey.Departements, territory.Departements);
        Assert.True(territory.Totals.Single(t => t.Code == "MESURES_NOUVELLES_JUDICIAIRES").Withheld);

        // What is told of the year later changes nothing: of two answers one could be taken from the other.
        await jafer.Database.RunAsync("update survey_counts set counts = array(select c + 1 from unnest(counts) c) where departement = '03'");
        Assert.Equal(survey, await partner.GetPublicSurveyAsync(new() { Year = 2023 }));

        long Nation(string code) => survey.Totals.Single(t => t.Code == code).Value;
        SurveyTotal Told(string departement, string code) => survey.Departements.Single(d => d.Departement == departement).Totals.Single(t => t.Code == code);
    }

    [Fact]
    public async Task GetTerritorySurvey_OfEachKindOfPartner_IsOfItsTerritoryAloneAndTogetherNoMoreThanThePublic()
    {
        await EmptyAsync();
        // By département: new, judicial, not judicial, in the stock of the year before.
        foreach (var (departement, counts) in new[] { ("01", (60, 57, 3, 40)), ("42", (70, 50, 20, 50)), ("69", (80, 60, 20, 60)), ("75", (90, 70, 20, 60)), ("76", (95, 75, 20, 60)) })
        {
            await SumsAsync(2022, departement, ("MESURES_NOUVELLES", counts.Item1), ("MESURES_NOUVELLES_JUDICIAIRES", counts.Item2), ("MESURES_NOUVELLES_NON_JUDICIAIRES", counts.Item3), ("STOCK_DEBUT", counts.Item4));
        }

        var organisations = new TestOrganisations();
        (string Kind, string[] Departements)[] kinds =
            [("CAF", ["69"]), ("MSA", ["01", "69"]), ("DDETS", ["42"]), ("conseil départemental", ["01"]), ("cour d'appel", ["01", "42", "69"]), ("CAF without an espace", ["2A"])];
        await using var host = await ServiceHost.StartAsync(
            b => MesuresModule.Build([], b), new Dictionary<string, string?>(jafer.Settings) { ["Identity:Members"] = "directory" },
            b => b.Services.AddSingleton<IOrganisations>(organisations));
        var everybody = (await Of(Roles.Partenaire, Court).GetTerritorySurveyAsync(new() { Year = 2022 })).Departements.ToDictionary(d => d.Departement);
        Assert.Equal((true, true), (everybody["01"].Totals.Single(IsNonJudicial).Withheld, everybody["42"].Totals.Single(IsNonJudicial).Withheld));

        foreach (var (kind, departements) in kinds)
        {
            var own = await new SurveyService.SurveyServiceClient(host.Channel(Roles.Partenaire, organisations.Add(departements))).GetTerritorySurveyAsync(new() { Year = 2022 });

            Assert.Equal((kind, string.Join(' ', departements.Where(everybody.ContainsKey))), (kind, string.Join(' ', own.Departements.Select(d => d.Departement))));
            Assert.All(own.Departements, d => Assert.Equal(everybody[d.Departement], d));
            // A sum that is told is one of told cells: the sums of two territories leave nothing but told cells between them.
            foreach (var total in own.Totals)
            {
                var cells = own.Departements.Select(d => d.Totals.Single(t => t.Code == total.Code)).ToList();
                Assert.Equal(cells.Any(c => c.Withheld), total.Withheld);
                Assert.Equal(total.Withheld ? 0 : cells.Sum(c => c.Value), total.Value);
            }
        }

        bool IsNonJudicial(SurveyTotal total) => total.Code == "MESURES_NOUVELLES_NON_JUDICIAIRES";
    }

    [Fact]
    public async Task GetSserReturnFile_OfTheSameReturn_IsTheSameBytes()
    {
        await EmptyAsync();
        await OtherAsync("transmitted_at = '2025-02-01 12:00Z'");
        await AsEspace.GenerateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, RequestId = NewId() });
        foreach (var format in new[] { SserReturnFormat.Csv, SserReturnFormat.Json })
        {
            var request = new GetSserReturnFileRequest { GestionnaireId = Gestionnaire.ToString(), Year = 2025, Format = format };
            var first = await AsEspace.GetSserReturnFileAsync(request);
            jafer.Clock.Advance(TimeSpan.FromHours(1));
            // Computed anew with the same result it is the same return.
            await AsEspace.GenerateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, RequestId = NewId() });
            Assert.Equal(first, await AsEspace.GetSserReturnFileAsync(request));
            Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(first.Content.Span)), first.Sha256);
        }

        var csv = (await AsEspace.GetSserReturnFileAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, Format = SserReturnFormat.Csv })).Content.ToStringUtf8();
        Assert.StartsWith("code;libelle;valeur;unite;origine;valeur_calculee;motif\nMESURES_NOUVELLES;Mesures nouvelles;1;MESURE;COMPUTED;;\n", csv, StringComparison.Ordinal);
        Assert.Equal(SurveyCatalogue.BuiltIn.Figures.Count(f => f.IsCounted) + 1, csv.TrimEnd('\n').Split('\n').Length);
    }

    private SurveyService.SurveyServiceClient Of(string role, Guid organisation, bool person = false) =>
        new(person ? jafer.Host.Channel(TestIssuer.Shared.Token(role, organisation, person: true)) : jafer.Host.Channel(role, organisation));

    private static long Value(SserReturn of, string code) => of.Figures.Single(f => f.Code == code).Value;

    private async Task<ImportSserReturnsResponse> ImportAsync(string content) =>
        await AsStatistician.ImportSserReturnsAsync(new() { Content = ByteString.CopyFrom(Encoding.UTF8.GetBytes(content)), RequestId = NewId() });

    private Task<long> CountAsync(string code, int year) => jafer.Database.ReadAsync<long>(
        $"select coalesce(sum(count), 0)::bigint from survey_counts, unnest(figures, counts) as f (figure, count) where year = {year} and figure = {SurveyCatalogue.BuiltIn.Find(code)!.Number}");

    /// <summary>A mesure of which a rencontre was held today, with the child.</summary>
    private async Task<string> HeldAsync()
    {
        var id = await jafer.TransmittedAsync();
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.RecordContactAsync(new RecordContactRequest { MesureId = id, PartyRole = PartyRole.Visiteur, Outcome = ContactOutcome.Reached, RequestId = NewId() });
        await jafer.AsEspace.ScheduleRencontreAsync(new ScheduleRencontreRequest
        {
            MesureId = id,
            StartTime = Timestamp.FromDateTimeOffset(jafer.Clock.GetUtcNow().AddHours(2)),
            DurationMinutes = 60,
            RequestId = NewId(),
        });
        jafer.Clock.Advance(TimeSpan.FromHours(4));
        var mesure = await jafer.GetAsync(id);
        await jafer.AsEspace.RecordRencontreOutcomeAsync(new RecordRencontreOutcomeRequest
        {
            MesureId = id,
            RencontreId = mesure.Rencontres[0].RencontreId,
            Outcome = RencontreOutcome.Held,
            VisiteurPresent = true,
            PresentChildIds = { mesure.Children[0].ChildId },
            RequestId = NewId(),
        });
        return id;
    }

    private Task<int> SumsAsync(int year, string departement, params (string Code, int Count)[] figures) => jafer.Database.RunAsync($"""
        insert into survey_counts (gestionnaire_id, year, departement, figures, counts) values ('{Gestionnaire}', {year}, '{departement}',
            array[{string.Join(',', figures.Select(f => SurveyCatalogue.BuiltIn.Find(f.Code)!.Number))}], array[{string.Join(',', figures.Select(f => f.Count))}])
        """);

    private async Task EmptyAsync()
    {
        await jafer.Database.RunAsync("truncate mesures, mesure_facts, parties, children, deadlines, survey_entries, survey_counts, survey_queue, sser_returns, survey_campaigns, survey_national, outbox_messages, probe.told, reference_counters cascade");
    }

    /// <summary>A mesure as another one is, with what is said of it.</summary>
    private async Task<string> OtherAsync(string columns)
    {
        if (await jafer.Database.ReadAsync<long>("select count(*) from mesures") == 0)
        {
            // The model of all others is a draft, which counts nowhere.
            await HeldAsync();
            await jafer.Database.RunAsync("update mesures set gestionnaire_id = null, transmitted_at = null, first_scheduling_at = null, visiteur_contact_at = null, first_planned_rencontre_at = null, first_held_rencontre_at = null, ever_scheduled = false; truncate survey_queue");
        }

        var id = NewId();
        var others = await jafer.Database.ReadAsync<string>(
            "select string_agg(quote_ident(column_name), ', ') from information_schema.columns where table_name = 'mesures' and table_schema = 'public' and column_name not in ('id', 'reference')");
        await jafer.Database.RunAsync($"""
            insert into mesures (id, reference, {others}) select '{id}', '{id}', {others} from mesures order by created_at, id limit 1;
            update mesures set gestionnaire_id = '{Gestionnaire}', transmitted_at = '2025-06-01 12:00Z' where id = '{id}';
            update mesures set {columns} where id = '{id}'
            """);
        return id;
    }
}
