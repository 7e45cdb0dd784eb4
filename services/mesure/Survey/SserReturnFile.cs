using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain.Survey;
using Jafer.ServiceDefaults.Grpc;
using SserReturn = Jafer.Mesures.Domain.Survey.SserReturn;

namespace Jafer.Mesures.Survey;

/// <summary>A return as a file: the same bytes for the same return.</summary>
internal static class SserReturnFile
{
    private static readonly JsonWriterOptions s_json = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A line for each figure.</summary>
    /// <param name="of">The return.</param>
    public static byte[] Csv(SserReturn of)
    {
        var text = new StringBuilder(CsvText.Line(';', ["code", "libelle", "valeur", "unite", "origine", "valeur_calculee", "motif"]));
        foreach (var figure in of.Figures)
        {
            var row = SurveyCatalogue.BuiltIn.Find(figure.Code)!;
            text.Append(CsvText.Line(';',
            [
                figure.Code, row.Label, Number(figure.Value), row.Unit.ToCode(), figure.Origin.ToCode(), figure.Computed is { } computed ? Number(computed) : "",
                figure.Reason == SurveyCorrectionReason.Unspecified ? "" : figure.Reason.ToCode(),
            ]));
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>One object.</summary>
    /// <param name="of">The return.</param>
    /// <param name="balance">Its equation of stocks; null where a figure for it is missing.</param>
    public static byte[] Json(SserReturn of, StockBalance? balance)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, s_json))
        {
            json.WriteStartObject();
            json.WriteString("gestionnaireId", of.GestionnaireId);
            json.WriteNumber("year", of.Year);
            json.WriteString("state", of.State.ToCode());
            json.WriteString("source", of.Source.ToCode());
            json.WriteStartArray("definitions");
            foreach (var definition in of.Definitions)
            {
                json.WriteStringValue(definition);
            }

            json.WriteEndArray();
            json.WriteStartArray("figures");
            foreach (var figure in of.Figures)
            {
                json.WriteStartObject();
                json.WriteString("code", figure.Code);
                json.WriteString("label", SurveyCatalogue.BuiltIn.Find(figure.Code)!.Label);
                json.WriteNumber("value", figure.Value);
                json.WriteString("unit", SurveyCatalogue.BuiltIn.Find(figure.Code)!.Unit.ToCode());
                json.WriteString("origin", figure.Origin.ToCode());
                if (figure.Origin == SurveyFigureOrigin.Corrected)
                {
                    if (figure.Computed is { } computed)
                    {
                        json.WriteNumber("computedValue", computed);
                    }

                    json.WriteString("reason", figure.Reason.ToCode());
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            if (balance is not null)
            {
                json.WriteStartObject("equation");
                json.WriteNumber("opening", balance.Opening);
                json.WriteNumber("received", balance.Received);
                json.WriteNumber("closed", balance.Closed);
                json.WriteNumber("closing", balance.Closing);
                json.WriteNumber("difference", balance.Difference);
                json.WriteStartObject("explained");
                foreach (var (kind, count) in balance.Explained)
                {
                    json.WriteNumber(kind.ToCode(), count);
                }

                json.WriteEndObject();
                json.WriteNumber("unexplained", balance.Unexplained);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
