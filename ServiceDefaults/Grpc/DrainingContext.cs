using Grpc.Core;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>The context of a streaming call whose token is cancelled also when the process is asked to stop.</summary>
internal sealed class DrainingContext : ServerCallContext
{
    private readonly ServerCallContext _call;
    private readonly CancellationToken _ct;

    public DrainingContext(ServerCallContext call, CancellationToken ct)
    {
        _call = call;
        _ct = ct;

        // Where GetHttpContext looks for a context that is not the server's own.
        call.UserState["__HttpContext"] = call.GetHttpContext();
    }

    protected override string MethodCore => _call.Method;

    protected override string HostCore => _call.Host;

    protected override string PeerCore => _call.Peer;

    protected override DateTime DeadlineCore => _call.Deadline;

    protected override Metadata RequestHeadersCore => _call.RequestHeaders;

    protected override CancellationToken CancellationTokenCore => _ct;

    protected override Metadata ResponseTrailersCore => _call.ResponseTrailers;

    protected override Status StatusCore { get => _call.Status; set => _call.Status = value; }

    protected override WriteOptions? WriteOptionsCore { get => _call.WriteOptions; set => _call.WriteOptions = value; }

    protected override AuthContext AuthContextCore => _call.AuthContext;

    protected override IDictionary<object, object> UserStateCore => _call.UserState;

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => _call.WriteResponseHeadersAsync(responseHeaders);

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException();
}
