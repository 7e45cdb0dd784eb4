using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Espaces;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Search;

/// <summary>
/// Anonymous questions whether an espace has room: answered from the directory while what it knows is fresh, put to the espace
/// only when it is not, and only once for all who ask the same. No name, no commune, no birth date is ever part of one.
/// </summary>
internal sealed class CapacityEnquiries(DirectoryDbContext db, SnapshotSource snapshots, Commands<DirectoryDbContext> commands, TimeProvider clock)
{
    /// <summary>Questions that one organisation may put to espaces within 24 hours: whoever asks them all loads their staff.</summary>
    public const int MostInADay = 100;

    public async Task<RequestCapacityResponse> RequestAsync(RequestCapacityRequest request, ServerCallContext call)
    {
        var snapshot = await snapshots.GetAsync(call.CancellationToken);
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        check.That(request.Mesure is null or { HoteCommuneInsee.Length: 0 }, "mesure.hote_commune_insee", "must be empty: the espace needs no commune to answer");
        check.That(request.Mesure is null or { VisiteurCommuneInsee.Length: 0 }, "mesure.visiteur_commune_insee", "must be empty: the espace needs no commune to answer");
        var needs = MesureProfiles.Check(check, request.Mesure, snapshot.Geography, clock.TodayInParis());
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return await commands.RunAsync(call, request, requestId, async ct =>
        {
            var caller = call.Caller();
            caller.Require(null, espaceId: espaceId);
            var espace = snapshot.Find(espaceId) ?? throw DomainError.NotFound($"espaces/{espaceId}");
            if (!Array.Exists(espace.Facts.Agrements, a => a.Days.Contains(needs.Decision)))
                throw DomainError.EspaceNotDesignable(espaceId, "no agrément is valid on the decision date");

            var now = clock.GetStoredNow();
            string[] situations = [.. request.Mesure!.Situations.Distinct().Order().Select(s => s.ToCode())];
            var known = CapacityAnswers.Of(espace.Facts, espace.OfferOf(needs.Modalite), espace.Offers, needs);
            var row = await SaidBeforeAsync(known) ?? (known is null ? await AskAsync() : New(known.Value.FreshUntil.PlusDays(1).StartInParis()));
            if (row.AnsweredAt is null && known is { } answer)
            {
                (row.Answer, row.AnsweredBy, row.AnsweredAt) = (answer.Answer, EnquiryAnsweredBy.Directory, now);
                (row.WaitDays, row.WaitingFamilies) = (answer.Wait, answer.WaitingFamilies);
            }
            if (db.Entry(row).State == EntityState.Detached)
                db.CapacityEnquiries.Add(row);
            return new RequestCapacityResponse { Enquiry = ToProto(row, now) };

            CapacityEnquiryRow New(DateTimeOffset expiresAt, Guid? joinedId = null) => new()
            {
                Id = Guid.CreateVersion7(now),
                EspaceId = espaceId,
                RequesterId = caller.OrganisationId,
                Modalite = needs.Modalite,
                YoungestAge = needs.YoungestAge,
                OldestAge = needs.OldestAge,
                ChildCount = needs.Children,
                Situations = situations,
                ProtectionOrder = needs.ProtectionOrder,
                CreatedAt = now,
                ExpiresAt = expiresAt,
                JoinedId = joinedId,
                Version = 1,
            };

            // The same question, still open or with an answer that still holds: the espace sees no more of a mesure than this.
            async Task<List<CapacityEnquiryRow>> SameQuestionAsync() => (await db.CapacityEnquiries
                .Where(q => q.EspaceId == espaceId && q.Modalite == needs.Modalite && q.ExpiresAt > now && q.AnsweredBy != EnquiryAnsweredBy.Directory
                    && q.YoungestAge == needs.YoungestAge && q.OldestAge == needs.OldestAge && q.ChildCount == needs.Children
                    && q.ProtectionOrder == needs.ProtectionOrder)
                .OrderByDescending(q => q.AnsweredAt).ThenBy(q => q.Id).ToListAsync(ct)).FindAll(q => q.Situations.SequenceEqual(situations));

            // What the espace itself said to this holds, above all a no, until it says the modalité anew.
            async Task<CapacityEnquiryRow?> SaidBeforeAsync(KnownCapacity? directory)
            {
                if (directory is { Answer: CapacityAnswer.NoCapacity }
                    || (await SameQuestionAsync()).Find(q => q is { JoinedId: null, AnsweredAt: not null }) is not { AnsweredAt: { } at } said
                    || (directory is not null && said.Answer is not (CapacityAnswer.NoCapacity or CapacityAnswer.AssessmentRequired)))
                    return null;
                var code = needs.Modalite.ToCode();
                if (await db.EspaceGroups.AnyAsync(g => g.EspaceId == espaceId && g.Group == EspaceGroup.Modalite && g.Key == code && g.SaidAt > at, ct))
                    return null;
                var row = New(said.ExpiresAt, said.Id);
                Answer(row, said.Answer!.Value, said.WaitDays, said.WaitingFamilies, at, said.ExpiresAt);
                return row;
            }

            async Task<CapacityEnquiryRow> AskAsync()
            {
                await db.Database.BeginTransactionAsync(ct);
                await LockQuestionsAsync(espaceId, ct);
                var open = (await SameQuestionAsync()).FindAll(q => q.AnsweredAt is null);
                if (open.Find(q => q.RequesterId == caller.OrganisationId) is { } mine)
                    return mine;
                if (open.Find(q => q.JoinedId is null) is { } first)
                    return New(first.ExpiresAt, first.Id);
                var since = now.AddDays(-1);
                var asked = await db.CapacityEnquiries.CountAsync(
                    q => q.RequesterId == caller.OrganisationId && q.CreatedAt > since && q.JoinedId == null && q.AnsweredBy != EnquiryAnsweredBy.Directory, ct);
                if (asked >= MostInADay)
                    throw DomainError.LimitExceeded("an organisation may put 100 enquiries to espaces within 24 hours", TimeSpan.FromHours(1));
                var row = New(now.AddDays(CapacityAnswers.PendingDays));
                db.Publish(new CapacityEnquiryOpened
                {
                    EventId = Guid.CreateVersion7(now),
                    AggregateId = row.Id,
                    AggregateVersion = row.Version,
                    OccurredAt = now,
                    RecordedAt = now,
                    CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
                    GestionnaireId = espace.GestionnaireId,
                    EspaceId = espaceId,
                    Modalite = needs.Modalite.ToCode(),
                    ExpiresAt = row.ExpiresAt,
                });
                return row;
            }
        }, r => $"enquiries/{r.Enquiry.EnquiryId}");
    }

