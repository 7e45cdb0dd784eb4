namespace Jafer.ServiceDefaults.Privacy;

/// <summary>What kind of data a column holds. The order is that of docs/privacy.md.</summary>
public enum DataCategory
{
    /// <summary>Names and dates of birth of children and parties.</summary>
    Identity,

    /// <summary>Telephone, mail and postal addresses of parties, and where they live.</summary>
    Contact,

    /// <summary>What a judge decided about a family, and the names and numbers of the case.</summary>
    Decision,

    /// <summary>Particular situations and needs: health, violence, danger (RGPD articles 9 and 10).</summary>
    Situation,

    /// <summary>What people write in their own words; may hold any of the above.</summary>
    FreeText,

    /// <summary>Files, which may hold any of the above.</summary>
    Document,

    /// <summary>What happened in a mesure: states, dates and codes about a family that is known by its identifier alone.</summary>
    CaseLife,

    /// <summary>Identifiers and digests that lead to a person only together with other data.</summary>
    Pseudonym,

    /// <summary>Names and addresses of professionals in their function, and who of them did what.</summary>
    Professional,

    /// <summary>What an organisation says of itself and its offer.</summary>
    Organisation,

    /// <summary>Public reference data.</summary>
    Public,

    /// <summary>Figures in which nobody is known.</summary>
    Statistics,

    /// <summary>Keys, secrets and their names.</summary>
    Secret,

    /// <summary>What the software needs to run: positions, versions, attempts.</summary>
    Technical,
}

/// <summary>The processing that a table serves; each is a line of the register in docs/privacy.md.</summary>
public enum Processing
{
    /// <summary>Carrying out mesures: transmission, rencontres, difficulties, closure.</summary>
    Mesures,

    /// <summary>The directory of espaces and courts.</summary>
    Directory,

    /// <summary>Conversations of courts, espaces and operator.</summary>
    Conversations,

    /// <summary>Telling who must act: feed, mails, webhooks.</summary>
    Notices,

    /// <summary>Who read and wrote what.</summary>
    Accountability,

    /// <summary>Delays, capacity and impact in figures.</summary>
    Figures,

    /// <summary>Running the software.</summary>
    Operation,
}

/// <summary>How long rows are kept.</summary>
public enum Kept
{
    /// <summary>As long as the mesure that they belong to.</summary>
    WithMesure,

    /// <summary>As long as the thread that they belong to.</summary>
    WithThread,

    /// <summary>As long as the organisation or espace is in the directory.</summary>
    WithOrganisation,

    /// <summary>90 days in the feed and the log of deliveries (Feed:Retention, Webhooks:LogRetention).</summary>
    Feed,

    /// <summary>24 hours.</summary>
    Day,

    /// <summary>Until it is done or published; 7 days at most for what was received.</summary>
    UntilDone,

    /// <summary>As the access journal: its own periods (docs/journal.md).</summary>
    Journal,

    /// <summary>Without end: it concerns nobody.</summary>
    Unlimited,
}

/// <summary>Classifies all columns of the table that a class is mapped to, as far as a property does not say otherwise.</summary>
/// <param name="category">Category of the columns that say nothing themselves.</param>
/// <param name="processing">What the table is for.</param>
/// <param name="kept">How long its rows are kept.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class HoldsAttribute(DataCategory category, Processing processing, Kept kept) : Attribute
{
    /// <summary>Category of the columns that say nothing themselves.</summary>
    public DataCategory Category => category;

    /// <summary>What the table is for.</summary>
    public Processing Processing => processing;

    /// <summary>How long its rows are kept.</summary>
    public Kept Kept => kept;
}

/// <summary>Classifies one column.</summary>
/// <param name="category">Its category.</param>
[AttributeUsage(AttributeTargets.Property)]
public abstract class ColumnAttribute(DataCategory category) : Attribute
{
    /// <summary>Its category.</summary>
    public DataCategory Category => category;
}

/// <summary>The column is sealed: whoever has the database alone cannot read it (docs/decisions/0036).</summary>
/// <param name="category">Its category.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SealedAttribute(DataCategory category) : ColumnAttribute(category);

/// <summary>The column stands in clear.</summary>
/// <param name="category">Its category.</param>
/// <param name="because">Why, where the category is one of those that are sealed.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class InClearAttribute(DataCategory category, string? because = null) : ColumnAttribute(category)
{
    /// <summary>Why it is not sealed; null where nothing asks for it.</summary>
    public string? Because => because;
}

/// <summary>Classifies a table that no class is mapped to, or one column of a table that differs from its table.</summary>
/// <param name="name">Table, or "table.column"; with the schema where it is not public.</param>
/// <param name="category">Category.</param>
/// <param name="processing">What it is for.</param>
/// <param name="kept">How long its rows are kept.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
public sealed class HeldInSqlAttribute(string name, DataCategory category, Processing processing, Kept kept) : Attribute
{
    /// <summary>Table, or "table.column".</summary>
    public string Name => name;

    /// <summary>Category.</summary>
    public DataCategory Category => category;

    /// <summary>What it is for.</summary>
    public Processing Processing => processing;

    /// <summary>How long its rows are kept.</summary>
    public Kept Kept => kept;
}
