using Jafer.Contracts.Events;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Messaging;

namespace Jafer.Mesures.Projections;

/// <summary>Keeps what this service needs of the directory. Older versions than the one held are ignored.</summary>
internal sealed class DirectoryProjection : IEventHandler<MesuresDbContext>
{
    /// <summary>Events that are handled.</summary>
    public static readonly Type[] Subscriptions = [typeof(EspacePublished), typeof(OrganisationPublished)];

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
            default:
                throw new InvalidOperationException($"{message.GetType().Name} is not subscribed to");
        }
    }

    private static async Task ApplyAsync(MesuresDbContext db, EspacePublished message, CancellationToken ct)
    {
        var periods = message.AgrementPeriods.Select(p => new ApprovedPeriod(p.From, p.To)).ToList();
        var known = await db.Espaces.FindAsync([message.AggregateId], ct);
        if (known is null)
        {
            db.Espaces.Add(new EspaceView
            {
                Id = message.AggregateId,
                GestionnaireId = message.GestionnaireId,
                State = message.State,
                AgrementPeriods = periods,
                TimeZone = message.TimeZone,
                Version = message.AggregateVersion,
            });
        }
        else if (known.Version < message.AggregateVersion)
        {
            known.GestionnaireId = message.GestionnaireId;
            known.State = message.State;
            known.AgrementPeriods = periods;
            known.TimeZone = message.TimeZone;
            known.Version = message.AggregateVersion;
        }
    }
}
