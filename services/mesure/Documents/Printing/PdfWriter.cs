using System.Globalization;
using Jafer.ServiceDefaults.Printing;
using PdfSharp.Drawing;
using PdfSharp.Pdf;
using PdfSharp.Pdf.Annotations;
using PdfSharp.UniversalAccessibility;

namespace Jafer.Mesures.Documents.Printing;

/// <summary>
/// A document as a PDF on A4 for the eye and for a screen reader alike: each part carries its tag (PDF/UA), what is there for
/// the eye alone is an artifact, fonts are embedded.
/// </summary>
internal sealed class PdfWriter : IDisposable
{
    private const double Left = 56;
    private const double Right = 539;
    private const double Top = 56;
    private const double Bottom = 772;
    private const double Padding = 5;

    private static readonly XColor s_blue = XColor.FromArgb(0, 0, 145);
    private static readonly XColor s_text = XColor.FromArgb(22, 22, 22);
    private static readonly XColor s_line = XColor.FromArgb(106, 106, 106);
    private static readonly XColor s_ground = XColor.FromArgb(240, 240, 251);

    private readonly PrintedDocument _content;
    private readonly int? _pageCount;
    private readonly PdfDocument _document = new();
    private readonly StructureBuilder _tags;
    private readonly XFont _body = PdfFonts.Of(11);
    private readonly XFont _bold = PdfFonts.Of(11, bold: true);
    private readonly XFont _small = PdfFonts.Of(8.5);
    private readonly XFont _smallBold = PdfFonts.Of(8.5, bold: true);
    private XGraphics _page = null!;
    private double _y;

    private PdfWriter(PrintedDocument content, int? pageCount)
    {
        _content = content;
        _pageCount = pageCount;
        var universal = UAManager.ForDocument(_document);
        universal.SetDocumentLanguage("fr-FR");
        _tags = universal.StructureBuilder;
    }

    /// <summary>Writes the PDF; empty when the machine has no font for it.</summary>
    /// <param name="document">The document.</param>
    public static byte[] Write(PrintedDocument document)
    {
        if (!PdfFonts.Available)
        {
            return [];
        }

        // Each page says how many there are: known once all are set.
        using var first = new PdfWriter(document, null);
        first.Set();
        using var second = new PdfWriter(document, first._document.PageCount);
        second.Set();
        return second.Save();
    }

    public void Dispose() => _document.Dispose();

    private void Set()
    {
        _document.Info.Title = _content.Title;
        _document.Info.Subject = _content.Subject;
        _document.Info.Creator = "Jafer";
        _document.Info.CreationDate = _content.MadeAt.UtcDateTime;
        NewPage();
        var title = PdfFonts.Of(20, bold: true);
        var lines = Wrap(_content.Title, title, title, Right - Left);
        _tags.BeginElement(PdfBlockLevelElementTag.Heading1);
        Draw(lines, Left, s_blue, 26);
        _tags.End();
        Rule(s_blue, 2);
        _y += 14;
        foreach (var block in _content.Blocks)
        {
            Write(block);
        }

        Finish();
    }

    private byte[] Save()
    {
        // The accessibility part of XMP: a checker, and a reader's software, go by it.
        var metadata = new PdfDictionary(_document);
        metadata.Elements.SetName("/Type", "/Metadata");
        metadata.Elements.SetName("/Subtype", "/XML");
        metadata.CreateStream(System.Text.Encoding.UTF8.GetBytes(Xmp()));
        _document.Internals.AddObject(metadata);
        _document.Internals.Catalog.Elements.SetReference("/Metadata", metadata);
        foreach (var page in _document.Pages)
        {
            page.Elements.SetName("/Tabs", "/S");
        }

        using var stream = new MemoryStream();
        _document.Save(stream, closeStream: false);
        var file = stream.ToArray();
        PointTo(metadata, file);
        return file;
    }

