using Google.Protobuf.Collections;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.Directory.Search;
using Jafer.Directory.Upkeep;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Proto = Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Espaces;

/// <summary>Changes the fields of an espace that its mask names.</summary>
internal sealed class UpdateEspace(
    DirectoryDbContext db, Commands<DirectoryDbContext> commands, SnapshotSource snapshots, UpkeepSignal upkeep, TimeProvider clock)
{
    // Fields that may be changed, and the group that each belongs to.
    private static readonly Dictionary<string, EspaceGroup> s_fields = new(StringComparer.Ordinal)
    {
        ["name"] = EspaceGroup.Identite,
        ["state"] = EspaceGroup.Identite,
        ["gestionnaire_name"] = EspaceGroup.Identite,
        ["gestionnaire_siret"] = EspaceGroup.Identite,
        ["legal_form"] = EspaceGroup.Identite,
        ["federation"] = EspaceGroup.Identite,
        ["agrements"] = EspaceGroup.Agrement,
        ["lieux"] = EspaceGroup.Lieux,
        ["modalites"] = EspaceGroup.Modalite,
        ["alert_text"] = EspaceGroup.Accueil,
        ["accueil"] = EspaceGroup.Accueil,
        ["ouvertures"] = EspaceGroup.Ouvertures,
        ["fermetures"] = EspaceGroup.Ouvertures,
    };

    private static readonly string[] s_ofGestionnaire = ["gestionnaire_name", "gestionnaire_siret", "legal_form", "federation"];

    public async Task<UpdateEspaceResponse> HandleAsync(UpdateEspaceRequest request, ServerCallContext call)
    {
        var geography = await snapshots.GeographyAsync(call.CancellationToken);
        var wanted = request.Espace ?? new Espace();
        var mask = (request.UpdateMask?.Paths ?? []).ToHashSet(StringComparer.Ordinal);
        var check = new FieldChecks();
        check.That(request.Espace is not null, "espace", "is required");
        var espaceId = request.Espace is null ? Guid.Empty : check.Uuid("espace.espace_id", wanted.EspaceId);
        check.That(mask.Count > 0, "update_mask", "is required");
        check.That(mask.All(s_fields.ContainsKey), "update_mask", "names a field that cannot be changed");
        CheckFields(check, wanted, mask, geography);
        var etag = check.Etag(request.Etag);
        var requestId = check.RequestId(request.RequestId);
        if (espaceId == Guid.Empty || requestId == Guid.Empty)
            check.ThrowIfAny();

        var response = await commands.RunAsync(call, request, requestId, async ct =>
        {
            var caller = call.Caller();
            await BeginAsync(espaceId, mask, ct);
            var row = await db.WholeEspaces.SingleOrDefaultAsync(e => e.Id == espaceId, ct);
            caller.RequireEspace(row);
            if (row is null)
                throw DomainError.NotFound($"espaces/{espaceId}");
            if (mask.Overlaps(s_ofGestionnaire))
                await caller.RequireWholeAsync(db, row.GestionnaireId, ct);
            // What the request says is checked together with what stays, so that every mistake is told at once.
            var held = HeldParts.Of(row, clock.TodayInParis());
            var agrements = Agrements(check, held, wanted.Agrements, mask, decides: caller.Tenancy != Tenancy.Own && row.PrefectureId is null);
            CheckReferences(check, row, wanted, agrements, mask, geography, held);
            if (mask.Contains("gestionnaire_siret") && wanted.GestionnaireSiret != row.Gestionnaire.Siret)
                check.That(!await db.Gestionnaires.AnyAsync(g => g.Siret == wanted.GestionnaireSiret, ct), "espace.gestionnaire_siret", "is that of another gestionnaire");
            check.ThrowIfAny();
            if (etag is { } read && read != row.Version)
                throw DomainError.EtagMismatch(row.Version.ToEtag());

            var now = clock.GetStoredNow();
            var edits = new Dictionary<EspaceRow, EspaceEdit> { [row] = EspaceEdit.Begin(row, EspaceEdit.AllGroups) };
            if (mask.Overlaps(s_ofGestionnaire))
                await ChangeGestionnaireAsync(row, wanted, mask, edits, now, ct);
            Apply(row, wanted, agrements, mask, geography);
            var said = mask.Select(field => s_fields[field]).ToHashSet();
            foreach (var (espace, edit) in edits)
            {
                edit.Conclude(db, Speaker.Of(caller), now, confirms: key => espace == row && said.Contains(key.Group)
                    && (key.Group != EspaceGroup.Modalite || wanted.Modalites.Any(m => m.Modalite.ToCode() == key.Key)));
            }
            return new UpdateEspaceResponse { Espace = row.ToProto(geography, clock.TodayInParis()) };
        }, _ => $"espaces/{espaceId}");
        if (mask.Contains("agrements"))
            upkeep.Notify();
        return response;
    }

    private async Task BeginAsync(Guid espaceId, HashSet<string> mask, CancellationToken ct)
    {
        if (!mask.Overlaps(s_ofGestionnaire))
        {
            await db.BeginEspaceWriteAsync(espaceId, ct);
            return;
        }
        if (mask.Contains("gestionnaire_siret"))
            await db.BeginIdentityWriteAsync(ct);
        await db.BeginGestionnaireWriteAsync(await db.Espaces.Where(e => e.Id == espaceId).Select(e => e.GestionnaireId).SingleOrDefaultAsync(ct), ct);
    }

    private void CheckFields(FieldChecks check, Espace wanted, HashSet<string> mask, Geography geography)
    {
        if (mask.Contains("name"))
            check.Text("espace.name", wanted.Name, EspaceChecks.MaxName, required: true);
        if (mask.Contains("state"))
            check.Known("espace.state", wanted.State);
        if (mask.Contains("gestionnaire_name"))
            check.Text("espace.gestionnaire_name", wanted.GestionnaireName, EspaceChecks.MaxName, required: true);
        if (mask.Contains("gestionnaire_siret"))
            check.That(Siret.IsValid(wanted.GestionnaireSiret), "espace.gestionnaire_siret", "must be a SIRET of 14 digits with a valid key");
        if (mask.Contains("legal_form"))
            check.KnownOrUnspecified("espace.legal_form", wanted.LegalForm);
        if (mask.Contains("federation"))
            check.KnownOrUnspecified("espace.federation", wanted.Federation);
        if (mask.Contains("lieux"))
            EspaceChecks.Lieux(check, "espace.lieux", wanted.Lieux, geography);
        if (mask.Contains("modalites"))
        {
            check.That(wanted.Modalites.Count > 0, "espace.modalites", "must have at least one entry");
            EspaceChecks.Modalites(check, "espace.modalites", wanted.Modalites, LocalTime.LatestToday(clock));
        }
        if (mask.Contains("alert_text"))
            check.Text("espace.alert_text", wanted.AlertText, EspaceChecks.MaxAlert);
        if (mask.Contains("accueil"))
            EspaceChecks.Accueil(check, "espace.accueil", wanted.Accueil, geography);
    }

    // Agréments, schedule and closures name lieux: those of the request, or those that stay.
    private void CheckReferences(
        FieldChecks check, EspaceRow row, Espace wanted, IReadOnlyList<Proto.Agrement> agrements, HashSet<string> mask, Geography geography, HeldParts held)
    {
        var lieux = (mask.Contains("lieux") ? wanted.Lieux.Select(l => l.ExternalId) : row.Lieux.Select(l => l.ExternalId)).ToHashSet(StringComparer.Ordinal);
        if (mask.Contains("lieux"))
            EspaceChecks.LieuxWithin(check, "espace.lieux", wanted.Lieux, row.Departement, geography, held);
        if (mask.Contains("agrements"))
            EspaceChecks.Agrements(check, "espace.agrements", agrements, lieux, row.Departement, geography, LocalTime.LatestToday(clock), held);
        if (mask.Contains("ouvertures"))
            EspaceChecks.Ouvertures(check, "espace.ouvertures", wanted.Ouvertures, lieux, Offered(row, wanted, mask), held);
        if (mask.Contains("fermetures"))
            EspaceChecks.Fermetures(check, "espace.fermetures", wanted.Fermetures, lieux);
        if (!mask.Contains("lieux"))
            return;
        check.That(mask.Contains("agrements") || row.Agrements.All(a => lieux.IsSupersetOf(a.LieuExternalIds)), "espace.lieux", "must keep the lieux that an agrément covers");
        check.That(mask.Contains("ouvertures") || row.Ouvertures.All(o => lieux.Contains(o.LieuExternalId)), "espace.lieux", "must keep the lieux that the schedule names");
        check.That(
            mask.Contains("fermetures") || row.Fermetures.All(f => f.LieuExternalId.Length == 0 || lieux.Contains(f.LieuExternalId)),
            "espace.lieux", "must keep the lieux that a closure names");
    }

    // Modalités of the request are added to those that stay.
    private static HashSet<Modalite> Offered(EspaceRow row, Espace wanted, HashSet<string> mask) =>
        [.. row.Modalites.Select(m => m.Modalite), .. mask.Contains("modalites") ? wanted.Modalites.Select(m => m.Modalite) : []];

    // What a client read comes back as it was shown on the day; it is held as it was recorded. The espace itself may only add
    // that it asked: what the préfet decided stays. So it does for operators where the préfecture records it itself.
    private static List<Proto.Agrement> Agrements(FieldChecks check, HeldParts held, RepeatedField<Proto.Agrement> wanted, HashSet<string> mask, bool decides)
    {
        if (!mask.Contains("agrements"))
            return [.. held.Agrements];
        var known = held.Find(wanted);
        for (var i = 0; i < wanted.Count; i++)
        {
            check.That(
                decides || known[i] is not null || wanted[i].State == AgrementState.Demande,
                $"espace.agrements[{i}].state", "must be DEMANDE: what the préfet decides is recorded by the préfecture, or an operator");
        }
        check.That(
            decides || held.Agrements.All(a => a.State == AgrementState.Demande || known.Any(k => ReferenceEquals(k, a))),
            "espace.agrements", "must keep what the préfet decided");
        return [.. wanted.Select((a, i) => known[i] ?? a)];
    }

    private async Task ChangeGestionnaireAsync(
        EspaceRow row, Espace wanted, HashSet<string> mask, Dictionary<EspaceRow, EspaceEdit> edits, DateTimeOffset now, CancellationToken ct)
    {
        // What is said of the gestionnaire holds for all its espaces.
        foreach (var sibling in await db.WholeEspaces.Where(e => e.GestionnaireId == row.GestionnaireId && e.Id != row.Id).ToListAsync(ct))
            edits.Add(sibling, EspaceEdit.Begin(sibling, EspaceEdit.AllGroups));
        var gestionnaire = row.Gestionnaire;
        if (mask.Contains("gestionnaire_name"))
            gestionnaire.Name = wanted.GestionnaireName;
        if (mask.Contains("gestionnaire_siret"))
            gestionnaire.Siret = wanted.GestionnaireSiret;
        if (mask.Contains("legal_form"))
            gestionnaire.LegalForm = wanted.LegalForm;
        if (mask.Contains("federation"))
            gestionnaire.Federation = wanted.Federation;
        if (db.Entry(gestionnaire).State == EntityState.Unchanged)
            return;
        gestionnaire.UpdatedAt = now;
        gestionnaire.Version++;
    }

    private static void Apply(EspaceRow row, Espace wanted, IReadOnlyList<Proto.Agrement> agrements, HashSet<string> mask, Geography geography)
    {
        if (mask.Contains("name"))
            row.Name = wanted.Name;
        if (mask.Contains("state"))
            row.State = wanted.State;
        if (mask.Contains("alert_text"))
            row.AlertText = EspaceParts.Said(wanted.AlertText);
        if (mask.Contains("agrements"))
            EspaceParts.Apply(row, agrements);
        if (mask.Contains("lieux"))
            EspaceParts.Apply(row, wanted.Lieux, geography);
        if (mask.Contains("modalites"))
            EspaceParts.Apply(row, wanted.Modalites, removeOthers: false);
        if (mask.Contains("accueil"))
            EspaceParts.Apply(row, wanted.Accueil);
        if (mask.Contains("ouvertures"))
            EspaceParts.Apply(row, wanted.Ouvertures);
        if (mask.Contains("fermetures"))
            EspaceParts.Apply(row, wanted.Fermetures);
    }
}
