using System.Text.Json;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Cli.Files;

/// <summary>An espace as it goes out on a day.</summary>
/// <param name="Espace">The espace.</param>
/// <param name="Today">The day.</param>
internal sealed record OpenEspace(Espace Espace, DateOnly Today);

/// <summary>What the dictionary says of a column.</summary>
internal interface IOpenColumn
{
    /// <summary>Its name in every file.</summary>
    string Name { get; }

    /// <summary>Its type, in French.</summary>
    string Type { get; }

    /// <summary>What it says, in French.</summary>
    string Meaning { get; }

    /// <summary>The codes that it may hold; empty when it holds none of a list.</summary>
    IReadOnlyList<string> Values { get; }
}

/// <summary>One column of an open table.</summary>
/// <param name="Name">Its name in every file.</param>
/// <param name="Type">Its type, in French.</param>
/// <param name="Meaning">What it says, in French.</param>
/// <param name="Get">Its value: text, number, truth, or a list of texts; null when there is none.</param>
internal sealed record OpenColumn<T>(string Name, string Type, string Meaning, Func<T, object?> Get) : IOpenColumn
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Values { get; init; } = [];

    /// <summary>Its unit, in French; empty when it has none.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Whether it is empty where statistical secrecy withholds it.</summary>
    public bool Secret { get; init; }
}

/// <summary>A table of what belongs to espaces.</summary>
internal abstract class OpenTable(string name)
{
    /// <summary>Name of its file, and of the list in the JSON of an espace.</summary>
    public string Name { get; } = name;

    /// <summary>Its columns.</summary>
    public abstract IReadOnlyList<IOpenColumn> Columns { get; }

    /// <summary>The rows of all espaces.</summary>
    public abstract byte[] ToCsv(IEnumerable<OpenEspace> espaces);

    /// <summary>The rows of one espace as a list in its object.</summary>
    public abstract void WriteWithin(Utf8JsonWriter json, OpenEspace espace);
}

/// <inheritdoc/>
/// <param name="name">Name of its file.</param>
/// <param name="columns">Its columns.</param>
/// <param name="of">The parts of an espace, always in the same order.</param>
internal sealed class OpenTable<T>(string name, OpenColumn<(OpenEspace Of, T Part)>[] columns, Func<Espace, IEnumerable<T>> of) : OpenTable(name)
{
    /// <inheritdoc/>
    public override IReadOnlyList<IOpenColumn> Columns => columns;

    /// <inheritdoc/>
    public override byte[] ToCsv(IEnumerable<OpenEspace> espaces) => OpenData.Table(columns, espaces.SelectMany(e => of(e.Espace).Select(part => (e, part))));

    /// <inheritdoc/>
    public override void WriteWithin(Utf8JsonWriter json, OpenEspace espace)
    {
        json.WriteStartArray(Name);
        foreach (var part in of(espace.Espace))
        {
            json.WriteStartObject();
            // What the espace around it says already is not said again.
            OpenData.Write(json, columns.Where(c => c.Name is not ("espace_id" or "espace" or "fictif")), (espace, part));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
