namespace Jafer.ServiceDefaults.Printing;

/// <summary>
/// What a document says, in French, once for the web page and the PDF: so the two never differ, and what a screen reader hears
/// is the same in both.
/// </summary>
/// <param name="Title">Title, of the file too.</param>
/// <param name="Subject">One sentence that says what the document is.</param>
/// <param name="Reference">Short text at the foot of each page.</param>
/// <param name="MadeAt">When it was made.</param>
/// <param name="Blocks">Its content in the order of reading.</param>
public sealed record PrintedDocument(string Title, string Subject, string Reference, DateTimeOffset MadeAt, IReadOnlyList<Block> Blocks);

/// <summary>A part of a document.</summary>
public abstract record Block;

/// <summary>A heading below the title, which is the only one of level 1.</summary>
/// <param name="Level">2 or 3.</param>
/// <param name="Text">Text.</param>
public sealed record Heading(int Level, string Text) : Block;

/// <summary>A paragraph.</summary>
/// <param name="Text">Text.</param>
public sealed record Paragraph(RichText Text) : Block;

/// <summary>A paragraph or more that nobody should overlook.</summary>
/// <param name="Lines">Each a paragraph.</param>
public sealed record Callout(IReadOnlyList<RichText> Lines) : Block;

/// <summary>A list of points.</summary>
/// <param name="Items">The points.</param>
public sealed record Points(IReadOnlyList<RichText> Items) : Block;

/// <summary>Values with their names.</summary>
/// <param name="Items">Name and value.</param>
public sealed record Values(IReadOnlyList<(string Name, string Value)> Items) : Block;

/// <summary>A table whose first cell of each row names the row.</summary>
/// <param name="Caption">What the table shows.</param>
/// <param name="Columns">Heads of the columns, that of the first one included.</param>
/// <param name="Widths">Width of each column against the others.</param>
/// <param name="Rows">Cells; each row has one for each column.</param>
public sealed record Table(string Caption, IReadOnlyList<string> Columns, IReadOnlyList<double> Widths, IReadOnlyList<IReadOnlyList<string>> Rows) : Block;

/// <summary>A text of which parts may be strong or lead somewhere.</summary>
/// <param name="Spans">The parts.</param>
public sealed record RichText(IReadOnlyList<Span> Spans)
{
    /// <summary>A text without marks.</summary>
    /// <param name="text">The text.</param>
    public static implicit operator RichText(string text) => new([new Span(text)]);

    /// <summary>The text alone.</summary>
    public override string ToString() => string.Concat(Spans.Select(s => s.Text));
}

/// <summary>A part of a text.</summary>
/// <param name="Text">Text.</param>
/// <param name="Strong">Whether it is important.</param>
/// <param name="Link">Where it leads; null when nowhere.</param>
public sealed record Span(string Text, bool Strong = false, Uri? Link = null);
