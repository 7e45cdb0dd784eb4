using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using Jafer.ServiceDefaults.Grpc.Health.V1;
using Microsoft.Extensions.Hosting;
using static Jafer.ServiceDefaults.Grpc.Health.V1.HealthCheckResponse.Types;

namespace Jafer.ServiceDefaults.Grpc.Health;

/// <summary>
/// grpc.health.v1: the health checks for those who speak gRPC. All services of a process share its store, hence one state.
/// NOT_SERVING is told as soon as the process is asked to stop, while running calls are still answered.
/// </summary>
[SuppressMessage("Performance", "CA1812", Justification = "made by the gRPC server")]
internal sealed class HealthGrpcService(ServingState state, ServedFiles files, IHostApplicationLifetime lifetime, TimeProvider clock)
    : V1.Health.HealthBase
{
    public override async Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        Knows(request.Service)
            ? await ReadAsync(context.CancellationToken)
            : throw DomainError.NotFound("services/" + request.Service);

    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        HealthCheckResponse? last = null;
        try
        {
            while (true)
            {
                var now = Knows(request.Service) ? await ReadAsync(ct) : new HealthCheckResponse { Status = ServingStatus.ServiceUnknown };
                if (!now.Equals(last))
                {
                    await responseStream.WriteAsync(now, ct);
                    last = now;
                }

                await Task.Delay(ServingState.Freshness, clock, ct);
            }
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            if (!context.GetHttpContext().RequestAborted.IsCancellationRequested)
            {
                await responseStream.WriteAsync(new HealthCheckResponse { Status = ServingStatus.NotServing }, CancellationToken.None);
            }
        }
    }

    private bool Knows(string service) => service.Length == 0 || files.Services.Contains(service);

    private async Task<HealthCheckResponse> ReadAsync(CancellationToken ct) =>
        new() { Status = await state.ReadAsync(ct) ? ServingStatus.Serving : ServingStatus.NotServing };
}
