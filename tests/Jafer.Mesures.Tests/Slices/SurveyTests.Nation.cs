using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Npgsql;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Whose figures make the nation's, and that all answers about a closed year are one.</summary>
public sealed partial class SurveyTests
{
    [Theory]
    [InlineData(2024, 21900)]
    [InlineData(2011, 11600)]
    public async Task GetNationalSurvey_WhereOneGestionnaireMadeAReturnOfAYearWithoutACampaign_IsNotThatReturn(int year, long published)
    {
        await EmptyAsync();

        var of = (await AsEspace.GenerateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = year, RequestId = NewId() })).SserReturn;
        await AsManager.ValidateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = year, Etag = of.Etag, RequestId = NewId() });

        var total = (await AsStatistician.GetNationalSurveyAsync(new() { Year = 2025 })).Totals.Single(t => t.Code == "MESURES_NOUVELLES");
        Assert.Equal(published, year == 2011 ? total.FirstValue : total.PreviousValue);
    }

    [Fact]
    public async Task GetNationalSurvey_OfAYearOfWhichOnlySomeMadeReturns_IsToldAndNotComparedWith()
    {
        await EmptyAsync();
        await AsEspace.GenerateSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2023, RequestId = NewId() });

        Assert.True((await AsStatistician.GetNationalSurveyAsync(new() { Year = 2023 })).Totals.Single(t => t.Code == "MESURES_NOUVELLES").HasValue);
        Assert.False((await AsStatistician.GetNationalSurveyAsync(new() { Year = 2024 })).Totals.Single(t => t.Code == "MESURES_NOUVELLES").HasPreviousValue);
    }

    [Fact]
    public async Task GetNationalSurvey_WhereTheNationsFiguresWereImported_IsNotTheReturnOfOne()
    {
        await EmptyAsync();
        await ImportAsync($"year;gestionnaire_id;code;value\n2023;FRANCE;MESURES_NOUVELLES;21000\n2023;{Gestionnaire};MESURES_NOUVELLES;40\n");

        Assert.Equal(21000, (await AsStatistician.GetNationalSurveyAsync(new() { Year = 2023 })).Totals.Single(t => t.Code == "MESURES_NOUVELLES").Value);
    }

    [Fact]
    public async Task ReopenSserReturn_OfWhatWasTypedByMistake_GivesTheYearBackToItsGestionnaire()
    {
        await EmptyAsync();
        var id = Gestionnaire.ToString();
        var typed = (await AsStatistician.RecordSserReturnAsync(new() { GestionnaireId = id, Year = 2023, RequestId = NewId(), Figures = { new SurveyFigure { Code = "STOCK_FIN", Value = 5 } } })).SserReturn;
        Assert.Equal(SserReturnState.Validated, typed.State);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsManager.ReopenSserReturnAsync(new() { GestionnaireId = id, Year = 2023, RequestId = NewId() }))).Reason);

        var back = (await AsStatistician.ReopenSserReturnAsync(new() { GestionnaireId = id, Year = 2023, RequestId = NewId() })).SserReturn;

        Assert.Equal((SserReturnState.Missing, SserReturnSource.Unspecified, 0), (back.State, back.Source, back.Figures.Count));
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsStatistician.ReopenSserReturnAsync(new() { GestionnaireId = id, Year = 2023, RequestId = NewId() }))).Reason);
        var own = (await AsEspace.GenerateSserReturnAsync(new() { GestionnaireId = id, Year = 2023, RequestId = NewId() })).SserReturn;
        Assert.Equal((SserReturnState.Prefilled, SserReturnSource.Computed), (own.State, own.Source));

        // What it corrected itself nobody types or imports over, and nobody else takes back.
        await AsEspace.CorrectSserReturnAsync(new()
        {
            GestionnaireId = id,
            Year = 2023,
            RequestId = NewId(),
            Corrections = { new SurveyCorrection { Code = "STOCK_FIN", Value = 7, Reason = SurveyCorrectionReason.HorsJafer } },
        });
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsStatistician.RecordSserReturnAsync(
            new() { GestionnaireId = id, Year = 2023, RequestId = NewId(), Figures = { new SurveyFigure { Code = "STOCK_FIN", Value = 5 } } }))).Reason);
        Assert.Equal(StatusCode.InvalidArgument, (await Refusal.OfAsync(() => ImportAsync($"year;gestionnaire_id;code;value\n2023;{id};STOCK_FIN;5\n"))).Code);
        await ValidatedAsync(Gestionnaire, 2023);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsStatistician.ReopenSserReturnAsync(new() { GestionnaireId = id, Year = 2023, RequestId = NewId() }))).Reason);
    }

    [Fact]
    public async Task OpenSurveyCampaign_WhereAllAgrementsOfAGestionnaireBeganAfterTheYear_DoesNotAskIt()
    {
        await EmptyAsync();
        var (later, earlier) = (NewId(), NewId());
        await jafer.Database.RunAsync($$"""
            insert into espaces (id, gestionnaire_id, state, agrement_periods, time_zone, departement, capacities, version)
            select gen_random_uuid(), id::uuid, 'OUVERT', jsonb_build_array(jsonb_build_object('from', first, 'to', null)), 'Europe/Paris', '69', '[]', 1
            from (values ('{{later}}', '2025-01-01'), ('{{earlier}}', '2025-01-01'), ('{{earlier}}', '2024-12-31')) as v (id, first)
            """);

        await OpenAsync(2024);

        var asked = (await AsStatistician.ListSserReturnsAsync(new() { Year = 2024 })).SserReturns.Select(r => r.GestionnaireId).ToList();
        Assert.Contains(earlier, asked);
        Assert.DoesNotContain(later, asked);
        await jafer.Database.RunAsync($"delete from espaces where gestionnaire_id in ('{later}', '{earlier}')");
    }

    [Fact]
    public async Task CloseSurveyCampaign_WhileThatOfTheYearBeforeIsOpen_IsRefusedAndTheTerritoryIsProvisional()
    {
        await EmptyAsync();
        await SeveralAsync(Gestionnaire);
        foreach (var year in (int[])[2024, 2025])
        {
            await OpenAsync(year);
            await ValidatedAsync(Gestionnaire, year);
        }

        var partner = Of(Roles.Partenaire, Court);
        Assert.True((await partner.GetTerritorySurveyAsync(new() { Year = 2025 })).Provisional);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsStatistician.CloseSurveyCampaignAsync(new() { Year = 2025, RequestId = NewId() }))).Reason);

        await AsStatistician.CloseSurveyCampaignAsync(new() { Year = 2024, RequestId = NewId() });
        await AsStatistician.CloseSurveyCampaignAsync(new() { Year = 2025, RequestId = NewId() });

        Assert.False((await partner.GetTerritorySurveyAsync(new() { Year = 2025 })).Provisional);
    }

    [Fact]
    public async Task CloseSurveyCampaign_WithReturnsAndMesuresOfWhomNobodyAsked_TakesThemInOnceForAll()
    {
        await EmptyAsync();
        await SeveralAsync(Gestionnaire);
        await OpenAsync();
        // Two come to Jafer late, with mesures of the year; one of them makes a return of it.
        var (late, silent) = (Guid.Parse(NewId()), Guid.Parse(NewId()));
        await SeveralAsync(late);
        await SeveralAsync(silent);
        await Of(Roles.Espace, late).GenerateSserReturnAsync(new() { GestionnaireId = late.ToString(), Year = 2025, RequestId = NewId() });
        await ValidatedAsync(Gestionnaire);
        await ValidatedAsync(OtherGestionnaire);

        await AsStatistician.CloseSurveyCampaignAsync(new() { Year = 2025, RequestId = NewId() });

        var nation = (await AsStatistician.GetNationalSurveyAsync(new() { Year = 2025 })).Totals.Single(t => t.Code == "MESURES_NOUVELLES");
        var told = (await AsStatistician.GetPublicSurveyAsync(new() { Year = 2025 })).Totals.Single(t => t.Code == "MESURES_NOUVELLES");
        Assert.Equal((18L, 12L, 18L), (nation.Value, nation.ImputedValue, told.Value));
        Assert.DoesNotContain((await AsStatistician.ListSserReturnsAsync(new() { Year = 2025 })).SserReturns, r => r.State is SserReturnState.Prefilled or SserReturnState.Corrected);
    }

    [Fact]
    public async Task CorrectSserReturn_WhileTheCampaignIsBeingClosed_WaitsAndIsRefused()
    {
        await EmptyAsync();
        await SeveralAsync(Gestionnaire);
        await OpenAsync();
        await ValidatedAsync(Gestionnaire);

        // What the closing reads after the returns makes it wait.
        await using var connection = new NpgsqlConnection(jafer.Database.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await using (var command = new NpgsqlCommand("lock table survey_national in access exclusive mode", connection, transaction))
        {
            await command.ExecuteNonQueryAsync(Ct);
        }

        var closing = AsStatistician.CloseSurveyCampaignAsync(new() { Year = 2025, RequestId = NewId() }).ResponseAsync;
        await Eventually.BecomesAsync(() => WaitingAsync("relation = 'survey_national'::regclass"), w => w > 0, "the wait of the closing");
        var correcting = Refusal.OrNullAsync(CorrectAsync);
        await Eventually.BecomesAsync(() => WaitingAsync("locktype = 'advisory'"), w => w > 0, "the wait of the correction");
        await transaction.RollbackAsync(Ct);
        await closing;

        Assert.Equal("STATE_FORBIDS", (await correcting)?.Reason);
        var nation = (await AsStatistician.GetNationalSurveyAsync(new() { Year = 2025 })).Totals.Single(t => t.Code == "MESURES_NOUVELLES");
        Assert.Equal(nation.Value, (await AsStatistician.GetPublicSurveyAsync(new() { Year = 2025 })).Totals.Single(t => t.Code == "MESURES_NOUVELLES").Value);

        Task<long> WaitingAsync(string what) => jafer.Database.ReadAsync<long>(
            $"select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database()) and {what}");

        async Task CorrectAsync()
        {
            await AsManager.ReopenSserReturnAsync(new() { GestionnaireId = Gestionnaire.ToString(), Year = 2025, RequestId = NewId() });
            await AsEspace.CorrectSserReturnAsync(new()
            {
                GestionnaireId = Gestionnaire.ToString(),
                Year = 2025,
                RequestId = NewId(),
                Corrections = { new SurveyCorrection { Code = "MESURES_NOUVELLES", Value = 9, Reason = SurveyCorrectionReason.HorsJafer } },
            });
        }
    }

    [Fact]
    public async Task GetTerritorySurvey_OfAYearPublishedWithOtherFigures_TellsTheSumsOfTheSameCode()
    {
        await EmptyAsync();
        await SumsAsync(2023, "01", ("MESURES_NOUVELLES", 60), ("MESURES_NOUVELLES_JUDICIAIRES", 40), ("MESURES_NOUVELLES_NON_JUDICIAIRES", 20), ("STOCK_DEBUT", 40));
        await SumsAsync(2023, "02", ("MESURES_NOUVELLES", 70), ("MESURES_NOUVELLES_JUDICIAIRES", 50), ("MESURES_NOUVELLES_NON_JUDICIAIRES", 20), ("STOCK_DEBUT", 50));
        // As a version before told it, which had a figure less.
        var publication = new GetPublicSurveyResponse();
        publication.Departements.AddRange((await AsStatistician.GetTerritorySurveyAsync(new() { Year = 2023 })).Departements);
        foreach (var departement in publication.Departements)
        {
            departement.Totals.RemoveAt(0);
        }

        await jafer.Database.RunAsync($"""
            insert into survey_campaigns (year, state, due_date, opened_at, closed_at, version, publication)
            values (2023, 'CLOSED', '2024-03-01', '2024-01-02 12:00Z', '2024-04-02 12:00Z', 2, '\x{Convert.ToHexString(publication.ToByteArray())}')
            """);

        var territory = await AsStatistician.GetTerritorySurveyAsync(new() { Year = 2023 });

        Assert.Equal(90, territory.Totals.Single(t => t.Code == "MESURES_NOUVELLES_JUDICIAIRES").Value);
        Assert.DoesNotContain(territory.Totals, t => t.Code == "MESURES_NOUVELLES");
    }

    [Fact]
    public async Task Fold_MesureWithAnInterviewAndNoOtherContact_Waits()
    {
        await EmptyAsync();
        var id = await jafer.TransmittedAsync();
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() });
        await Fold.FoldAsync(Ct);
        Assert.Equal((0L, 1L), (await CountAsync("MESURES_EN_ATTENTE", 2026), await CountAsync("MESURES_NON_CONTACTEES", 2026)));

        await jafer.AsEspace.RecordInterviewAsync(new RecordInterviewRequest { MesureId = id, PartyRole = PartyRole.Visiteur, RequestId = NewId() });
        await Fold.FoldAsync(Ct);

        // SSER: a contact between the espace and the family took place, and no rencontre is scheduled yet.
        Assert.Equal((1L, 0L), (await CountAsync("MESURES_EN_ATTENTE", 2026), await CountAsync("MESURES_NON_CONTACTEES", 2026)));
    }

    [Fact]
    public async Task Fold_ProlongementOfAMesureThatWentOnElsewhere_IsNewAndNoTransfer()
    {
        await EmptyAsync();
        var moved = await OtherAsync("transmitted_at = '2024-02-01 12:00Z', state = 'CLOTUREE', closed_at = '2025-02-01 12:00Z', closure_reason = 'TRANSFERT'");
        await OtherAsync($"nature = 'NON_JUDICIAIRE', origin = 'PROLONGEMENT', predecessor_id = '{moved}', transmitted_at = null, acknowledged_at = '2025-03-01 12:00Z'");
        await OtherAsync($"transmitted_at = '2025-02-01 12:00Z', predecessor_id = '{moved}'");

        await Fold.FoldAsync(Ct);

        Assert.Equal((2L, 1L, 1L, 1L), (
            await CountAsync("MESURES_NOUVELLES", 2025), await CountAsync("MESURES_NOUVELLES_PROLONGEMENT", 2025), await CountAsync("MESURES_NOUVELLES_PAR_TRANSFERT", 2025),
            await CountAsync("SORTIES_PAR_TRANSFERT", 2025)));
    }

    [Fact]
    public async Task GetSserReturn_OfAClosedYearWhoseMesuresChanged_SaysSoToItsGestionnaire()
    {
        await EmptyAsync();
        await SeveralAsync(Gestionnaire);
        await OpenAsync();
        await ValidatedAsync(Gestionnaire);
        await AsStatistician.CloseSurveyCampaignAsync(new() { Year = 2025, RequestId = NewId() });
        var request = new GetSserReturnRequest { GestionnaireId = Gestionnaire.ToString(), Year = 2025 };
        Assert.DoesNotContain((await AsEspace.GetSserReturnAsync(request)).SserReturn.Flags, f => f.Code == SurveyFlagCode.DonneesChangees);

        await SeveralAsync(Gestionnaire);
        await Fold.FoldAsync(Ct);

        // The mesures behind a figure are no longer as many as it says.
        var of = (await AsEspace.GetSserReturnAsync(request)).SserReturn;
        Assert.Equal(6, Value(of, "MESURES_NOUVELLES"));
        Assert.Contains(of.Flags, f => f.Code == SurveyFlagCode.DonneesChangees);
    }

    private async Task OpenAsync(int year = 2025) =>
        await AsStatistician.OpenSurveyCampaignAsync(new() { Year = year, DueDate = new DateOnly(2026, 5, 31).ToProto(), RequestId = NewId() });

    private async Task ValidatedAsync(Guid gestionnaire, int year = 2025)
    {
        var of = (await Of(Roles.Espace, gestionnaire).GenerateSserReturnAsync(new() { GestionnaireId = gestionnaire.ToString(), Year = year, RequestId = NewId() })).SserReturn;
        await Of(Roles.Espace, gestionnaire, person: true).ValidateSserReturnAsync(new() { GestionnaireId = gestionnaire.ToString(), Year = year, Etag = of.Etag, RequestId = NewId() });
    }

    /// <summary>Six mesures of a gestionnaire, enough to be told.</summary>
    private async Task SeveralAsync(Guid gestionnaire)
    {
        for (var i = 0; i < 6; i++)
        {
            await OtherAsync($"transmitted_at = '2025-02-01 12:00Z', gestionnaire_id = '{gestionnaire}'");
        }
    }
}
