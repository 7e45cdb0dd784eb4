using Jafer.Contracts.Directory.V1;

namespace Jafer.ServiceDefaults.Access;

/// <summary>Whose things a caller may touch by an rpc, as the access table says for their role.</summary>
public enum Tenancy
{
    /// <summary>Nobody's: the role may not call the rpc.</summary>
    None,

    /// <summary>Those to which the caller's organisation has one of the cell's relations.</summary>
    Own,

    /// <summary>Everybody's.</summary>
    Any,

    /// <summary>
    /// Those of the espaces, courts and gestionnaires of the caller's territory, and of the caller's own organisation. Of a caller without
    /// a territory <see cref="Any"/> has taken its place by the time that a service sees it.
    /// </summary>
    Territory,

    /// <summary>Nobody's in particular: figures of all, small numbers withheld.</summary>
    Aggregate,
}

/// <summary>What an organisation is to a mesure, a thread or an espace.</summary>
[Flags]
public enum Relations
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The court that ordered the mesure, the gestionnaire of its espace; the gestionnaire of an espace.</summary>
    Holder = 1,

    /// <summary>The gestionnaire of the espace of a mesure that no judge ordered.</summary>
    NonJudicialHolder = 2,

    /// <summary>The gestionnaire of the espace from which the judge took the mesure to another one.</summary>
    FormerHolder = 4,

    /// <summary>The gestionnaire of the espace that the decision names in subsidiary order.</summary>
    Subsidiary = 8,
}

/// <summary>Who may be at the other end.</summary>
[Flags]
public enum Actors
{
    /// <summary>Nobody.</summary>
    None = 0,

    /// <summary>A person.</summary>
    Person = 1,

    /// <summary>Unattended software.</summary>
    Software = 2,

    /// <summary>Software on behalf of a person whom its token names.</summary>
    SoftwareForPerson = 4,

    /// <summary>Any of them.</summary>
    All = Person | Software | SoftwareForPerson,
}

/// <summary>What the access table grants a role for an rpc.</summary>
/// <param name="Tenancy">Whose things.</param>
/// <param name="Relations">For <see cref="Tenancy.Own"/>, what the caller's organisation must be to them: one of these.</param>
/// <param name="Actors">Who may be the caller.</param>
/// <param name="OnlyForEspace">Whether the act is the espace's own, which others do only in its stead.</param>
public sealed record AccessCell(Tenancy Tenancy, Relations Relations, Actors Actors, bool OnlyForEspace)
{
    /// <summary>Nothing is granted.</summary>
    public static AccessCell None { get; } = new(Tenancy.None, Relations.None, Actors.None, false);

    /// <summary>The lowest rank of a member who may be the caller, where the organisation has members.</summary>
    public MemberRank Rank { get; init; } = MemberRank.Agent;

    /// <summary>Whether the rpc is for a person who is no member yet.</summary>
    public bool OpenToInvited { get; init; }

    /// <summary>Whether what lies in the caller's territory is granted, besides what the tenancy says.</summary>
    public bool WithTerritory { get; init; }

    /// <summary>Whether only a caller without a territory, who is competent for the whole nation, may call.</summary>
    public bool OnlyForNation { get; init; }

    /// <summary>Whether only a caller with a territory may call.</summary>
    public bool OnlyWhereSaid { get; init; }

    /// <summary>Whether the answer depends on where the caller is competent.</summary>
    public bool AsksForTerritory => WithTerritory || OnlyForNation || Tenancy == Tenancy.Aggregate;

    /// <summary>Reads a cell, such as "own+former" or "any:person+for-person".</summary>
    /// <param name="text">The cell, in the grammar that heads access.csv.</param>
    /// <exception cref="FormatException">The text is no cell.</exception>
    public static AccessCell Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text == "-")
        {
            return None;
        }

        var parts = text.Split(':');
        var conditions = parts.Length > 1 ? parts[1].Split('+') : [];
        var (relations, actors, forEspace) = (Relations.None, Actors.None, false);
        var (manager, invited) = (conditions.Contains("manager"), conditions.Contains("invited"));
        var (nation, said) = (conditions.Contains("nation"), conditions.Contains("said"));
        foreach (var condition in conditions)
        {
            actors |= condition switch
            {
                "person" => Actors.Person,
                "software" => Actors.Software,
                "for-person" => Actors.SoftwareForPerson,
                "for-espace" or "manager" or "invited" or "nation" or "said" => Actors.None,
                _ => throw Wrong(),
            };
            forEspace |= condition == "for-espace";
        }

        var tenancy = parts[0] switch { "any" => Tenancy.Any, "aggregate" => Tenancy.Aggregate, "territory" => Tenancy.Territory, _ => Tenancy.Own };
        var territory = tenancy == Tenancy.Territory;
        foreach (var relation in tenancy == Tenancy.Own ? parts[0].Split('+') : [])
        {
            if (relation == "territory")
            {
                territory = true;
                continue;
            }

            relations |= relation switch
            {
                "own" => Relations.Holder | Relations.NonJudicialHolder,
                "nonjudicial" => Relations.NonJudicialHolder,
                "former" => Relations.FormerHolder,
                "subsidiary" => Relations.Subsidiary,
                _ => throw Wrong(),
            };
        }

        // Rights are given, and invitations accepted, by persons themselves.
        if (parts.Length > 2 || ((manager || invited) && (actors != Actors.Person || manager == invited)) || (nation && (territory || said)) || (said && !territory))
        {
            throw Wrong();
        }

        return new AccessCell(tenancy, relations, actors == Actors.None ? Actors.All : actors, forEspace)
        {
            Rank = manager ? MemberRank.Manager : MemberRank.Agent,
            OpenToInvited = invited,
            WithTerritory = territory,
            OnlyForNation = nation,
            OnlyWhereSaid = said,
        };

        FormatException Wrong() => new($"access table: \"{text}\" is no cell");
    }

    /// <summary>Whether what an organisation has one of some relations to is granted to it.</summary>
    /// <param name="relation">What the organisation is to it.</param>
    public bool Admits(Relations relation) => Tenancy == Tenancy.Any || (Tenancy == Tenancy.Own && (Relations & relation) != Relations.None);
}
