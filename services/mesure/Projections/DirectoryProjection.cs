using Jafer.Contracts;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Projections;

/// <summary>
/// Keeps what this service needs of the directory, and warns the open mesures of an espace, or of a lieu, that lost its agrément.
/// Older versions than the one held are ignored.
/// </summary>
internal sealed class DirectoryProjection(MesureActs acts, TimeProvider clock)
{
    /// <summary>Events that are handled.</summary>
    public static readonly Type[] Subscriptions = [typeof(EspacePublished), typeof(OrganisationPublished), typeof(AgrementEnded), typeof(AgrementLieuEnded)];

    public async Task HandleAsync(MesuresDbContext db, DomainEvent message, CancellationToken ct)
    {
        switch (message)
        {
            case EspacePublished espace:
                await ApplyAsync(db, espace, ct);
                break;
            case OrganisationPublished organisation:
                var known = await db.Organisations.FindAsync([organisation.AggregateId], ct);
                if (known is null)
                {
                    db.Organisations.Add(new OrganisationView { Id = organisation.AggregateId, Kind = organisation.Kind, Code = organisation.Code });
                }
                else
                {
                    known.Kind = organisation.Kind;
                    known.Code = organisation.Code;
                }

                break;
            case AgrementEnded ended:
                await WarnAsync(db.Mesures, ended, null, ended.LastDay);
                break;
            case AgrementLieuEnded ended:
                // Those that have a rencontre to come there, or had their last one there.
                await WarnAsync(
                    db.Mesures.Where(m => db.Rencontres.Any(r => r.MesureId == m.Id && r.LieuId == ended.LieuId && r.Outcome == RencontreOutcome.Scheduled)
                        || db.Rencontres.Where(r => r.MesureId == m.Id && r.Outcome == RencontreOutcome.Held)
                            .OrderByDescending(r => r.StartsAt).Select(r => r.LieuId).FirstOrDefault() == ended.LieuId),
                    ended, ended.LieuId, ended.LastDay);
                break;
            default:
                throw new InvalidOperationException($"{message.GetType().Name} is not subscribed to");
        }

        // Drafts that mean to designate the espace are warned too; one that was warned of the same day is left alone. No row is
        // locked beforehand: acts write their fact first, so a lock would wait crosswise with them. Whoever meets an act in the
        // middle tries again, as the inbox does.
        async Task WarnAsync(IQueryable<Domain.Mesure> among, DomainEvent ended, Guid? lieuId, DateOnly lastDay)
        {
            var mesures = await among.Where(m => m.EspaceId == ended.AggregateId && m.Status.State != MesureState.Cloturee).OrderBy(m => m.Id).ToListAsync(ct);
            var now = clock.GetStoredNow();
            foreach (var mesure in mesures.Where(m => m.WarnOfAgrement(ended.AggregateId, lieuId, lastDay, ended.OccurredAt, now)))
            {
                acts.Publish(mesure);
            }
        }
    }

    private static async Task ApplyAsync(MesuresDbContext db, EspacePublished message, CancellationToken ct)
    {
        // The same version comes again when projections are rebuilt, perhaps with what was not told before.
        var periods = Approved(message.AgrementPeriods);
        var lieux = (message.LieuAgrements ?? []).Select(l => new ApprovedLieu(l.LieuId, Approved(l.Periods))).ToList();
        // A modalité of a later version is one of which this one knows nothing.
        var capacities = (message.Capacities ?? [])
            .Where(c => EnumCodes.ByCode<Modalite>().ContainsKey(c.Modalite))
            .Select(c => new DeclaredCapacity(ProtoConversions.FromCode<Modalite>(c.Modalite), c.Families)).ToList();
        var waits = (message.Waits ?? [])
            .Where(w => EnumCodes.ByCode<Modalite>().ContainsKey(w.Modalite))
            .Select(w => new KnownWait(ProtoConversions.FromCode<Modalite>(w.Modalite), w.Days)).ToList();
        var known = await db.Espaces.FindAsync([message.AggregateId], ct);
        if (known is null)
        {
            db.Espaces.Add(new EspaceView
            {
                Id = message.AggregateId,
                GestionnaireId = message.GestionnaireId,
                State = message.State,
                AgrementPeriods = periods,
                LieuAgrements = lieux,
                LieuIds = message.LieuIds?.ToArray(),
                TimeZone = message.TimeZone,
                Capacities = capacities,
                Waits = waits,
                Departement = message.Departement,
                Version = message.AggregateVersion,
            });
        }
        else if (known.Version <= message.AggregateVersion)
        {
            known.GestionnaireId = message.GestionnaireId;
            known.State = message.State;
            known.AgrementPeriods = periods;
            known.LieuAgrements = lieux;
            known.LieuIds = message.LieuIds?.ToArray();
            known.TimeZone = message.TimeZone;
            known.Capacities = capacities;
            known.Waits = waits;
            known.Departement = message.Departement;
            known.Version = message.AggregateVersion;
        }
    }

    private static List<ApprovedPeriod> Approved(IEnumerable<AgrementPeriod> periods) => [.. periods.Select(p => new ApprovedPeriod(p.From, p.To))];
}
