using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain.Survey;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Campaign = Jafer.Mesures.Domain.Survey.SurveyCampaign;

namespace Jafer.Mesures.Survey;

internal sealed partial class SurveyGrpcService
{
    private const int MaxFigures = 400;
    private const int MaxImportBytes = 2 << 20;
    private const int MaxMistakes = 100;

    private sealed record YearCursor(int Year);

    public override Task<RecordSserReturnResponse> RecordSserReturn(RecordSserReturnRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var gestionnaireId = check.Uuid("gestionnaire_id", request.GestionnaireId);
        var year = check.Range("year", request.Year, SurveyCatalogue.FirstYear, clock.TodayInParis().Year - 1);
        check.That(request.Figures.Count is > 0 and <= MaxFigures, "figures", "must be 1 to 400");
        var values = new Dictionary<string, long>();
        foreach (var (i, figure) in request.Figures.Take(MaxFigures).Index())
        {
            var path = MesureChecks.Index("figures", i);
            Figure(check, $"{path}.code", figure.Code);
            check.That(figure.Value is >= 0 and <= MaxValue, $"{path}.value", "must be from 0 to 1000000000");
            check.That(values.TryAdd(figure.Code, figure.Value), $"{path}.code", "stands twice");
        }

        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return returns.ChangeAsync(
            context, request, requestId, (gestionnaireId, year, true), async (of, now, ct) =>
            {
                await RequireGestionnaireAsync(gestionnaireId, ct);
                return of.Record(values, SserReturnSource.Typed, now);
            },
            of => new RecordSserReturnResponse { SserReturn = of });
    }

    public override async Task<ImportSserReturnsResponse> ImportSserReturns(ImportSserReturnsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        check.That(request.Content.Length is > 0 and <= MaxImportBytes, "content", "must be 1 byte to 2 MiB");
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        var organisationId = context.Caller().OrganisationId;
        return await commands.RunAsync(context, request, requestId, async ct =>
        {
            var now = clock.GetStoredNow();
            var mistakes = new List<CsvMistake>();
            var (imported, lines) = await SurveyImport.ReadAsync(request.Content.Memory, clock.TodayInParis().Year - 1, mistakes, ct);
            var response = new ImportSserReturnsResponse { LineCount = lines };
            var years = imported.Select(i => i.Year).Distinct().ToArray();
            await returns.HoldAsync(years, ct);
            var closed = await db.SurveyCampaigns.AsNoTracking().Where(c => years.Contains(c.Year)).ToDictionaryAsync(c => c.Year, ct);
            var known = (await db.SserReturns.Where(r => years.Contains(r.Year)).ToListAsync(ct)).ToDictionary(r => (r.GestionnaireId, r.Year));
            var national = (await db.NationalFigures.Where(f => years.Contains(f.Year)).ToListAsync(ct)).ToDictionary(f => (f.Year, f.Code));
            var ids = imported.Where(i => i.GestionnaireId is not null).Select(i => i.GestionnaireId!.Value).Distinct().ToArray();
            var gestionnaires = await db.Espaces.AsNoTracking().Where(e => ids.Contains(e.GestionnaireId)).Select(e => e.GestionnaireId)
                .Union(db.Organisations.AsNoTracking().Where(o => ids.Contains(o.Id) && o.Kind == "GESTIONNAIRE").Select(o => o.Id)).ToHashSetAsync(ct);
            foreach (var of in imported)
            {
                if (closed.TryGetValue(of.Year, out var campaign) && (of.GestionnaireId is null || campaign.IsClosed))
                {
                    mistakes.Add(new CsvMistake(of.Line, "year", of.GestionnaireId is null ? "a campaign asks for this year" : "the campaign of the year is closed"));
                }
                else if (of.GestionnaireId is null)
                {
                    response.NationalCount += TakeOfNation(of, national);
                }
                else if (!gestionnaires.Contains(of.GestionnaireId.Value))
                {
                    mistakes.Add(new CsvMistake(of.Line, "gestionnaire_id", "is no gestionnaire that Jafer knows"));
                }
                else if (known.GetValueOrDefault((of.GestionnaireId.Value, of.Year)) is { IsItsOwn: true })
                {
                    mistakes.Add(new CsvMistake(of.Line, "gestionnaire_id", "corrected or validated a return of its own for this year"));
                }
                else
                {
                    Take(of, known, response, organisationId, now);
                }
            }

            if (mistakes.Count > 0)
            {
                throw DomainError.Invalid([.. mistakes.OrderBy(m => m.Line).Take(MaxMistakes).Select(m => new FieldViolation(
                    "content", string.Create(CultureInfo.InvariantCulture, $"line {m.Line}{(m.Column.Length > 0 ? ", " : "")}{m.Column}: {m.Description}")))]);
            }

            if (request.DryRun)
            {
                db.ChangeTracker.Clear();
            }

            return response;
        }, _ => "sser-returns");
    }