    /// <summary>
    /// While saving, PDFsharp puts metadata of its own into the catalog, which do not say PDF/UA. The catalog is pointed to ours,
    /// in the same number of bytes, so that all else stays where it is.
    /// </summary>
    private static void PointTo(PdfDictionary metadata, byte[] file)
    {
        var key = "/Metadata "u8;
        var start = file.AsSpan().LastIndexOf(key) + key.Length;
        var length = file.AsSpan(start).IndexOf(" R"u8);
        var reference = string.Create(CultureInfo.InvariantCulture, $"{metadata.Reference!.ObjectNumber} 0").PadRight(length);
        if (start < key.Length || reference.Length != length)
        {
            throw new InvalidOperationException("PDFsharp wrote no reference to metadata");
        }

        System.Text.Encoding.ASCII.GetBytes(reference, file.AsSpan(start, length));
    }

    private void Write(Block block)
    {
        switch (block)
        {
            case Heading heading:
                Write(heading);
                break;
            case Paragraph paragraph:
                Write(paragraph.Text);
                break;
            case Callout callout:
                Write(callout);
                break;
            case Points points:
                Write(points);
                break;
            case Values values:
                Write(values);
                break;
            case Table table:
                Write(table);
                break;
            default:
                throw new InvalidOperationException($"{block.GetType().Name} is not written");
        }
    }

    private void Write(Heading heading)
    {
        var font = PdfFonts.Of(heading.Level == 2 ? 14 : 12, bold: true);
        var lines = Wrap(heading.Text, font, font, Right - Left);
        _y += _y > Top ? 10 : 0;
        Need((lines.Count * 18) + 50);
        _tags.BeginElement(heading.Level == 2 ? PdfBlockLevelElementTag.Heading2 : PdfBlockLevelElementTag.Heading3);
        Draw(lines, Left, heading.Level == 2 ? s_blue : s_text, 18);
        _tags.End();
        _y += 4;
    }

    private void Write(RichText text)
    {
        var lines = Wrap(text, _body, _bold, Right - Left);
        Need(lines.Count * 16);
        _tags.BeginElement(PdfBlockLevelElementTag.Paragraph);
        Draw(lines, Left, s_text, 16);
        _tags.End();
        _y += 6;
    }

    private void Write(Callout callout)
    {
        var paragraphs = callout.Lines.Select(l => Wrap(l, _body, _bold, Right - Left - 30)).ToList();
        var height = paragraphs.Sum(p => (p.Count * 16) + 5) + 14;
        Need(height);
        _tags.BeginArtifact();
        _page.DrawRectangle(new XSolidBrush(s_ground), Left, _y, Right - Left, height);
        _page.DrawRectangle(new XSolidBrush(s_blue), Left, _y, 4, height);
        _tags.End();
        _y += 9;
        foreach (var lines in paragraphs)
        {
            _tags.BeginElement(PdfBlockLevelElementTag.Paragraph);
            Draw(lines, Left + 18, s_text, 16);
            _tags.End();
            _y += 5;
        }

        _y += 15;
    }

    private void Write(Points points)
    {
        _tags.BeginElement(PdfBlockLevelElementTag.List);
        foreach (var item in points.Items)
        {
            var lines = Wrap(item, _body, _bold, Right - Left - 18);
            Need(lines.Count * 16);
            _tags.BeginElement(PdfBlockLevelElementTag.ListItem);
            _tags.BeginElement(PdfBlockLevelElementTag.Label);
            Text("•", _body, Left + 4, _y + 12, s_text);
            _tags.End();
            _tags.BeginElement(PdfBlockLevelElementTag.ListBody);
            Draw(lines, Left + 18, s_text, 16);
            _tags.End();
            _tags.End();
            _y += 3;
        }

        _tags.End();
        _y += 5;
    }

    private void Write(Values values)
    {
        const double Indent = 190;
        _tags.BeginElement(PdfBlockLevelElementTag.List);
        foreach (var (name, value) in values.Items)
        {
            var names = Wrap(name, _bold, _bold, Indent - 10);
            var lines = Wrap(value, _body, _bold, Right - Left - Indent);
            var height = Math.Max(names.Count, lines.Count) * 16;
            Need(height);
            var at = _y;
            _tags.BeginElement(PdfBlockLevelElementTag.ListItem);
            _tags.BeginElement(PdfBlockLevelElementTag.Label);
            Draw(names, Left, s_text, 16);
            _tags.End();
            _y = at;
            _tags.BeginElement(PdfBlockLevelElementTag.ListBody);
            Draw(lines, Left + Indent, s_text, 16);
            _tags.End();
            _tags.End();
            _y = at + height + 2;
        }

        _tags.End();
        _y += 6;
    }

