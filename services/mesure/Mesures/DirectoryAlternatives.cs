using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Clients;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Mesures.Mesures;

/// <summary>What the directory says of the espaces that may be designated instead.</summary>
/// <param name="Search">A page of them.</param>
/// <param name="Present">The present one; null when it was not asked for, or is not known.</param>
internal sealed record Alternatives(SearchEspacesResponse Search, CheckDesignationResponse? Present);

/// <summary>Asks the directory where a mesure can go on.</summary>
internal sealed class DirectoryAlternatives(DirectoryService.DirectoryServiceClient directory)
{
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(2);

    /// <summary>A page of alternatives.</summary>
    /// <param name="request">The search; it leaves out the present espace.</param>
    /// <param name="presentId">The present espace, to be checked by the same profile; null to leave it.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="DomainError">SERVICE_UNAVAILABLE without an answer; PAGE_TOKEN_INVALID when the question is not that of the first page any more.</exception>
    public async Task<Alternatives> AskAsync(SearchEspacesRequest request, Guid? presentId, CancellationToken ct)
    {
        try
        {
            return await AskOnceAsync(request, presentId, ct);
        }
#pragma warning disable RS0030 // A client's catch.
        catch (RpcException e) when (e.StatusCode == StatusCode.InvalidArgument)
#pragma warning restore RS0030
        {
            // A court or commune that the directory does not know, or another version of it: what can be told without them is.
            var without = request.Clone();
            without.Mesure.CourtCode = without.Mesure.HoteCommuneInsee = without.Mesure.VisiteurCommuneInsee = "";
            try
            {
                return await AskOnceAsync(without, presentId, ct);
            }
#pragma warning disable RS0030
            catch (RpcException again) when (again.StatusCode == StatusCode.InvalidArgument)
#pragma warning restore RS0030
            {
                throw request.PageToken.Length > 0 ? DomainError.PageTokenInvalid() : DomainError.Unavailable(s_retryAfter);
            }
        }
    }

    private async Task<Alternatives> AskOnceAsync(SearchEspacesRequest request, Guid? presentId, CancellationToken ct)
    {
        var search = await directory.SearchEspacesAsync(request, cancellationToken: ct).OrNoAnswerAsync(ct) ?? throw DomainError.Unavailable(s_retryAfter);
        if (presentId is not { } id)
        {
            return new Alternatives(search, null);
        }

        try
        {
            var asked = new CheckDesignationRequest { EspaceId = id.ToString(), Mesure = request.Mesure };
            return new Alternatives(
                search, await directory.CheckDesignationAsync(asked, cancellationToken: ct).OrNoAnswerAsync(ct) ?? throw DomainError.Unavailable(s_retryAfter));
        }
#pragma warning disable RS0030
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
#pragma warning restore RS0030
        {
            return new Alternatives(search, null);
        }
    }
}