    public override Task<OpenSurveyCampaignResponse> OpenSurveyCampaign(OpenSurveyCampaignRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var today = clock.TodayInParis();
        var year = check.Range("year", request.Year, SurveyCatalogue.FirstYear, today.Year - 1);
        var due = check.Date("due_date", request.DueDate);
        check.That(due >= today && due <= today.AddYears(1), "due_date", "must lie from today to a year ahead");
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var now = clock.GetStoredNow();
            if (await db.SurveyCampaigns.AsNoTracking().SingleOrDefaultAsync(c => c.Year == year, ct) is { } before)
            {
                throw DomainError.StateForbids(before.State.ToCode(), "OPEN_SURVEY_CAMPAIGN", "there is one of this year");
            }

            var campaign = new Campaign { Year = year, DueDate = due, OpenedAt = now };
            db.SurveyCampaigns.Add(campaign);
            await fold.FoldAsync(ct);
            await campaigns.AskAsync(campaign, context.Caller().OrganisationId, now, ct);
            return new OpenSurveyCampaignResponse { Campaign = ToProto(campaign, States(db.ChangeTracker.Entries<Domain.Survey.SserReturn>().Select(e => e.Entity).Where(r => r.Asked))) };
        }, _ => NameOf(year));
    }

    public override Task<RemindSurveyCampaignResponse> RemindSurveyCampaign(RemindSurveyCampaignRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var year = Year(check, request.Year);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var now = clock.GetStoredNow();
            var campaign = await CampaignAsync(year, ct);
            campaign.Remind(now);
            var reminded = await campaigns.RemindAsync(campaign, now, ct);
            return new RemindSurveyCampaignResponse { Campaign = ToProto(campaign, (await campaigns.StatesAsync([year], ct))[year]), RemindedCount = reminded };
        }, _ => NameOf(year));
    }

    public override Task<CloseSurveyCampaignResponse> CloseSurveyCampaign(CloseSurveyCampaignRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var year = Year(check, request.Year);
        var etag = check.Etag(request.Etag);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var now = clock.GetStoredNow();
            await returns.HoldAloneAsync(year, ct);
            var campaign = await CampaignAsync(year, ct);
            if (etag is { } read && read != campaign.Version)
            {
                throw DomainError.EtagMismatch(campaign.Version.ToEtag());
            }

            campaign.Close(now);
            // What is published is compared with the year before, and stays so.
            if (await db.SurveyCampaigns.AnyAsync(c => c.Year == year - 1 && c.State == SurveyCampaignState.Open, ct))
            {
                throw DomainError.StateForbids(SurveyCampaignState.Open.ToCode(), "CLOSE_SURVEY_CAMPAIGN", "the campaign of the year before is open");
            }

            await fold.FoldAsync(ct);
            var rows = await campaigns.ImputeAsync(year, context.Caller().OrganisationId, now, ct);
            if (rows.Count == 0)
            {
                throw DomainError.StateForbids(SurveyCampaignState.Open.ToCode(), "CLOSE_SURVEY_CAMPAIGN", "nobody validated: there is nothing to impute by");
            }

            campaign.Publish((await PublicationAsync(year, NationOf(rows), ct)).ToByteArray());
            return new CloseSurveyCampaignResponse { Campaign = ToProto(campaign, States(rows.Where(r => r.Asked))) };
        }, _ => NameOf(year));
    }

    public override async Task<GetSurveyCampaignResponse> GetSurveyCampaign(GetSurveyCampaignRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var year = Year(check, request.Year);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        return new GetSurveyCampaignResponse { Campaign = ToProto(await CampaignAsync(year, ct), (await StatesForAsync([year], context))[year]) };
    }

    public override async Task<ListSurveyCampaignsResponse> ListSurveyCampaigns(ListSurveyCampaignsRequest request, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(context.Caller().OrganisationId, request);
        var cursor = tokens.Read<YearCursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        var page = await db.SurveyCampaigns.AsNoTracking().Where(c => cursor == null || c.Year < cursor.Year).OrderByDescending(c => c.Year).Take(size + 1).ToListAsync(ct);
        var response = new ListSurveyCampaignsResponse();
        var states = await StatesForAsync([.. page.Take(size).Select(c => c.Year)], context);
        response.Campaigns.AddRange(page.Take(size).Select(c => ToProto(c, states[c.Year])));

        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new YearCursor(page[size - 1].Year), binding);
        }

        return response;
    }

    private static string NameOf(int year) => string.Create(CultureInfo.InvariantCulture, $"survey-campaigns/{year}");

    private static IEnumerable<(SserReturnState State, int Count)> States(IEnumerable<Domain.Survey.SserReturn> rows) =>
        rows.GroupBy(r => r.State).OrderBy(g => g.Key).Select(g => (g.Key, g.Count()));

    private static Contracts.Mesure.V1.SurveyCampaign ToProto(Campaign of, IEnumerable<(SserReturnState State, int Count)> states)
    {
        var proto = new Contracts.Mesure.V1.SurveyCampaign
        {
            Year = of.Year,
            State = of.State,
            DueDate = of.DueDate.ToProto(),
            OpenTime = of.OpenedAt.ToProto(),
            CloseTime = of.ClosedAt?.ToProto(),
            RemindTime = of.RemindedAt?.ToProto(),
            Etag = of.Version.ToEtag(),
        };
        proto.States.AddRange(states.Select(s => new SurveyStateCount { State = s.State, Count = s.Count }));
        proto.AskedCount = proto.States.Sum(s => s.Count);
        return proto;
    }

    private async Task<Campaign> CampaignAsync(int year, CancellationToken ct) =>
        await db.SurveyCampaigns.SingleOrDefaultAsync(c => c.Year == year, ct) ?? throw DomainError.NotFound(NameOf(year));

    // How others stand is the statistician's and the operator's affair.
    private Task<ILookup<int, (SserReturnState State, int Count)>> StatesForAsync(int[] years, ServerCallContext context) =>
        campaigns.StatesAsync(context.Caller().Role == Roles.Espace ? [] : years, context.CancellationToken);

    private async Task RequireGestionnaireAsync(Guid id, CancellationToken ct)
    {
        if (!await db.Espaces.AnyAsync(e => e.GestionnaireId == id, ct) && !await db.Organisations.AnyAsync(o => o.Id == id && o.Kind == "GESTIONNAIRE", ct))
        {
            throw DomainError.NotFound($"organisations/{id}");
        }
    }

    private int TakeOfNation(ImportedReturn of, Dictionary<(int Year, string Code), NationalFigure> known)
    {
        var changed = 0;
        foreach (var (code, value) in of.Figures)
        {
            if (!known.TryGetValue((of.Year, code), out var figure))
            {
                db.NationalFigures.Add(new NationalFigure { Year = of.Year, Code = code, Value = value });
                changed++;
            }
            else if (figure.Value != value)
            {
                figure.Value = value;
                changed++;
            }
        }

        return changed;
    }

    private void Take(ImportedReturn of, Dictionary<(Guid, int), Domain.Survey.SserReturn> known, ImportSserReturnsResponse response, Guid organisationId, DateTimeOffset now)
    {
        if (known.TryGetValue((of.GestionnaireId!.Value, of.Year), out var row))
        {
            if (!row.Record(of.Figures, SserReturnSource.Imported, now))
            {
                response.UnchangedCount++;
                return;
            }

            response.UpdatedCount++;
        }
        else
        {
            row = new Domain.Survey.SserReturn { GestionnaireId = of.GestionnaireId.Value, Year = of.Year };
            row.Record(of.Figures, SserReturnSource.Imported, now);
            db.SserReturns.Add(row);
            response.CreatedCount++;
        }

        returns.Keep(row, organisationId, now);
    }
}
