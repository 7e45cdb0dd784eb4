using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain.Survey;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Mesures.Survey;

/// <summary>The survey as the contract has it.</summary>
internal static class SurveyMapping
{
    /// <summary>A return without flags and equation.</summary>
    /// <param name="of">The return.</param>
    /// <param name="provisional">Whether its figures may still change.</param>
    /// <param name="onlyFigure">The one figure that is told; null for all.</param>
    public static Contracts.Mesure.V1.SserReturn ToProto(this Domain.Survey.SserReturn of, bool provisional, string? onlyFigure = null)
    {
        var proto = new Contracts.Mesure.V1.SserReturn
        {
            GestionnaireId = of.GestionnaireId.ToString(),
            Year = of.Year,
            State = of.State,
            Source = of.Source,
            GenerateTime = of.GeneratedAt?.ToProto(),
            ValidateTime = of.ValidatedAt?.ToProto(),
            Provisional = provisional,
            Etag = of.Version.ToEtag(),
        };
        proto.Figures.AddRange(of.Figures.Where(f => onlyFigure is null || f.Code == onlyFigure).Select(f =>
        {
            var figure = new SurveyFigure { Code = f.Code, Value = f.Value, Origin = f.Origin, Reason = f.Reason };
            if (f.Origin == SurveyFigureOrigin.Corrected && f.Computed is { } computed)
            {
                figure.ComputedValue = computed;
            }

            return figure;
        }));
        proto.Definitions.AddRange(of.Definitions);
        return proto;
    }

    /// <summary>An equation of stocks.</summary>
    public static StockEquation ToProto(this StockBalance of)
    {
        var proto = new StockEquation
        {
            Opening = of.Opening,
            OpeningReturned = of.OpeningReturned,
            Received = of.Received,
            Closed = of.Closed,
            Closing = of.Closing,
            Difference = of.Difference,
            Unexplained = of.Unexplained,
        };
        proto.Explanations.AddRange(of.Explained.Select(e => new StockDifference { Kind = e.Kind, Count = e.Count }));
        return proto;
    }

    /// <summary>A definition.</summary>
    public static SurveyDefinition ToProto(this SurveyDefinitionRow of)
    {
        var proto = new SurveyDefinition
        {
            Code = of.Code,
            Version = of.Version,
            FirstYear = of.FirstYear,
            LastYear = of.LastYear ?? 0,
            Wording = of.Wording,
            Excluded = of.Excluded,
            Source = of.Source,
        };
        foreach (var (name, value) in of.Parameters)
        {
            proto.Parameters[name] = value;
        }

        return proto;
    }

    /// <summary>A line of the catalogue.</summary>
    public static SurveyFigureDefinition ToProto(this SurveyFigureRow of) => new()
    {
        Code = of.Code,
        Section = of.Section,
        Unit = of.Unit,
        Label = of.Label,
        WholeCode = of.Whole,
        Set = of.Set,
        DefinitionCode = of.Definition,
    };

    /// <summary>A figure as it was published.</summary>
    public static PublishedFigure ToProto(this PublishedRow of) => new()
    {
        Value = of.Value,
        Unit = of.Unit,
        Population = of.Unit == "%" ? of.Population : "",
        Status = of.Status,
        Remark = of.Remark,
    };
}