    public Task<AnswerCapacityResponse> AnswerAsync(AnswerCapacityRequest request, ServerCallContext call)
    {
        var check = new FieldChecks();
        var id = check.Uuid("enquiry_id", request.EnquiryId);
        var answer = check.Known("answer", request.Answer);
        if (request.HasWaitDays)
            check.Range("wait_days", request.WaitDays, 0, Wait.MaxDays);
        if (request.HasWaitingFamilies)
            check.Range("waiting_families", request.WaitingFamilies, 0, 5000);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();

        return commands.RunAsync(call, request, requestId, async ct =>
        {
            var caller = call.Caller();
            var asked = await db.CapacityEnquiries.Where(q => q.Id == id).Select(q => new { First = q.JoinedId ?? q.Id, q.EspaceId }).SingleOrDefaultAsync(ct);
            await db.BeginEspaceWriteAsync(asked?.EspaceId ?? Guid.Empty, ct);
            if (asked is not null)
                await LockQuestionsAsync(asked.EspaceId, ct);
            // Agréments and lieux for the event that tells others of a changed state.
            var rows = asked is null ? [] : await db.CapacityEnquiries.Where(q => q.Id == asked.First || (q.JoinedId == asked.First && q.AnsweredAt == null))
                .Include(q => q.Espace).ThenInclude(e => e.Modalites).Include(q => q.Espace).ThenInclude(e => e.Groups)
                .Include(q => q.Espace).ThenInclude(e => e.Agrements).Include(q => q.Espace).ThenInclude(e => e.Lieux)
                .AsSplitQuery().OrderBy(q => q.JoinedId != null).ThenBy(q => q.Id).ToListAsync(ct);
            caller.RequireEspace(rows.FirstOrDefault()?.Espace);
            if (rows.Count == 0)
                throw DomainError.NotFound($"enquiries/{id}");
            var now = clock.GetStoredNow();
            var first = rows[0];
            var state = CapacityAnswers.StateOf(first.AnsweredAt is not null, first.ExpiresAt, now);
            if (state != EnquiryState.Pending)
                throw DomainError.StateForbids(state.ToCode(), "ANSWER_CAPACITY", "the enquiry is answered or expired");

            // Whoever asked the same meanwhile is answered too.
            foreach (var row in rows)
            {
                Answer(
                    row, answer, request.HasWaitDays ? request.WaitDays : null, request.HasWaitingFamilies ? request.WaitingFamilies : null,
                    now, now.AddDays(CapacityAnswers.AnswerDays));
                row.Version++;
                db.Publish(new CapacityEnquiryAnswered
                {
                    EventId = Guid.CreateVersion7(now),
                    AggregateId = row.Id,
                    AggregateVersion = row.Version,
                    OccurredAt = now,
                    RecordedAt = now,
                    CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
                    GestionnaireId = row.Espace.GestionnaireId,
                    RequesterId = row.RequesterId,
                    EspaceId = row.EspaceId,
                    Modalite = row.Modalite.ToCode(),
                    Answer = answer.ToCode(),
                });
            }
            Refresh(first, Speaker.Of(caller), now);
            return new AnswerCapacityResponse { Enquiry = ToProto(rows.Find(q => q.Id == id) ?? first, now) };
        }, _ => $"enquiries/{id}");
    }