    private void Write(Table table)
    {
        var total = table.Widths.Sum();
        double[] widths = [.. table.Widths.Select(w => w / total * (Right - Left))];
        var caption = Wrap(table.Caption, _bold, _bold, Right - Left);
        var head = Cells(table.Columns, widths, _smallBold);
        Need((caption.Count * 16) + Height(head) + 40);
        _tags.BeginElement(PdfBlockLevelElementTag.Table);
        _tags.BeginElement(PdfGroupingElementTag.Caption);
        _tags.BeginElement(PdfBlockLevelElementTag.Paragraph);
        Draw(caption, Left, s_text, 16);
        _tags.End();
        _tags.End();
        _y += 3;
        _tags.BeginElement(PdfBlockLevelElementTag.TableHeadRowGroup);
        Row(head, widths, isHead: true);
        _tags.End();
        _tags.BeginElement(PdfBlockLevelElementTag.TableBodyRowGroup);
        foreach (var row in table.Rows)
        {
            var cells = Cells(row, widths, _small);
            if (_y + Height(cells) > Bottom)
            {
                NewPage();
                // Heads again for the eye; a screen reader has them from the table.
                _tags.BeginArtifact();
                Row(head, widths, isHead: true, isArtifact: true);
                _tags.End();
            }

            Row(cells, widths, isHead: false);
        }

        _tags.End();
        _tags.End();
        _y += 14;
    }

    private List<List<Line>> Cells(IReadOnlyList<string> texts, double[] widths, XFont font) =>
        [.. texts.Select((text, i) => Wrap(text, font, _smallBold, widths[i] - (2 * Padding)))];

    private static double Height(List<List<Line>> cells) => (cells.Max(c => c.Count) * 12) + (2 * Padding);

    private void Row(List<List<Line>> cells, double[] widths, bool isHead, bool isArtifact = false)
    {
        var (top, height) = (_y, Height(cells));
        if (!isArtifact)
        {
            _tags.BeginArtifact();
        }

        if (isHead)
        {
            _page.DrawRectangle(new XSolidBrush(XColor.FromArgb(227, 227, 253)), Left, top, Right - Left, height);
        }

        _page.DrawLine(new XPen(s_line, 0.5), Left, top + height, Right, top + height);
        if (!isArtifact)
        {
            _tags.End();
            _tags.BeginElement(PdfBlockLevelElementTag.TableRow);
        }

        var x = Left;
        for (var i = 0; i < cells.Count; i++)
        {
            _y = top + Padding;
            if (!isArtifact)
            {
                _tags.BeginElement(isHead || i == 0 ? PdfBlockLevelElementTag.TableHeaderCell : PdfBlockLevelElementTag.TableDataCell);
                if (isHead || i == 0)
                {
                    _tags.CurrentStructureElement.TableAttributes.Elements.SetName("/Scope", isHead ? "/Column" : "/Row");
                }
            }

            Draw(cells[i], x + Padding, s_text, 12);
            if (!isArtifact)
            {
                _tags.End();
            }

            x += widths[i];
        }

        if (!isArtifact)
        {
            _tags.End();
        }

        _y = top + height;
    }

    private void Need(double height)
    {
        if (_y + height > Bottom)
        {
            NewPage();
        }
    }

    private void NewPage()
    {
        if (_document.PageCount > 0)
        {
            Finish();
        }

        var page = _document.AddPage();
        page.Size = PdfSharp.PageSize.A4;
        _page = XGraphics.FromPdfPage(page);
        _y = Top;
    }

