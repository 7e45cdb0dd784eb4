using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Retention;

/// <summary>Erases what concerns persons in one mesure, in the transaction of its event. Written by the model, so that sealed columns stay sealed.</summary>
internal sealed class Erasure(MesuresDbContext db, Mesure mesure, DateTimeOffset now)
{
    /// <summary>Erases the files.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task OfFilesAsync(CancellationToken ct)
    {
        await EraseDocumentsAsync(ct);
        mesure.EraseFiles(now);
    }

    /// <summary>Erases everything, the files as well.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task OfContentAsync(CancellationToken ct)
    {
        var id = mesure.Id;
        var began = mesure.Decision.Date ?? mesure.CreatedAt.DayInParis();
        await EraseDocumentsAsync(ct);
        await db.Parties.Where(p => p.MesureId == id).ExecuteUpdateAsync(set => set
            .SetProperty(p => p.GivenName, "").SetProperty(p => p.FamilyName, "").SetProperty(p => p.Phone, "").SetProperty(p => p.Email, "")
            .SetProperty(p => p.Address, "").SetProperty(p => p.CommuneInsee, "").SetProperty(p => p.AddressProtected, false)
            .SetProperty(p => p.Needs, Array.Empty<Contracts.Mesure.V1.PartyNeed>()).SetProperty(p => p.InterpreterLanguage, "")
            .SetProperty(p => p.IdentityIndex, (string?)null), ct);
        foreach (var child in await db.Children.AsNoTracking().Where(c => c.MesureId == id).ToListAsync(ct))
        {
            var age = child.BirthDate is { } birth ? Child.AgeOn(began, birth) : child.AgeAtDecision;
            await db.Children.Where(c => c.Id == child.Id).ExecuteUpdateAsync(set => set
                .SetProperty(c => c.GivenName, "").SetProperty(c => c.FamilyName, "").SetProperty(c => c.BirthDate, (DateOnly?)null)
                .SetProperty(c => c.AgeAtDecision, age).SetProperty(c => c.Needs, Array.Empty<Contracts.Mesure.V1.ChildNeed>())
                .SetProperty(c => c.IdentityIndex, (string?)null).SetProperty(c => c.ReturnIndex, (string?)null), ct);
        }

        // Which children came at all is counted: their ids say nothing by now. Who was late, and how late, is not.
        IReadOnlyList<Attendance> nobody = [];
        await db.Rencontres.Where(r => r.MesureId == id).ExecuteUpdateAsync(set => set
            .SetProperty(r => r.Presences, nobody).SetProperty(r => r.ExternalId, (string?)null).SetProperty(r => r.SourceSystem, (string?)null), ct);
        await db.Difficulties.Where(d => d.MesureId == id).ExecuteUpdateAsync(set => set
            .SetProperty(d => d.Comment, "").SetProperty(d => d.AnswerComment, ""), ct);
        await db.InformationExchanges.Where(x => x.MesureId == id).ExecuteUpdateAsync(set => set
            .SetProperty(x => x.Question, "").SetProperty(x => x.Answer, ""), ct);
        foreach (var version in await db.DecisionVersions.AsNoTracking().Where(v => v.MesureId == id).ToListAsync(ct))
        {
            var anonymous = version.Content.Anonymous();
            await db.DecisionVersions.Where(v => v.MesureId == id && v.Number == version.Number)
                .ExecuteUpdateAsync(set => set.SetProperty(v => v.Content, anonymous), ct);
        }

        await db.IntakeItems.Where(i => i.MesureId == id).ExecuteDeleteAsync(ct);
        await db.Database.ExecuteSqlAsync($"select set_config('jafer.retention', 'on', true)", ct);
        await db.Database.ExecuteSqlAsync($$"""
            update mesure_facts set actor_subject = null, external_id = null,
                details = case when details #> '{before,presences}' is null then details else jsonb_set(details, '{before,presences}', '[]') end
            where mesure_id = {{id}} and (actor_subject is not null or external_id is not null or details #> '{before,presences}' is not null)
            """, ct);
        mesure.Anonymise(now);
    }

    /// <summary>The rows go, and the bytes with them, unless a mesure that follows reads the same.</summary>
    private async Task EraseDocumentsAsync(CancellationToken ct)
    {
        await db.Database.ExecuteSqlAsync($"""
            update decision_documents set erased_at = {now} where mesure_id = {mesure.Id} and erased_at is null;
            delete from decision_document_chunks c where c.document_id in (
                select d.content_id from decision_documents d where d.mesure_id = {mesure.Id}
                    and not exists (select from decision_documents o where o.content_id = d.content_id and o.erased_at is null));
            delete from decision_documents d where d.content_id in (
                select e.content_id from decision_documents e where e.mesure_id = {mesure.Id}
                    and not exists (select from decision_documents o where o.content_id = e.content_id and o.erased_at is null))
            """, ct);
    }
}
