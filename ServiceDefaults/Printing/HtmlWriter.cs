using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Jafer.ServiceDefaults.Printing;

/// <summary>
/// A document as a whole web page: one file that loads nothing, works without a script, prints on A4 and zooms to any size.
/// Every text is encoded; nothing else than this class writes a tag.
/// </summary>
public static class HtmlWriter
{
    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(UnicodeRanges.All);

    // Colours of at least 7:1 on their ground. Lengths follow the reader's own font size.
    private const string Style = """
        :root { color-scheme: light; }
        * { box-sizing: border-box; }
        body { margin: 0; padding: 1.5rem 1rem 3rem; background: #fff; color: #161616;
          font: 1.125rem/1.6 Arial, "Liberation Sans", "DejaVu Sans", sans-serif; }
        main, footer { max-width: 46rem; margin: 0 auto; overflow-wrap: break-word; }
        h1 { margin: 0 0 1.5rem; padding-bottom: .75rem; border-bottom: .25rem solid #000091; color: #000091; font-size: 1.9rem; line-height: 1.25; }
        h2 { margin: 2.25rem 0 .75rem; color: #000091; font-size: 1.4rem; line-height: 1.3; }
        h3 { margin: 1.5rem 0 .5rem; font-size: 1.15rem; }
        p { margin: 0 0 .9rem; }
        ul { margin: 0 0 1rem; padding-left: 1.5rem; }
        li { margin-bottom: .4rem; }
        a { color: #000091; text-underline-offset: .15em; }
        a:focus-visible, .wide:focus-visible { outline: .2rem solid #0a76f6; outline-offset: .15rem; }
        .callout { margin: 0 0 1.25rem; padding: 1rem 1.25rem .4rem; border-left: .35rem solid #000091; background: #f0f0fb; }
        dl { margin: 0 0 1rem; display: grid; grid-template-columns: minmax(10rem, 17rem) 1fr; gap: .35rem 1.25rem; }
        dt { font-weight: bold; }
        dd { margin: 0; overflow-wrap: anywhere; }
        .wide { overflow-x: auto; margin: 0 0 1.5rem; }
        table { width: 100%; border-collapse: collapse; font-size: 1rem; line-height: 1.45; }
        caption { padding: 0 0 .5rem; text-align: left; font-weight: bold; }
        th, td { padding: .45rem .6rem; border: 1px solid #6a6a6a; text-align: left; vertical-align: top; }
        thead th { background: #e3e3fd; }
        tbody th { font-weight: normal; }
        footer { margin-top: 2.5rem; padding-top: .75rem; border-top: 1px solid #6a6a6a; color: #3a3a3a; font-size: .95rem; }
        @media (max-width: 34rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; } }
        @page { size: A4; margin: 18mm 16mm; }
        @media print {
          body { padding: 0; font-size: 11.5pt; line-height: 1.45; }
          main, footer { max-width: none; }
          h1 { font-size: 19pt; } h2 { font-size: 14pt; margin-top: 14pt; } h3 { font-size: 12pt; }
          h2, h3, caption { break-after: avoid; }
          li, tr, .callout { break-inside: avoid; }
          thead { display: table-header-group; }
          table { font-size: 9.5pt; }
          .wide { overflow: visible; }
          a[href^="https"]::after { content: " (" attr(href) ")"; font-size: 9.5pt; }
        }
        """;

    /// <summary>Writes the page.</summary>
    /// <param name="document">The document.</param>
    public static string Write(PrintedDocument document)
    {
        var html = new StringBuilder(8 * 1024);
        html.Append("<!DOCTYPE html>\n<html lang=\"fr\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
        html.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
        html.Append("<meta name=\"description\" content=\"").Append(Encode(document.Subject)).Append("\">\n<title>").Append(Encode(document.Title));
        html.Append("</title>\n<style>\n").Append(Style).Append("\n</style>\n</head>\n<body>\n<main>\n");
        Element(html, "h1", document.Title);
        foreach (var (number, block) in document.Blocks.Index())
        {
            Write(html, block, number);
        }

        html.Append("</main>\n<footer>\n");
        Element(html, "p", document.Reference);
        return html.Append("</footer>\n</body>\n</html>\n").ToString();
    }

    private static void Write(StringBuilder html, Block block, int number)
    {
        switch (block)
        {
            case Heading heading:
                Element(html, heading.Level == 2 ? "h2" : "h3", heading.Text);
                break;
            case Paragraph paragraph:
                Element(html, "p", paragraph.Text);
                break;
            case Callout callout:
                html.Append("<div class=\"callout\">\n");
                foreach (var line in callout.Lines)
                {
                    Element(html, "p", line);
                }

                html.Append("</div>\n");
                break;
            case Points points:
                html.Append("<ul>\n");
                foreach (var item in points.Items)
                {
                    Element(html, "li", item);
                }

                html.Append("</ul>\n");
                break;
            case Values values:
                html.Append("<dl>\n");
                foreach (var (name, value) in values.Items)
                {
                    Element(html, "dt", name);
                    Element(html, "dd", value);
                }

                html.Append("</dl>\n");
                break;
            case Table table:
                Write(html, table, number);
                break;
            default:
                throw new InvalidOperationException($"{block.GetType().Name} is not written");
        }
    }

    private static void Write(StringBuilder html, Table table, int number)
    {
        // On a narrow screen the table scrolls by itself; whoever has no pointer reaches it by the keyboard.
        var id = string.Create(CultureInfo.InvariantCulture, $"tableau-{number}");
        html.Append("<div class=\"wide\" role=\"region\" aria-labelledby=\"").Append(id).Append("\" tabindex=\"0\">\n<table>\n<caption id=\"").Append(id).Append("\">");
        html.Append(Encode(table.Caption)).Append("</caption>\n<thead>\n<tr>");
        foreach (var column in table.Columns)
        {
            html.Append("<th scope=\"col\">").Append(Encode(column)).Append("</th>");
        }

        html.Append("</tr>\n</thead>\n<tbody>\n");
        foreach (var row in table.Rows)
        {
            html.Append("<tr>");
            foreach (var (i, cell) in row.Index())
            {
                html.Append(i == 0 ? "<th scope=\"row\">" : "<td>").Append(Encode(cell)).Append(i == 0 ? "</th>" : "</td>");
            }

            html.Append("</tr>\n");
        }

        html.Append("</tbody>\n</table>\n</div>\n");
    }

    private static void Element(StringBuilder html, string tag, RichText text)
    {
        html.Append('<').Append(tag).Append('>');
        foreach (var span in text.Spans)
        {
            var (before, after) = span switch
            {
                { Link: { } link } => ($"<a href=\"{Encode(link.AbsoluteUri)}\">", "</a>"),
                { Strong: true } => ("<strong>", "</strong>"),
                _ => ("", ""),
            };
            html.Append(before).Append(Encode(span.Text)).Append(after);
        }

        html.Append("</").Append(tag).Append(">\n");
    }

    private static string Encode(string text) => s_encoder.Encode(French.Spaced(text));
}