    private void Finish()
    {
        _tags.BeginArtifact();
        _page.DrawLine(new XPen(s_line, 0.5), Left, Bottom + 14, Right, Bottom + 14);
        var number = string.Create(CultureInfo.InvariantCulture, $"Page {_document.PageCount} sur {_pageCount ?? _document.PageCount}");
        Text(French.Spaced(_content.Reference), _small, Left, Bottom + 27, s_text);
        Text(number, _small, Right - _page.MeasureString(number, _small).Width, Bottom + 27, s_text);
        _tags.End();
        _page.Dispose();
    }

    private void Rule(XColor color, double width)
    {
        _tags.BeginArtifact();
        _page.DrawLine(new XPen(color, width), Left, _y + 4, Right, _y + 4);
        _tags.End();
        _y += 4;
    }

    private void Draw(List<Line> lines, double left, XColor color, double leading)
    {
        foreach (var line in lines)
        {
            var x = left;
            foreach (var run in line.Runs)
            {
                var baseline = _y + (leading * 0.74);
                if (run.Link is { } link)
                {
                    var box = new XRect(x, _y, run.Width, leading);
                    var annotation = PdfLinkAnnotation.CreateWebLink(new PdfRectangle(_page.Transformer.WorldToDefaultPage(box)), link.AbsoluteUri);
                    _tags.BeginElement(annotation, run.Text);
                    Text(run.Text, run.Font, x, baseline, s_blue);
                    _tags.End();
                    _tags.BeginArtifact();
                    _page.DrawLine(new XPen(s_blue, 0.7), x, baseline + 1.8, x + run.Width, baseline + 1.8);
                    _tags.End();
                }
                else
                {
                    Text(run.Text, run.Font, x, baseline, color);
                }

                x += run.Width;
            }

            _y += leading;
        }
    }

    private void Text(string text, XFont font, double x, double baseline, XColor color) =>
        _page.DrawString(text, font, new XSolidBrush(color), x, baseline);

    /// <summary>Breaks a text into lines, between words; a link and a word that is too long stay whole.</summary>
    private List<Line> Wrap(RichText text, XFont font, XFont strong, double width)
    {
        var lines = new List<Line>();
        var line = new List<Run>();
        var used = 0.0;
        foreach (var span in text.Spans)
        {
            var own = span.Strong ? strong : font;
            var words = span.Link is null ? French.Spaced(span.Text).Split(' ') : [span.Text];
            for (var i = 0; i < words.Length; i++)
            {
                // The space belongs to the word before it, at the end of a line too: without it a reader would join two words.
                var word = i < words.Length - 1 ? words[i] + " " : words[i];
                if (word.Length == 0)
                {
                    continue;
                }

                if (used > 0 && used + Measure(words[i], own) > width)
                {
                    lines.Add(new Line(line));
                    (line, used) = ([], 0);
                }

                var measured = Measure(word, own);
                used += measured;
                if (line.Count > 0 && line[^1].Font == own && line[^1].Link is null && span.Link is null)
                {
                    line[^1] = line[^1] with { Text = line[^1].Text + word, Width = line[^1].Width + measured };
                }
                else
                {
                    line.Add(new Run(word, own, measured, span.Link));
                }
            }
        }

        lines.Add(new Line(line));
        return lines;
    }

    private double Measure(string text, XFont font) => _page.MeasureString(text, font).Width;

    private string Xmp()
    {
        var made = _content.MadeAt.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return $"""
            <?xpacket begin="{'\ufeff'}" id="W5M0MpCehiHzreSzNTczkc9d"?>
            <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
            <rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
            <pdfuaid:part>1</pdfuaid:part>
            <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{System.Security.SecurityElement.Escape(_content.Title)}</rdf:li></rdf:Alt></dc:title>
            <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{System.Security.SecurityElement.Escape(_content.Subject)}</rdf:li></rdf:Alt></dc:description>
            <dc:language><rdf:Bag><rdf:li>fr-FR</rdf:li></rdf:Bag></dc:language>
            <xmp:CreatorTool>Jafer</xmp:CreatorTool><xmp:CreateDate>{made}</xmp:CreateDate>
            </rdf:Description></rdf:RDF></x:xmpmeta>
            <?xpacket end="w"?>
            """;
    }

    private sealed record Run(string Text, XFont Font, double Width, Uri? Link);

    private sealed record Line(List<Run> Runs);
}
