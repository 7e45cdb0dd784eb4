using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain.Survey;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using SserReturn = Jafer.Mesures.Domain.Survey.SserReturn;

namespace Jafer.Mesures.Survey;

/// <summary>Keeps the returns of gestionnaires: each change is a version of its own.</summary>
internal sealed class SserReturns(
    MesuresDbContext db, Commands<MesuresDbContext> commands, SurveyFigures figures, TimeProvider clock)
{
    /// <summary>Name of a return, for the journal and for errors.</summary>
    public static string NameOf(Guid gestionnaireId, int year) => $"organisations/{gestionnaireId}/sser-returns/{year}";

    /// <summary>A return to look at; null when there is none.</summary>
    public Task<SserReturn?> FindAsync(Guid gestionnaireId, int year, CancellationToken ct) =>
        db.SserReturns.AsNoTracking().SingleOrDefaultAsync(r => r.GestionnaireId == gestionnaireId && r.Year == year, ct);

    /// <summary>Changes a return in a command, and keeps the version.</summary>
    /// <param name="call">The call.</param>
    /// <param name="request">Its request.</param>
    /// <param name="requestId">Id of the request.</param>
    /// <param name="of">Which return, and whether one is made where there is none.</param>
    /// <param name="act">The act; false when nothing is other than it was.</param>
    /// <param name="respond">Makes the response.</param>
    public Task<TResponse> ChangeAsync<TResponse>(
        ServerCallContext call, IMessage request, Guid requestId, (Guid GestionnaireId, int Year, bool Make) of, Func<SserReturn, DateTimeOffset, CancellationToken, Task<bool>> act,
        Func<Contracts.Mesure.V1.SserReturn, TResponse> respond)
        where TResponse : class, IMessage<TResponse>, new() => commands.RunAsync(call, request, requestId, async ct =>
        {
            var now = clock.GetStoredNow();
            await HoldAsync([of.Year], ct);
            await RequireOpenAsync(of.Year, ct);
            var row = await db.SserReturns.SingleOrDefaultAsync(r => r.GestionnaireId == of.GestionnaireId && r.Year == of.Year, ct);
            if (row is null && !of.Make)
            {
                throw DomainError.NotFound(NameOf(of.GestionnaireId, of.Year));
            }

            if (row is null)
            {
                row = new SserReturn { GestionnaireId = of.GestionnaireId, Year = of.Year };
                db.SserReturns.Add(row);
            }

            if (await act(row, now, ct))
            {
                Keep(row, call.Caller().OrganisationId, now);
            }

            return respond(await ReviewedAsync(row, call.Caller(), ct));
        }, _ => NameOf(of.GestionnaireId, of.Year));

    /// <summary>Begins a transaction until whose end no campaign of these years is closed: what it changes is in what is published, or refused.</summary>
    /// <param name="years">The years.</param>
    /// <param name="ct">Cancellation.</param>
    public Task HoldAsync(IEnumerable<int> years, CancellationToken ct) => LockAsync("select pg_advisory_xact_lock_shared(hashtextextended({0}, 0))", years, ct);

    /// <summary>Begins the transaction that closes a campaign: returns of its year are changed before it or not at all.</summary>
    /// <param name="year">The year.</param>
    /// <param name="ct">Cancellation.</param>
    public Task HoldAloneAsync(int year, CancellationToken ct) => LockAsync("select pg_advisory_xact_lock(hashtextextended({0}, 0))", [year], ct);

    /// <summary>Keeps a return as it stands now as a version.</summary>
    /// <param name="row">The return.</param>
    /// <param name="organisationId">By whose call.</param>
    /// <param name="now">Now.</param>
    public void Keep(SserReturn row, Guid organisationId, DateTimeOffset now) => db.SserReturnVersions.Add(SserReturnVersion.Of(row, organisationId, now));

    /// <summary>A return with what a reader should know of it.</summary>
    /// <param name="of">The return.</param>
    /// <param name="caller">The reader.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<Contracts.Mesure.V1.SserReturn> ReviewedAsync(SserReturn of, Caller caller, CancellationToken ct)
    {
        var before = await BeforeAsync(of, ct);
        var over = IsOver(of.Year);
        var closed = await db.SurveyCampaigns.AnyAsync(c => c.Year == of.Year && c.State == SurveyCampaignState.Closed, ct);
        // What the mesures say today is compared for who may see them, also of a closed year: it no longer changes, what is behind it does.
        var counted = caller.Tenancy == Tenancy.Own ? await figures.OfAsync(caller, of.GestionnaireId, of.Year, ct) : null;
        var proto = of.ToProto(!over || !closed);
        proto.Flags.AddRange(ReturnReview.Flags(of, before, over, counted).Select(f => new SurveyFlag { Code = f.Code, Count = f.Count, FigureCode = f.Figure }));
        proto.Equation = ReturnReview.Balance(of, before)?.ToProto();
        return proto;
    }

    /// <summary>The return of the year before; null where there is none yet.</summary>
    /// <param name="of">The return.</param>
    /// <param name="ct">Cancellation.</param>
    public Task<SserReturn?> BeforeAsync(SserReturn of, CancellationToken ct) =>
        db.SserReturns.AsNoTracking().SingleOrDefaultAsync(r => r.GestionnaireId == of.GestionnaireId && r.Year == of.Year - 1 && r.State != SserReturnState.Missing, ct);

    /// <summary>Whether a year is over.</summary>
    public bool IsOver(int year) => year < clock.TodayInParis().Year;

    private async Task LockAsync(string statement, IEnumerable<int> years, CancellationToken ct)
    {
        if (db.Database.CurrentTransaction is null)
        {
            await db.Database.BeginTransactionAsync(ct);
        }

        foreach (var year in years.Order())
        {
            await db.Database.ExecuteSqlRawAsync(statement, [string.Create(CultureInfo.InvariantCulture, $"mesure:survey-campaign:{year}")], ct);
        }
    }

    private async Task RequireOpenAsync(int year, CancellationToken ct)
    {
        if (await db.SurveyCampaigns.AsNoTracking().SingleOrDefaultAsync(c => c.Year == year, ct) is { IsClosed: true } campaign)
        {
            throw DomainError.StateForbids(campaign.State.ToCode(), "CHANGE_SSER_RETURN", "the campaign of the year is closed");
        }
    }
}
