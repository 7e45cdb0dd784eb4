using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Jafer.ServiceDefaults.Limits;

/// <summary>
/// Lets a call in or refuses it, before its message is read: by what its caller, their organisation or, without a token that is
/// accepted, its address took lately and has running. Nobody's limit is another's. What is counted is kept in memory, for each
/// replica by itself.
/// </summary>
internal sealed class CallLimits
{
    // Callers and organisations come from the issuer, addresses from anywhere.
    private const int MostKeys = 100_000;

    private static readonly string s_denied = StatusCode.PermissionDenied.ToString("D");
    private static readonly string s_absent = StatusCode.NotFound.ToString("D");

    private readonly LimitOptions _options;
    private readonly CallWeights _weights;
    private readonly TokenReader _tokens;
    private readonly JournalWriter _journal;
    private readonly TimeProvider _clock;
    private readonly ILogger<CallLimits> _logger;
    private readonly Buckets<Identity> _callers;
    private readonly Buckets<string> _organisations;
    private readonly Buckets<IPAddress> _addresses;
    private readonly Buckets<Identity> _refusals;
    private readonly Places<(Identity, bool IsStream)> _callerPlaces = new();
    private readonly Places<(string, bool IsStream)> _organisationPlaces = new();
    private readonly Places<IPAddress> _addressPlaces = new();

    public CallLimits(IOptions<LimitOptions> options, CallWeights weights, TokenReader tokens, JournalWriter journal, TimeProvider clock, ILogger<CallLimits> logger)
    {
        (_options, _weights, _tokens, _journal, _clock, _logger) = (options.Value, weights, tokens, journal, clock, logger);
        _callers = new(clock, _options.CallerRate, _options.CallerBurst, MostKeys);
        _organisations = new(clock, _options.OrganisationRate, _options.OrganisationBurst, MostKeys);
        _addresses = new(clock, _options.AddressRate, _options.AddressBurst, MostKeys);
        _refusals = new(clock, _options.EnumerationRefusals / _options.EnumerationWindow.TotalSeconds, _options.EnumerationRefusals, MostKeys);
    }

    /// <summary>Calls that run and hold a place of a caller, streams too.</summary>
    public int Running => _callerPlaces.Taken;

    /// <summary>Runs a call, or refuses it.</summary>
    /// <param name="http">The call.</param>
    /// <param name="next">What runs it.</param>
    public async Task RunAsync(HttpContext http, RequestDelegate next)
    {
        var rpc = http.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method;
        if (rpc is null && http.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true)
        {
            // Probes over HTTP, of a port that only the operator reaches.
            await next(http);
            return;
        }

        var isStream = rpc?.Type is MethodType.ServerStreaming or MethodType.ClientStreaming or MethodType.DuplexStreaming;
        var identity = rpc is not null && AccessInterceptor.OpenServices.Contains(rpc.ServiceName) ? null : await WhoAsync(http);
        var passed = identity is null
            ? await StrangerAsync(http, next, isStream)
            : await CallerAsync(http, next, identity, rpc?.FullName ?? "", isStream);
        if (passed is { } limit)
        {
            JaferMetrics.LimitsRefused.Add(1, new KeyValuePair<string, object?>("limit", limit.Name));
            MalformedRequests.Answer(http.Response, DomainError.LimitExceeded(limit.Text, limit.Wait));
        }
        else if (identity is not null && !http.Response.HasStarted && http.Response.Headers[MalformedRequests.StatusHeader] is { Count: 1 } status
            && (status == s_denied || status == s_absent))
        {
            await WatchAsync(http, identity, rpc?.FullName ?? "");
        }
    }

    /// <summary>Waits until a further message of a stream may be taken.</summary>
    /// <param name="http">The call.</param>
    /// <param name="ct">Cancellation.</param>
    public async ValueTask PaceAsync(HttpContext http, CancellationToken ct)
    {
        while (!TakesMessage(http, out var wait))
        {
            await Task.Delay(wait, _clock, ct);
        }
    }

    private bool TakesMessage(HttpContext http, out TimeSpan wait)
    {
        if (http.Features.Get<Identity>() is not { } identity)
        {
            return _addresses.TryTake(Address(http), 1, out wait);
        }

        return Takes(identity, 1, out wait) is null;
    }

    private async Task<Limit?> StrangerAsync(HttpContext http, RequestDelegate next, bool isStream)
    {
        var address = Address(http);
        if (!_addresses.TryTake(address, 1, out var wait))
        {
            return new("address_rate", "calls of an address without an accepted token", wait);
        }

        if (!isStream)
        {
            await next(http);
            return null;
        }

        if (!_addressPlaces.TryEnter(address, _options.CallerStreams))
        {
            return new("address_streams", "streams of an address without an accepted token", TimeSpan.FromSeconds(5));
        }

        try
        {
            await next(http);
            return null;
        }
        finally
        {
            _addressPlaces.Leave(address);
        }
    }

