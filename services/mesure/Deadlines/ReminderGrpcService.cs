using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Deadlines;

/// <summary>Who was reminded of a mesure.</summary>
internal sealed class ReminderGrpcService(MesuresDbContext db, MesureActs acts, PageTokens tokens) : ReminderService.ReminderServiceBase
{
    public override async Task<ListRemindersResponse> ListReminders(ListRemindersRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var size = check.PageSize(request.PageSize, 100, 500);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        await acts.LoadAsync(mesureId, caller, ct);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(request.PageToken, binding);

        var reminders = db.Reminders.AsNoTracking().Where(r => r.MesureId == mesureId);
        if (cursor is not null)
        {
            reminders = reminders.Where(r => EF.Functions.GreaterThan(ValueTuple.Create(r.RemindedAt, r.Id), ValueTuple.Create(cursor.RemindedAt, cursor.Id)));
        }

        var page = await reminders.OrderBy(r => r.RemindedAt).ThenBy(r => r.Id).Take(size + 1).ToListAsync(ct);
        var response = new ListRemindersResponse();
        response.Reminders.AddRange(page.Take(size).Select(r => r.ToProto()));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].RemindedAt, page[size - 1].Id), binding);
        }

        return response;
    }

    private sealed record Cursor(DateTimeOffset RemindedAt, Guid Id);
}
