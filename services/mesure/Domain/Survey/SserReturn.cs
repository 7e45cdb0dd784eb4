using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain.Survey;

/// <summary>One figure of a return.</summary>
/// <param name="Code">Code of the catalogue.</param>
/// <param name="Value">Value in its unit.</param>
/// <param name="Origin">How it came.</param>
/// <param name="Computed">What had been computed or declared where it was corrected; null else, or where nothing had been.</param>
/// <param name="Reason">Why it was corrected.</param>
internal sealed record ReturnFigure(
    string Code, long Value, SurveyFigureOrigin Origin, long? Computed = null, SurveyCorrectionReason Reason = SurveyCorrectionReason.Unspecified);

/// <summary>A correction of a figure.</summary>
/// <param name="Code">Code of the figure.</param>
/// <param name="Value">The right value; null takes a correction back.</param>
/// <param name="Reason">Why.</param>
internal sealed record FigureCorrection(string Code, long? Value, SurveyCorrectionReason Reason);

/// <summary>The return of a gestionnaire for a year: figures alone, nobody's data.</summary>
[Holds(DataCategory.Statistics, Processing.Figures, Kept.Unlimited)]
internal sealed class SserReturn
{
    public required Guid GestionnaireId { get; init; }

    public required int Year { get; init; }

    public SserReturnState State { get; private set; } = SserReturnState.Missing;

    public SserReturnSource Source { get; private set; }

    /// <summary>In the order of the catalogue.</summary>
    public IReadOnlyList<ReturnFigure> Figures { get; private set; } = [];

    /// <summary>Names of the definitions by which it was computed; empty unless it was.</summary>
    public string[] Definitions { get; private set; } = [];

    /// <summary>Whether the campaign of the year asked for it.</summary>
    public bool Asked { get; private set; }

    public DateTimeOffset? GeneratedAt { get; private set; }

    public DateTimeOffset? ValidatedAt { get; private set; }

    /// <summary>Number of times that it changed; 0 before it was kept.</summary>
    public long Version { get; private set; }

    /// <summary>The value of a figure; null where it is not known.</summary>
    public long? this[string code] => Figures.FirstOrDefault(f => f.Code == code)?.Value;

    /// <summary>The campaign of its year asks for it.</summary>
    public void Ask()
    {
        Asked = true;
        Version++;
    }

    /// <summary>
    /// Takes what was counted and declared. Corrections stand, beside what is computed now; what the directory could not say is what it
    /// said before.
    /// </summary>
    /// <param name="counted">Counts by code; a counted figure that is missing is 0.</param>
    /// <param name="declared">What the gestionnaire declared, by code; null where the directory did not answer.</param>
    /// <param name="definitions">Names of the definitions.</param>
    /// <param name="now">Now.</param>
    /// <returns>Whether anything is other than it was.</returns>
    public bool Generate(IReadOnlyDictionary<string, long> counted, IReadOnlyDictionary<string, long>? declared, string[] definitions, DateTimeOffset now)
    {
        if (State is SserReturnState.Validated or SserReturnState.Imputed)
        {
            throw DomainError.StateForbids(State.ToCode(), "GENERATE_SSER_RETURN");
        }

        var before = Figures.ToDictionary(f => f.Code);
        var figures = new List<ReturnFigure>();
        foreach (var row in SurveyCatalogue.BuiltIn.Figures)
        {
            var was = before.GetValueOrDefault(row.Code);
            var (value, origin) = row.IsCounted
                ? (counted.GetValueOrDefault(row.Code), SurveyFigureOrigin.Computed)
                : (declared is null ? (was?.Origin == SurveyFigureOrigin.Corrected ? was.Computed : was?.Value)
                    : declared.TryGetValue(row.Code, out var said) ? said : null as long?, SurveyFigureOrigin.Declared);
            if (was?.Origin == SurveyFigureOrigin.Corrected)
            {
                figures.Add(was with { Computed = value });
            }
            else if (value is { } known)
            {
                figures.Add(new ReturnFigure(row.Code, known, origin));
            }
        }

        if (Source == SserReturnSource.Computed && figures.SequenceEqual(Figures) && definitions.SequenceEqual(Definitions))
        {
            return false;
        }

        (Figures, Definitions, Source, GeneratedAt) = (figures, definitions, SserReturnSource.Computed, now);
        State = figures.Exists(f => f.Origin == SurveyFigureOrigin.Corrected) ? SserReturnState.Corrected : SserReturnState.Prefilled;
        Version++;
        return true;
    }

    /// <summary>Puts figures in the place of those that stand, or takes corrections back.</summary>
    /// <param name="corrections">Corrections, each figure once.</param>
    public void Correct(IReadOnlyCollection<FigureCorrection> corrections)
    {
        if (State is not (SserReturnState.Prefilled or SserReturnState.Corrected))
        {
            throw DomainError.StateForbids(State.ToCode(), "CORRECT_SSER_RETURN");
        }

        var figures = Figures.ToDictionary(f => f.Code);
        foreach (var correction in corrections)
        {
            var was = figures.GetValueOrDefault(correction.Code);
            var computed = was?.Origin == SurveyFigureOrigin.Corrected ? was.Computed : was?.Value;
            if (correction.Value is { } value)
            {
                figures[correction.Code] = new ReturnFigure(correction.Code, value, SurveyFigureOrigin.Corrected, computed, correction.Reason);
            }
            else if (was?.Origin == SurveyFigureOrigin.Corrected)
            {
                if (computed is { } stands)
                {
                    figures[correction.Code] = new ReturnFigure(
                        correction.Code, stands, SurveyCatalogue.BuiltIn.Find(correction.Code)!.IsCounted ? SurveyFigureOrigin.Computed : SurveyFigureOrigin.Declared);
                }
                else
                {
                    figures.Remove(correction.Code);
                }
            }
        }

        Figures = InOrder(figures.Values);
        State = Figures.Any(f => f.Origin == SurveyFigureOrigin.Corrected) ? SserReturnState.Corrected : SserReturnState.Prefilled;
        Version++;
    }

