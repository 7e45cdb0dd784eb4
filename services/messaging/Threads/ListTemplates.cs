using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Messaging.Threads;

internal sealed partial class MessagingGrpcService
{
    public override Task<ListTemplatesResponse> ListTemplates(ListTemplatesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var kind = check.KnownOrUnspecified("thread_kind", request.ThreadKind);
        var pageSize = check.PageSize(request.PageSize, DefaultPageSize, MaxPageSize);
        check.ThrowIfAny();

        var caller = context.Caller();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var after = pageTokens.Read<TemplateCursor>(request.PageToken, binding)?.Code ?? "";
        var side = caller.Role switch
        {
            Roles.Juridiction => AuthorKind.Juridiction,
            Roles.Operateur => AuthorKind.Operateur,
            _ => AuthorKind.Espace,
        };
        var all = TemplateBook.CurrentOf(side)
            .Where(t => (kind == ThreadKind.Unspecified || t.ThreadKind == kind) && string.CompareOrdinal(t.Code, after) > 0)
            .ToList();
        var response = new ListTemplatesResponse();
        response.Templates.AddRange(all.Take(pageSize).Select(ToProto));
        if (all.Count > pageSize)
        {
            response.NextPageToken = pageTokens.Protect(new TemplateCursor(all[pageSize - 1].Code), binding);
        }

        return Task.FromResult(response);
    }

    private static Template ToProto(MessageTemplate template)
    {
        var proto = new Template
        {
            Code = template.Code,
            Version = template.Version,
            AuthorKind = template.AuthorKind,
            ThreadKind = template.ThreadKind,
            MessageKind = template.MessageKind,
            Title = template.Title,
            Body = template.Body,
            AnswerWithinDays = template.AnswerWithinDays,
        };
        proto.Placeholders.AddRange(template.Placeholders);
        return proto;
    }

    private sealed record TemplateCursor(string Code);
}
