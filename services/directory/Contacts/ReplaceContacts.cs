using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Espaces;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Jafer.Directory.Contacts;

/// <summary>Replaces the professional contacts of an organisation.</summary>
internal sealed class ReplaceContacts(DirectoryDbContext db, Commands<DirectoryDbContext> commands, IOptions<EscalationOptions> escalation, TimeProvider clock)
{
    public Task<ReplaceContactsResponse> HandleAsync(ReplaceContactsRequest request, ServerCallContext call)
    {
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        check.That(request.Contacts.Count > 0, "contacts", "must have at least one entry");
        ContactChecks.Check(check, "contacts", request.Contacts);
        var etag = check.Etag(request.Etag);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(call, request, requestId, async ct =>
        {
            await call.Caller().RequireWholeAsync(db, organisation, ct);
            if (await db.Gestionnaires.AnyAsync(g => g.Id == organisation, ct))
                return await OfGestionnaireAsync(organisation, request, etag, Speaker.Of(call.Caller()), ct);
            var court = await db.Courts.SingleOrDefaultAsync(c => c.OrganisationId == organisation, ct);
            if (court is null && organisation != escalation.Value.OperatorId)
                throw DomainError.NotFound($"organisations/{organisation}");
            if (court is null)
            {
                // No row of the operator's own counts the changes: one after the other, each with what it read.
                await db.Database.BeginTransactionAsync(ct);
                await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended('directory:contacts-of-the-operator', 0))", ct);
            }
            var held = await db.Contacts.Where(c => c.OrganisationId == organisation).ToListAsync(ct);
            Require(etag, court?.ContactsVersion ?? ContactParts.Digest(held));
            var contacts = held.ToList();
            if (ContactParts.Replace(contacts, organisation, request.Contacts) && court is not null)
                court.ContactsVersion++;
            db.Contacts.AddRange(contacts.Except(held));
            db.Contacts.RemoveRange(held.Except(contacts));
            return new ReplaceContactsResponse
            {
                ContactCount = request.Contacts.Count,
                Etag = (court?.ContactsVersion ?? ContactParts.Digest(contacts)).ToEtag(),
            };
        }, _ => $"organisations/{organisation}");
    }

    // Contacts are a group of each of its espaces: who gave them and when is kept, never what they were. The same again
    // confirms them.
    private async Task<ReplaceContactsResponse> OfGestionnaireAsync(
        Guid gestionnaireId, ReplaceContactsRequest request, long? etag, Speaker speaker, CancellationToken ct)
    {
        await db.BeginGestionnaireWriteAsync(gestionnaireId, ct);
        var gestionnaire = await db.Gestionnaires.Include(g => g.Contacts).SingleAsync(g => g.Id == gestionnaireId, ct);
        Require(etag, gestionnaire.ContactsVersion);
        var espaces = await db.Espaces.Include(e => e.Groups).Where(e => e.GestionnaireId == gestionnaireId).ToListAsync(ct);
        var edits = espaces.ConvertAll(e => EspaceEdit.Begin(e, EspaceGroup.Contacts));
        if (ContactParts.Replace(gestionnaire.Contacts, gestionnaireId, request.Contacts))
        {
            gestionnaire.ContactsVersion++;
            gestionnaire.Version++;
            gestionnaire.UpdatedAt = clock.GetStoredNow();
        }
        foreach (var edit in edits)
            edit.Conclude(db, speaker, clock.GetStoredNow(), confirms: _ => true);
        return new ReplaceContactsResponse { ContactCount = request.Contacts.Count, Etag = gestionnaire.ContactsVersion.ToEtag() };
    }

    private static void Require(long? read, long held)
    {
        if (read is { } version && version != held)
            throw DomainError.EtagMismatch(held.ToEtag());
    }
}
