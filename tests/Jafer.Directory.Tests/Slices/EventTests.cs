using System.Collections.Concurrent;
using System.Text.Json;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Operations.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>What another service receives from the broker.</summary>
public class EventTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task Publish_ImportDeclarationAndRepublication_ReachesTheBrokerWithItsVersion()
    {
        await using var received = await Listener.StartAsync(directory.Prefix);
        var import = Espace("told");
        import.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.ReputeAcquis, RequestDate = new DateOnly(2018, 1, 1).ToProto(), EndDate = new DateOnly(2019, 12, 31).ToProto() });
        import.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.RemiseEnfant, State = ModaliteState.Complete });
        await directory.ImportAsync(import);

        var published = await received.FirstAsync<EspacePublished>(e => e.AggregateId == IdOf("told"));
        Assert.Equal(StableIds.Gestionnaire("test", "G-told"), published.GestionnaireId);
        Assert.Equal(("69", "OUVERT", "Europe/Paris", 1L), (published.Departement, published.State, published.TimeZone, published.AggregateVersion));
        Assert.Equal([new AgrementPeriod(new(2020, 1, 1), null), new AgrementPeriod(new(2018, 3, 2), new(2019, 12, 31))], published.AgrementPeriods);
        Assert.Equal(["VISITE"], published.OpenModalites);
        Assert.Equal(import.Lieux.Count, published.LieuIds!.Distinct().Count());
        var organisation = await received.FirstAsync<OrganisationPublished>(e => e.AggregateId == published.GestionnaireId);
        Assert.Equal(("GESTIONNAIRE", null), (organisation.Kind, organisation.Code));

        await directory.Gestionnaire("G-told").DeclareWaitAsync(
            new() { EspaceId = IdOf("told").ToString(), Modalite = Modalite.Visite, Days = 12, RequestId = NewId() }, cancellationToken: Cancel);
        var declared = await received.FirstAsync<WaitDeclared>(e => e.AggregateId == IdOf("told"));
        Assert.Equal(("VISITE", 12, Today, 2L), (declared.Modalite, declared.Days, declared.AsOfDate, declared.AggregateVersion));

        await new OperationsService.OperationsServiceClient(directory.Host.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national")))
            .RepublishStateAsync(new() { RequestId = NewId() }, cancellationToken: Cancel);
        var again = await received.FirstAsync<EspacePublished>(e => e.AggregateId == IdOf("told") && e.AggregateVersion == 2);
        Assert.NotEqual(published.EventId, again.EventId);
        var court = await received.FirstAsync<OrganisationPublished>(e => e.AggregateId == StableIds.Court("tj69123"));
        Assert.Equal(("JURIDICTION", "tj69123"), (court.Kind, court.Code));
    }

    [Fact]
    public async Task Confirmation_OfWhatHadGoneStale_IsToldForEachGroupAndOfWhatIsFreshIsNot()
    {
        await using var received = await Listener.StartAsync(directory.Prefix);
        var import = Espace("refreshed");
        await directory.ImportAsync(import);
        await directory.Database.RunAsync(
            $"update espace_groups set confirmed_at = (confirmed_at at time zone 'Europe/Paris' - interval '120 days') at time zone 'Europe/Paris', said_at = (said_at at time zone 'Europe/Paris' - interval '120 days') at time zone 'Europe/Paris' where espace_id = '{IdOf("refreshed")}'");

        // Only openness goes stale within 120 days, besides the wait.
        var client = directory.Gestionnaire("G-refreshed");
        await client.ConfirmEspaceAsync(new() { EspaceId = IdOf("refreshed").ToString(), RequestId = NewId() }, cancellationToken: Cancel);
        await client.ConfirmEspaceAsync(new() { EspaceId = IdOf("refreshed").ToString(), RequestId = NewId() }, cancellationToken: Cancel);
        var confirmed = await received.FirstAsync<EspaceGroupConfirmed>(e => e.AggregateId == IdOf("refreshed"));
        Assert.Equal((StableIds.Gestionnaire("test", "G-refreshed"), "MODALITE", "VISITE", 2L), (confirmed.GestionnaireId, confirmed.Group, confirmed.Key, confirmed.AggregateVersion));

        await directory.Database.RunAsync($"update espace_groups set confirmed_at = (confirmed_at at time zone 'Europe/Paris' - interval '500 days') at time zone 'Europe/Paris' where espace_id = '{IdOf("refreshed")}' and espace_group = 'LIEUX'");
        import.ConfirmedDate = Today.ToProto();
        import.Lieux[0].Name = "Autre lieu";
        await directory.ImportAsync(import);
        await received.FirstAsync<EspaceGroupConfirmed>(e => e.AggregateId == IdOf("refreshed") && e is { Group: "LIEUX", Key: null });
        Assert.Equal(2, received.Count<EspaceGroupConfirmed>(e => e.AggregateId == IdOf("refreshed")));
    }

    /// <summary>A queue of its own on the exchanges of the directory, read with the broker's plain client.</summary>
    internal sealed class Listener : IAsyncDisposable
    {
        private readonly ConcurrentBag<DomainEvent> _events = [];
        private IConnection _connection = null!;

        public static async Task<Listener> StartAsync(string prefix)
        {
            var listener = new Listener { _connection = await new ConnectionFactory { Uri = new Uri(Servers.RabbitMq) }.CreateConnectionAsync(Cancel) };
            var channel = await listener._connection.CreateChannelAsync(cancellationToken: Cancel);
            var queue = await channel.QueueDeclareAsync(cancellationToken: Cancel);
            foreach (var type in new[]
            {
                typeof(EspacePublished), typeof(OrganisationPublished), typeof(WaitDeclared), typeof(CapacityEnquiryOpened), typeof(CapacityEnquiryAnswered),
                typeof(AgrementLieuEnded), typeof(EspaceGroupConfirmed),
            })
            {
                var exchange = $"{prefix}.{EventTypes.NameOf(type)}";
                await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true, cancellationToken: Cancel);
                await channel.QueueBindAsync(queue.QueueName, exchange, "", cancellationToken: Cancel);
            }
            var consumer = new AsyncEventingBasicConsumer(channel);
            consumer.ReceivedAsync += (_, delivery) =>
            {
                using var envelope = JsonDocument.Parse(delivery.Body);
                var type = EventTypes.TypeOf(delivery.Exchange[(prefix.Length + 1)..])!;
                listener._events.Add((DomainEvent)envelope.RootElement.GetProperty("message").Deserialize(type, EventTypes.Json)!);
                return Task.CompletedTask;
            };
            await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, consumer, Cancel);
            return listener;
        }

        public async Task<T> FirstAsync<T>(Func<T, bool> which)
            where T : DomainEvent =>
            (await Eventually.BecomesAsync(
                () => Task.FromResult(_events.OfType<T>().Where(which).ToList()), found => found.Count > 0, $"an event {typeof(T).Name}"))[0];

        /// <summary>How many came so far.</summary>
        public int Count<T>(Func<T, bool> which)
            where T : DomainEvent => _events.OfType<T>().Count(which);

        public async ValueTask DisposeAsync() => await _connection.DisposeAsync();
    }
}
