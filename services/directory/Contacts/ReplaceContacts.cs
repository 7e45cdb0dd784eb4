using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Espaces;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Contacts;

/// <summary>Replaces the professional contacts of an organisation.</summary>
internal sealed class ReplaceContacts(DirectoryDbContext db, Commands<DirectoryDbContext> commands, TimeProvider clock)
{
    public Task<ReplaceContactsResponse> HandleAsync(ReplaceContactsRequest request, ServerCallContext call)
    {
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        check.That(request.Contacts.Count > 0, "contacts", "must have at least one entry");
        ContactChecks.Check(check, "contacts", request.Contacts);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(call, request, requestId, async ct =>
        {
            call.Caller().Require(organisation);
            if (await db.Gestionnaires.AnyAsync(g => g.Id == organisation, ct))
                return await OfGestionnaireAsync(organisation, request, Speaker.Of(call.Caller()), ct);
            if (!await db.Courts.AnyAsync(c => c.OrganisationId == organisation, ct))
                throw DomainError.NotFound($"organisations/{organisation}");
            var held = await db.Contacts.Where(c => c.OrganisationId == organisation).ToDictionaryAsync(c => c.ExternalId, StringComparer.Ordinal, ct);
            foreach (var contact in request.Contacts)
            {
                if (held.Remove(contact.ExternalId, out var row))
                    (row.Email, row.Role) = (contact.Email, contact.Role);
                else
                    db.Contacts.Add(new ContactRow { OrganisationId = organisation, ExternalId = contact.ExternalId, Email = contact.Email, Role = contact.Role });
            }
            db.Contacts.RemoveRange(held.Values);
            return new ReplaceContactsResponse { ContactCount = request.Contacts.Count };
        }, _ => $"organisations/{organisation}");
    }

    // Contacts are a group of each of its espaces: who gave them and when is kept, never what they were.
    private async Task<ReplaceContactsResponse> OfGestionnaireAsync(Guid gestionnaireId, ReplaceContactsRequest request, Speaker speaker, CancellationToken ct)
    {
        await db.BeginEspaceWriteAsync(ct);
        var gestionnaire = await db.Gestionnaires.Include(g => g.Contacts).SingleAsync(g => g.Id == gestionnaireId, ct);
        var espaces = await db.Espaces.Include(e => e.Groups).Where(e => e.GestionnaireId == gestionnaireId).ToListAsync(ct);
        var edits = espaces.ConvertAll(e => EspaceEdit.Begin(e, EspaceGroup.Contacts));
        EspaceParts.Merge(gestionnaire.Contacts, request.Contacts, c => c.ExternalId, (c, _) => c.ExternalId,
            (c, _) => new ContactRow { OrganisationId = gestionnaireId, ExternalId = c.ExternalId, Email = c.Email, Role = c.Role },
            (existing, c, _) => (existing.Email, existing.Role) = (c.Email, c.Role));
        foreach (var edit in edits)
            edit.Conclude(db, speaker, clock.GetStoredNow());
        return new ReplaceContactsResponse { ContactCount = request.Contacts.Count };
    }
}