    private async Task<Limit?> CallerAsync(HttpContext http, RequestDelegate next, Identity identity, string rpc, bool isStream)
    {
        if (Takes(identity, _weights.Of(rpc), out var wait) is { } rate)
        {
            return new(rate, "calls within a time", wait);
        }

        var (ofCaller, ofOrganisation) = isStream
            ? (_options.CallerStreams, _options.OrganisationStreams)
            : (_options.CallerCalls, _options.OrganisationCalls);
        var (retry, what) = (TimeSpan.FromSeconds(isStream ? 5 : 1), isStream ? "streams" : "calls");
        if (!_callerPlaces.TryEnter((identity, isStream), ofCaller * identity.Factor))
        {
            return new("caller_" + what, $"{what} at the same time", retry);
        }

        try
        {
            if (!_organisationPlaces.TryEnter((identity.Organisation, isStream), ofOrganisation * identity.Factor))
            {
                return new("organisation_" + what, $"{what} of an organisation at the same time", retry);
            }

            try
            {
                http.Features.Set(identity);
                await next(http);
                return null;
            }
            finally
            {
                _organisationPlaces.Leave((identity.Organisation, isStream));
            }
        }
        finally
        {
            _callerPlaces.Leave((identity, isStream));
        }
    }

    /// <summary>Takes tokens of a caller and of the organisation: the name of the limit that forbids it, or null.</summary>
    private string? Takes(Identity identity, double weight, out TimeSpan wait)
    {
        var tokens = weight / identity.Factor;
        if (!_callers.TryTake(identity, tokens, out wait))
        {
            return "caller_rate";
        }

        if (!_organisations.TryTake(identity.Organisation, tokens, out wait))
        {
            _callers.Return(identity, tokens);
            return "organisation_rate";
        }

        return null;
    }

    /// <summary>
    /// Raises the alarm about a caller who was refused many ids: a line of the journal, which operators list. Subjects may be names of
    /// persons: the log has a part of the hash.
    /// </summary>
    private async Task WatchAsync(HttpContext http, Identity identity, string rpc)
    {
        if (_refusals.TryTake(identity, 1, out _))
        {
            return;
        }

        _refusals.Fill(identity);
        JaferMetrics.Enumerations.Add(1);
        _logger.LogWarning(
            "A caller of organisation {OrganisationId} was refused {Count} ids within {Window}, the last by {Method}: subject {SubjectHash}",
            identity.Organisation, _options.EnumerationRefusals, _options.EnumerationWindow, rpc,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity.Subject)).AsSpan(0, 8)));
        var named = await _tokens.OfAsync(http, CancellationToken.None);

        // Not waited for: without the database the log has it, and the refused call has had its answer.
        _ = _journal.WriteAsync(new JournalEntry
        {
            Subject = named.Subject,
            Issuer = named.Issuer,
            Role = named.Role,
            OrganisationId = named.OrganisationId,
            IsPerson = named.IsPerson,
            OnBehalfOf = named.OnBehalfOf,
            Rpc = rpc,
            Resources = [JournalEntry.EnumerationAlarms],
            Outcome = JournalEntry.Alarm,
            IsWrite = false,
        });
    }

    /// <summary>Who calls; null where the token is none that is accepted, which the access interceptor answers.</summary>
    private async ValueTask<Identity?> WhoAsync(HttpContext http)
    {
        if (http.Request.Headers.Authorization.Count == 0)
        {
            return null;
        }

        try
        {
            var named = await _tokens.OfAsync(http, http.RequestAborted);
            return new(named.Subject, named.OrganisationId.ToString(), named.Role == Roles.Systeme ? _options.ServiceFactor : 1);
        }
        catch (DomainError)
        {
            return null;
        }
    }

    /// <summary>An address as one who floods has it: of IPv6 the network, because a machine may have all addresses of it.</summary>
    private static IPAddress Address(HttpContext http) => Of(http.Connection.RemoteIpAddress);

    /// <summary>The address by which a connection is counted.</summary>
    /// <param name="address">The other end; null of a connection without one.</param>
    internal static IPAddress Of(IPAddress? address)
    {
        if (address is null || address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address ?? IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    private sealed record Identity(string Subject, string Organisation, int Factor);

    private readonly record struct Limit(string Name, string Text, TimeSpan Wait);
}
