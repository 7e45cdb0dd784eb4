using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Documents.Printing;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Printing;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Documents;

internal sealed partial class DocumentGrpcService
{
    public override async Task<GetParentNoticeResponse> GetParentNotice(GetParentNoticeRequest request, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var role = check.Known("party_role", request.PartyRole);
        check.That(role != PartyRole.Enfant, "party_role", "must be the hôte or the visiteur");
        check.ThrowIfAny();
        var mesure = await acts.LoadAsync(mesureId, context.Caller(), ct);
        var state = mesure.Status.State.ToCode();
        var decision = mesure.Decision;
        if (mesure.Nature != MesureNature.Judiciaire)
        {
            throw DomainError.StateForbids(state, "GET_PARENT_NOTICE", "no judge ordered the mesure: there was no hearing");
        }

        var espaceId = mesure.EspaceId ?? throw DomainError.StateForbids(state, "GET_PARENT_NOTICE", "the mesure names no espace");
        var decided = decision.Date ?? throw DomainError.StateForbids(state, "GET_PARENT_NOTICE", "the decision is not rendered yet");
        if (mesure.Status.ClosedAt is not null)
        {
            throw DomainError.StateForbids(state, "GET_PARENT_NOTICE", "the mesure is closed");
        }

        var reader = await db.Parties.AsNoTracking().Where(p => p.MesureId == mesureId && p.Role == role)
            .Select(p => new NoticeReader(p.Role, p.Kind, p.GivenName, p.FamilyName)).SingleOrDefaultAsync(ct)
            ?? throw DomainError.Invalid("party_role", "is not a party of the mesure");
        var versions = await db.DecisionVersions.AsNoTracking().Where(v => v.MesureId == mesureId).OrderBy(v => v.Number).ToListAsync(ct);
        decision = versions.InForceOn(clock.TodayInParis(), decision);
        var now = clock.GetStoredNow();
        var welcome = await directory.OfAsync(espaceId, ct);
        var ordered = new NoticedMesure(
            mesure.Reference, decided, decision.ContactDeadline, decision.Modalite, decision.DurationMonths, decision.TermStart,
            decision.PeriodicityCount, decision.PeriodicityInterval, decision.PeriodicityUnit, decision.RencontreMinutes,
            await db.Children.CountAsync(c => c.MesureId == mesureId, ct), decision.DurationFrom);
        var notice = ParentNotice.Write(ordered, reader, welcome, await AppointmentAsync(mesureId, role, now, ct), now);
        return new GetParentNoticeResponse { Html = HtmlWriter.Write(notice), Pdf = Pdf(notice), DirectoryAvailable = welcome is not null };
    }

    public override async Task<GetFactualNoteResponse> GetFactualNote(GetFactualNoteRequest request, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        check.ThrowIfAny();
        var mesure = await acts.LoadAsync(mesureId, context.Caller(), ct);
        if (mesure.GestionnaireId is null)
        {
            throw DomainError.StateForbids(mesure.Status.State.ToCode(), "GET_FACTUAL_NOTE", "no espace has received the mesure yet");
        }

        var note = FactualNotes.Write(
            mesure,
            await db.Parties.AsNoTracking().Where(p => p.MesureId == mesureId).ToListAsync(ct),
            await db.Children.AsNoTracking().Where(c => c.MesureId == mesureId).OrderBy(c => c.Position).ToListAsync(ct),
            await db.Rencontres.AsNoTracking().Where(r => r.MesureId == mesureId).OrderBy(r => r.StartsAt).ThenBy(r => r.Id).ToListAsync(ct),
            await db.Facts.AsNoTracking().Where(f => f.MesureId == mesureId).OrderBy(f => f.Version).ToListAsync(ct),
            clock.GetStoredNow());
        var espace = mesure.EspaceId is { } espaceId ? await db.EspaceAsync(espaceId, ct) : null;
        var page = FactualNotePage.Write(note, espace?.TimeZone ?? "Europe/Paris");
        return new GetFactualNoteResponse { Note = note, Html = HtmlWriter.Write(page), Pdf = Pdf(page) };
    }

    /// <summary>The next interview that is booked for a party; null when none is.</summary>
    private Task<Appointment?> AppointmentAsync(Guid mesureId, PartyRole role, DateTimeOffset now, CancellationToken ct) =>
        db.Interviews.Where(i => i.MesureId == mesureId && i.PartyRole == role && i.State == InterviewState.Booked && i.StartsAt > now)
            .OrderBy(i => i.StartsAt)
            .Select(i => new Appointment(i.StartsAt, i.TimeZone, i.DurationMinutes, i.LieuId))
            .FirstOrDefaultAsync(ct);

    private static Google.Protobuf.ByteString Pdf(PrintedDocument document) => Google.Protobuf.UnsafeByteOperations.UnsafeWrap(PdfWriter.Write(document));
}
