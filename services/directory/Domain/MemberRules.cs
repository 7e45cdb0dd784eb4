using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Domain;

/// <summary>What may become of a member.</summary>
internal static class MemberRules
{
    /// <summary>How long an invitation may be accepted.</summary>
    public static readonly TimeSpan InvitationLifetime = TimeSpan.FromDays(8);

    /// <summary>Refuses the first member of an organisation who would be no manager.</summary>
    /// <param name="hasManager">Whether the organisation has an active manager.</param>
    /// <param name="rank">Rank of the one invited.</param>
    public static void RequireInvitable(bool hasManager, MemberRank rank)
    {
        if (!hasManager && rank != MemberRank.Manager)
            throw DomainError.StateForbids("NO_MANAGER", "INVITE_MEMBER", "the first member of an organisation is a manager");
    }

    /// <summary>Refuses an act on a member who stands otherwise.</summary>
    /// <param name="state">Where the member stands.</param>
    /// <param name="act">The act, such as "SUSPEND_MEMBER".</param>
    /// <param name="allowed">Where a member must stand.</param>
    public static void RequireState(MemberState state, string act, params ReadOnlySpan<MemberState> allowed)
    {
        if (!allowed.Contains(state))
            throw DomainError.StateForbids(state.ToCode(), act);
    }

    /// <summary>Refuses what would leave an organisation without an active manager.</summary>
    /// <param name="state">Where the member stands.</param>
    /// <param name="rank">The member's rank.</param>
    /// <param name="otherManagers">How many other active managers there are.</param>
    public static void RequireAnotherManager(MemberState state, MemberRank rank, int otherManagers)
    {
        if (state == MemberState.Active && rank == MemberRank.Manager && otherManagers == 0)
            throw DomainError.LastManager();
    }
}
