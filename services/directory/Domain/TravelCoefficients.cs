using System.Text.Json;
using System.Text.Json.Serialization;

namespace Jafer.Directory.Domain;

/// <summary>The fitted coefficients of the travel model, read from <c>travel-model.json</c>, whose text states the formula.</summary>
internal sealed record TravelCoefficients(
    [property: JsonPropertyName("constante"), JsonRequired] double Constant,
    [property: JsonPropertyName("pente_0_10"), JsonRequired] double Slope0To10,
    [property: JsonPropertyName("pente_10_40"), JsonRequired] double Slope10To40,
    [property: JsonPropertyName("pente_40_120"), JsonRequired] double Slope40To120,
    [property: JsonPropertyName("pente_plus_120"), JsonRequired] double SlopeOver120,
    [property: JsonPropertyName("urbain"), JsonRequired] double Urban,
    [property: JsonPropertyName("relief_0_150"), JsonRequired] double Relief0To150,
    [property: JsonPropertyName("relief_150_400"), JsonRequired] double Relief150To400,
    [property: JsonPropertyName("vallee"), JsonRequired] double Valley)
{
    private const int SupportedVersion = 1;

    private sealed record Document(
        [property: JsonPropertyName("version"), JsonRequired] int Version,
        [property: JsonPropertyName("coefficients"), JsonRequired] TravelCoefficients Coefficients);

    /// <summary>Reads the coefficients.</summary>
    /// <exception cref="InvalidDataException">The document is of another version of the formula.</exception>
    public static TravelCoefficients Read(Stream json)
    {
        var document = JsonSerializer.Deserialize<Document>(json)
            ?? throw new InvalidDataException("The travel model is empty.");
        return document.Version == SupportedVersion
            ? document.Coefficients
            : throw new InvalidDataException($"Travel model version {document.Version} is not the one implemented ({SupportedVersion}).");
    }
}