    /// <summary>It is the answer of the gestionnaire.</summary>
    /// <param name="now">Now.</param>
    public void Validate(DateTimeOffset now)
    {
        if (State is not (SserReturnState.Prefilled or SserReturnState.Corrected))
        {
            throw DomainError.StateForbids(State.ToCode(), "VALIDATE_SSER_RETURN");
        }

        (State, ValidatedAt) = (SserReturnState.Validated, now);
        Version++;
    }

    /// <summary>Whether the gestionnaire has worked on it here: nobody types or imports another answer over that.</summary>
    public bool IsItsOwn => Source == SserReturnSource.Computed && State is SserReturnState.Corrected or SserReturnState.Validated;

    /// <summary>
    /// Takes the validation back: the gestionnaire that of its own return, the statistician what was typed or imported for it, which is
    /// missing then.
    /// </summary>
    /// <param name="byItself">Whether the gestionnaire does.</param>
    public void Reopen(bool byItself)
    {
        if (State != SserReturnState.Validated || (Source == SserReturnSource.Computed) != byItself)
        {
            throw DomainError.StateForbids(State.ToCode(), "REOPEN_SSER_RETURN");
        }

        if (!byItself)
        {
            (Figures, Source, GeneratedAt, ValidatedAt, State) = ([], SserReturnSource.Unspecified, null, null, SserReturnState.Missing);
            Version++;
            return;
        }

        State = Figures.Any(f => f.Origin == SurveyFigureOrigin.Corrected) ? SserReturnState.Corrected : SserReturnState.Prefilled;
        ValidatedAt = null;
        Version++;
    }

    /// <summary>Takes what was answered elsewhere, as validated.</summary>
    /// <param name="figures">The figures, by code.</param>
    /// <param name="source">Typed or imported.</param>
    /// <param name="now">Now.</param>
    /// <returns>Whether anything is other than it was.</returns>
    public bool Record(IReadOnlyDictionary<string, long> figures, SserReturnSource source, DateTimeOffset now)
    {
        if (IsItsOwn)
        {
            throw DomainError.StateForbids(State.ToCode(), "RECORD_SSER_RETURN", "the gestionnaire corrected or validated a return of its own");
        }

        var recorded = InOrder(figures.Select(f => new ReturnFigure(f.Key, f.Value, SurveyFigureOrigin.Typed)));
        if (State == SserReturnState.Validated && recorded.SequenceEqual(Figures))
        {
            return false;
        }

        Version++;
        (Figures, Source, Definitions, GeneratedAt, ValidatedAt, State) = (recorded, source, [], now, now, SserReturnState.Validated);
        return true;
    }

    /// <summary>
    /// Takes figures in the place of an answer that never came, and in an answer that was validated in the place of those that are missing.
    /// </summary>
    /// <param name="figures">All figures, by code; those of a validated return are as it says.</param>
    /// <param name="now">Now.</param>
    /// <returns>Whether anything is other than it was.</returns>
    public bool Impute(IReadOnlyDictionary<string, long> figures, DateTimeOffset now)
    {
        if (State == SserReturnState.Validated)
        {
            var told = Figures.Select(f => f.Code).ToHashSet();
            var missing = figures.Where(f => !told.Contains(f.Key)).Select(f => new ReturnFigure(f.Key, f.Value, SurveyFigureOrigin.Imputed)).ToList();
            if (missing.Count == 0)
            {
                return false;
            }

            Figures = InOrder(Figures.Concat(missing));
            Version++;
            return true;
        }

        Version++;
        Figures = InOrder(figures.Select(f => new ReturnFigure(f.Key, f.Value, SurveyFigureOrigin.Imputed)));
        (Source, Definitions, GeneratedAt, State) = (SserReturnSource.Imputed, [], now, SserReturnState.Imputed);
        return true;
    }

    private static List<ReturnFigure> InOrder(IEnumerable<ReturnFigure> figures) =>
        [.. figures.OrderBy(f => SurveyCatalogue.BuiltIn.Find(f.Code)!.Number)];
}

/// <summary>A return as it stood at one time.</summary>
[Holds(DataCategory.Statistics, Processing.Figures, Kept.Unlimited)]
internal sealed class SserReturnVersion
{
    public required Guid GestionnaireId { get; init; }

    public required int Year { get; init; }

    public required long Version { get; init; }

    public required SserReturnState State { get; init; }

    public required SserReturnSource Source { get; init; }

    public required IReadOnlyList<ReturnFigure> Figures { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }

    /// <summary>The organisation by whose call it came.</summary>
    public required Guid OrganisationId { get; init; }

    /// <summary>A return as it stands.</summary>
    public static SserReturnVersion Of(SserReturn of, Guid organisationId, DateTimeOffset now) => new()
    {
        GestionnaireId = of.GestionnaireId,
        Year = of.Year,
        Version = of.Version,
        State = of.State,
        Source = of.Source,
        Figures = of.Figures,
        RecordedAt = now,
        OrganisationId = organisationId,
    };
}

/// <summary>A figure of the nation for a year of which no returns are known.</summary>
[Holds(DataCategory.Public, Processing.Figures, Kept.Unlimited)]
internal sealed class NationalFigure
{
    public required int Year { get; init; }

    public required string Code { get; init; }

    public required long Value { get; set; }
}
