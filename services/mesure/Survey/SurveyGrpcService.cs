using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain.Survey;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Survey;

/// <summary>The national survey: the return of each gestionnaire. The campaign and the figures of the nation stand in the other parts.</summary>
internal sealed partial class SurveyGrpcService(
    MesuresDbContext db, SserReturns returns, SurveyCampaigns campaigns, SurveyFigures figures, SurveyFold fold, DirectoryDeclarations declarations,
    WithheldPatterns patterns, Commands<MesuresDbContext> commands, PageTokens tokens, TimeProvider clock)
    : SurveyService.SurveyServiceBase
{
    private const int MaxCorrections = 200;
    private const long MaxValue = 1_000_000_000;

    private sealed record Cursor(Guid Id);

    public override Task<GetSurveyDefinitionsResponse> GetSurveyDefinitions(GetSurveyDefinitionsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var year = Year(check, request.Year);
        check.ThrowIfAny();
        var response = new GetSurveyDefinitionsResponse();
        response.Definitions.AddRange(SurveyCatalogue.BuiltIn.Of(year).Select(d => d.ToProto()));
        response.Figures.AddRange(SurveyCatalogue.BuiltIn.Figures.Select(f => f.ToProto()));
        return Task.FromResult(response);
    }

    public override async Task<GenerateSserReturnResponse> GenerateSserReturn(GenerateSserReturnRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var gestionnaireId = check.Uuid("gestionnaire_id", request.GestionnaireId);
        var year = Year(check, request.Year);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        var caller = context.Caller();
        caller.Require(gestionnaireId);
        var ct = context.CancellationToken;
        // What was acknowledged until now is in it.
        await fold.FoldAsync(ct);
        var counted = await figures.OfAsync(caller, gestionnaireId, year, ct);
        var declared = await declarations.OfAsync(gestionnaireId, year, ct);
        var definitions = SurveyCatalogue.BuiltIn.Of(year).Select(d => d.Name).ToArray();
        return await returns.ChangeAsync(
            context, request, requestId, (gestionnaireId, year, true), (of, now, _) => Task.FromResult(of.Generate(counted, declared, definitions, now)), of =>
            {
                if (declared is null)
                {
                    of.Flags.Add(new SurveyFlag { Code = SurveyFlagCode.PersonnelNonLu });
                }

                return new GenerateSserReturnResponse { SserReturn = of };
            });
    }

    public override async Task<GetSserReturnResponse> GetSserReturn(GetSserReturnRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var gestionnaireId = check.Uuid("gestionnaire_id", request.GestionnaireId);
        var year = Year(check, request.Year);
        check.ThrowIfAny();
        var of = await FindAsync(gestionnaireId, year, context);
        return new GetSserReturnResponse { SserReturn = await returns.ReviewedAsync(of, context.Caller(), context.CancellationToken) };
    }

    public override async Task<GetSserReturnFileResponse> GetSserReturnFile(GetSserReturnFileRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var gestionnaireId = check.Uuid("gestionnaire_id", request.GestionnaireId);
        var year = Year(check, request.Year);
        var format = check.Known("format", request.Format);
        check.ThrowIfAny();
        var of = await FindAsync(gestionnaireId, year, context);
        var csv = format == SserReturnFormat.Csv;
        var content = csv ? SserReturnFile.Csv(of) : SserReturnFile.Json(of, ReturnReview.Balance(of, await returns.BeforeAsync(of, context.CancellationToken)));
        return new GetSserReturnFileResponse
        {
            Content = UnsafeByteOperations.UnsafeWrap(content),
            MediaType = csv ? "text/csv" : "application/json",
            FileName = string.Create(CultureInfo.InvariantCulture, $"sser-{year}-{gestionnaireId}.{(csv ? "csv" : "json")}"),
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)),
        };
    }

    public override async Task<ListSserReturnsResponse> ListSserReturns(ListSserReturnsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var year = Year(check, request.Year);
        var state = check.KnownOrUnspecified("state", request.State);
        var only = request.FigureCode.Length == 0 ? null : Figure(check, "figure_code", request.FigureCode);
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        var rows = db.SserReturns.AsNoTracking().Where(r => r.Year == year);
        if (caller.Tenancy == Tenancy.Own)
        {
            rows = rows.Where(r => r.GestionnaireId == caller.OrganisationId);
        }

        if (state != SserReturnState.Unspecified)
        {
            rows = rows.Where(r => r.State == state);
        }

        if (cursor is not null)
        {
            rows = rows.Where(r => r.GestionnaireId > cursor.Id);
        }

        var page = await rows.OrderBy(r => r.GestionnaireId).Take(size + 1).ToListAsync(ct);
        var provisional = await IsProvisionalAsync(year, ct);
        var response = new ListSserReturnsResponse();
        response.SserReturns.AddRange(page.Take(size).Select(r => r.ToProto(provisional, only?.Code ?? "")));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].GestionnaireId), binding);
        }

        return response;
    }

    public override async Task<ListSurveyMesuresResponse> ListSurveyMesures(ListSurveyMesuresRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var gestionnaireId = check.Uuid("gestionnaire_id", request.GestionnaireId);
        var year = Year(check, request.Year);
        var figure = Figure(check, "figure_code", request.FigureCode);
        check.That(figure is null or { IsCounted: true }, "figure_code", "counts no mesures: it is declared");
        var size = check.PageSize(request.PageSize, 50, 500);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        caller.Require(gestionnaireId);
        var (mesures, total) = await figures.BehindAsync(caller, gestionnaireId, year, figure!.Number, cursor?.Id ?? Guid.Empty, size + 1, context.CancellationToken);
        var response = new ListSurveyMesuresResponse { Total = total };
        response.Mesures.AddRange(mesures.Take(size).Select(m => new SurveyMesure { MesureId = m.MesureId.ToString(), Count = m.Count }));
        if (mesures.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(mesures[size - 1].MesureId), binding);
        }

        return response;
    }

    public override Task<CorrectSserReturnResponse> CorrectSserReturn(CorrectSserReturnRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var gestionnaireId = check.Uuid("gestionnaire_id", request.GestionnaireId);
        var year = Year(check, request.Year);
        check.That(request.Corrections.Count is > 0 and <= MaxCorrections, "corrections", "must be 1 to 200");
        var corrections = new List<FigureCorrection>();
        var codes = new HashSet<string>();
        foreach (var (i, correction) in request.Corrections.Take(MaxCorrections).Index())
        {
            var path = MesureChecks.Index("corrections", i);
            Figure(check, $"{path}.code", correction.Code);
            check.That(codes.Add(correction.Code), $"{path}.code", "stands twice");
            if (!correction.Remove)
            {
                check.That(correction.Value is >= 0 and <= MaxValue, $"{path}.value", "must be from 0 to 1000000000");
                check.Known($"{path}.reason", correction.Reason);
            }

            corrections.Add(new FigureCorrection(correction.Code, correction.Remove ? null : correction.Value, correction.Reason));
        }

        var etag = check.Etag(request.Etag);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        context.Caller().Require(gestionnaireId);
        return returns.ChangeAsync(
            context, request, requestId, (gestionnaireId, year, false),
            (of, _, _) =>
            {
                RequireVersion(of, etag);
                of.Correct(corrections);
                return Task.FromResult(true);
            },
            of => new CorrectSserReturnResponse { SserReturn = of });
    }

    public override Task<ValidateSserReturnResponse> ValidateSserReturn(ValidateSserReturnRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var gestionnaireId = check.Uuid("gestionnaire_id", request.GestionnaireId);
        var year = Year(check, request.Year);
        check.That(request.Etag.Length > 0, "etag", "is required");
        var etag = check.Etag(request.Etag);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        context.Caller().Require(gestionnaireId);
        return returns.ChangeAsync(
            context, request, requestId, (gestionnaireId, year, false),
            (of, now, _) =>
            {
                RequireVersion(of, etag);
                if (!returns.IsOver(year))
                {
                    throw DomainError.StateForbids(of.State.ToCode(), "VALIDATE_SSER_RETURN", "the year is not over");
                }

                of.Validate(now);
                return Task.FromResult(true);
            },
            of => new ValidateSserReturnResponse { SserReturn = of });
    }

    public override Task<ReopenSserReturnResponse> ReopenSserReturn(ReopenSserReturnRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var gestionnaireId = check.Uuid("gestionnaire_id", request.GestionnaireId);
        var year = Year(check, request.Year);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        context.Caller().Require(gestionnaireId);
        return returns.ChangeAsync(
            context, request, requestId, (gestionnaireId, year, false),
            (of, _, _) =>
            {
                of.Reopen(byItself: context.Caller().Tenancy == Tenancy.Own);
                return Task.FromResult(true);
            },
            of => new ReopenSserReturnResponse { SserReturn = of });
    }

    private static void RequireVersion(Domain.Survey.SserReturn of, long? etag)
    {
        if (etag is { } read && read != of.Version)
        {
            throw DomainError.EtagMismatch(of.Version.ToEtag());
        }
    }

    private static SurveyFigureRow? Figure(FieldChecks check, string field, string code)
    {
        var figure = SurveyCatalogue.BuiltIn.Find(code);
        check.That(figure is not null, field, "is no figure of the survey");
        return figure;
    }

    private int Year(FieldChecks check, int year, string field = "year") => check.Range(field, year, SurveyCatalogue.FirstYear, clock.TodayInParis().Year);

    private async Task<Domain.Survey.SserReturn> FindAsync(Guid gestionnaireId, int year, ServerCallContext context)
    {
        context.Caller().Require(gestionnaireId);
        return await returns.FindAsync(gestionnaireId, year, context.CancellationToken) ?? throw DomainError.NotFound(SserReturns.NameOf(gestionnaireId, year));
    }

    private async Task<bool> IsProvisionalAsync(int year, CancellationToken ct) =>
        !returns.IsOver(year) || !await db.SurveyCampaigns.AnyAsync(c => c.Year == year && c.State == SurveyCampaignState.Closed, ct);
}
