using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Jafer.Directory.Contacts;

/// <summary>Lists the professional contacts of an organisation.</summary>
internal sealed class ListContacts(DirectoryDbContext db, PageTokens tokens, IOptions<EscalationOptions> escalation)
{
    private sealed record Cursor(string ExternalId);

    public async Task<ListContactsResponse> HandleAsync(ListContactsRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        var pageSize = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var after = tokens.Read<Cursor>(check, request.PageToken, binding)?.ExternalId ?? "";
        check.ThrowIfAny();
        caller.RequireOrganisation(organisation);

        // Before the contacts: who reads in the middle of a change is told of it when writing.
        var version = await db.Gestionnaires.Where(g => g.Id == organisation).Select(g => g.ContactsVersion)
            .Concat(db.Courts.Where(c => c.OrganisationId == organisation).Select(c => c.ContactsVersion)).FirstOrDefaultAsync(ct);
        if (organisation == escalation.Value.OperatorId && version == 0)
            version = ContactParts.Digest(await db.Contacts.AsNoTracking().Where(c => c.OrganisationId == organisation).ToListAsync(ct));
        var rows = await db.Contacts.AsNoTracking()
            .Where(c => c.OrganisationId == organisation && c.ExternalId.CompareTo(after) > 0)
            .OrderBy(c => c.ExternalId).Take(pageSize + 1).ToListAsync(ct);
        var response = new ListContactsResponse { Etag = version.ToEtag() };
        response.Contacts.Add(rows.Take(pageSize).Select(ContactParts.ToProto));
        if (rows.Count > pageSize)
            response.NextPageToken = tokens.Protect(new Cursor(rows[pageSize - 1].ExternalId), binding);
        return response;
    }
}
