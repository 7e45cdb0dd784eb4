using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Contacts;

/// <summary>Replaces the professional contacts of an organisation.</summary>
internal sealed class ReplaceContacts(DirectoryDbContext db, Commands<DirectoryDbContext> commands)
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
            if (!await db.Courts.AnyAsync(c => c.OrganisationId == organisation, ct) && !await db.Gestionnaires.AnyAsync(g => g.Id == organisation, ct))
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
}