    public async Task<GetCapacityEnquiryResponse> GetAsync(GetCapacityEnquiryRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var id = check.Uuid("enquiry_id", request.EnquiryId);
        check.ThrowIfAny();
        var row = await db.CapacityEnquiries.AsNoTracking().Include(q => q.Espace).SingleOrDefaultAsync(q => q.Id == id, ct);
        if (!caller.MayTouch(row?.RequesterId))
            caller.RequireEspace(row?.Espace);
        return new GetCapacityEnquiryResponse { Enquiry = ToProto(row ?? throw DomainError.NotFound($"enquiries/{id}"), clock.GetUtcNow()) };
    }

    // Questions to one espace are put and answered one after the other, so that none joins one that is just being answered.
    private Task<int> LockQuestionsAsync(Guid espaceId, CancellationToken ct) =>
        db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended('directory:enquiries:' || {espaceId}::text, 0))", ct);

    private static void Answer(CapacityEnquiryRow row, CapacityAnswer answer, int? waitDays, int? waitingFamilies, DateTimeOffset at, DateTimeOffset expiresAt)
    {
        (row.Answer, row.AnsweredBy, row.AnsweredAt) = (answer, EnquiryAnsweredBy.Espace, at);
        (row.WaitDays, row.WaitingFamilies, row.ExpiresAt) = (waitDays, waitingFamilies, expiresAt);
    }

    // What the espace answers to one, it says to all: through the same way as every other change of it.
    private void Refresh(CapacityEnquiryRow row, Speaker speaker, DateTimeOffset now)
    {
        if (row.Espace.Modalites.SingleOrDefault(m => m.Modalite == row.Modalite) is not { } offered)
            return;
        var edit = EspaceEdit.Begin(row.Espace, EspaceGroup.Modalite, EspaceGroup.Attente);
        var state = row.Answer switch
        {
            CapacityAnswer.WaitingList => ModaliteState.ListeAttente,
            // Few places are places too.
            CapacityAnswer.HasCapacity => offered.State == ModaliteState.Limitee ? ModaliteState.Limitee : ModaliteState.Ouverte,
            // A no to children of certain ages or with certain needs says nothing of the others.
            CapacityAnswer.NoCapacity when row is { YoungestAge: null, ChildCount: 0, Situations.Length: 0, ProtectionOrder: false } => ModaliteState.Complete,
            _ => offered.State,
        };
        var saysState = row.Answer is CapacityAnswer.WaitingList or CapacityAnswer.HasCapacity || state != offered.State;
        offered.State = state;
        if (row.WaitingFamilies is { } families)
            offered.WaitingFamilies = families;
        var waited = row.WaitDays is { } days && offered.Declare(new Wait(days, now.DayInParis()), speaker.Source);
        var code = row.Modalite.ToCode();
        edit.Conclude(db, speaker, now, confirms: key => key.Key == code && (key.Group == EspaceGroup.Modalite ? saysState : waited));
        if (row.WaitDays is { } declared)
            WaitDeclarations.Record(db, row.Espace, row.Modalite, new Wait(declared, now.DayInParis()), speaker, now);
    }

    private static CapacityEnquiry ToProto(CapacityEnquiryRow row, DateTimeOffset now)
    {
        var enquiry = new CapacityEnquiry
        {
            EnquiryId = row.Id.ToString(),
            EspaceId = row.EspaceId.ToString(),
            Modalite = row.Modalite,
            State = CapacityAnswers.StateOf(row.AnsweredAt is not null, row.ExpiresAt, now),
            Answer = row.Answer ?? CapacityAnswer.Unspecified,
            AnsweredBy = row.AnsweredBy ?? EnquiryAnsweredBy.Unspecified,
            CreateTime = row.CreatedAt.ToProto(),
            AnswerTime = row.AnsweredAt.ToProto(),
            ExpireTime = row.ExpiresAt.ToProto(),
            ChildCount = row.ChildCount,
            ProtectionOrder = row.ProtectionOrder,
        };
        if (row.WaitDays is { } days)
            enquiry.WaitDays = days;
        if (row.WaitingFamilies is { } families)
            enquiry.WaitingFamilies = families;
        if (row.YoungestAge is { } youngest)
            enquiry.YoungestAge = youngest;
        if (row.OldestAge is { } oldest)
            enquiry.OldestAge = oldest;
        enquiry.Situations.Add(row.Situations.Select(ProtoConversions.FromCode<SituationParticuliere>));
        return enquiry;
    }
}
