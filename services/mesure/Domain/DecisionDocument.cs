using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>A file of the decision as it was attached; its bytes stand apart, in chunks. A file is never changed, only replaced.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class DecisionDocument
{
    public required Guid Id { get; init; }

    public required Guid MesureId { get; init; }

    /// <summary>The file with which the bytes came: itself, or that of the mesure which this one continues.</summary>
    public required Guid ContentId { get; init; }

    /// <summary>Counts the files of the mesure from 1.</summary>
    public required int Number { get; init; }

    public required long SizeBytes { get; init; }

    public required byte[] Sha256 { get; init; }

    public required DateTimeOffset AttachedAt { get; init; }

    /// <summary>Null for the current file.</summary>
    public DateTimeOffset? ReplacedAt { get; set; }

    /// <summary>When it was erased for this mesure; null while it can be read.</summary>
    public DateTimeOffset? ErasedAt { get; private set; }

    /// <summary>The same file in another mesure.</summary>
    public DecisionDocument For(Guid id, Guid mesureId) => new()
    {
        Id = id,
        MesureId = mesureId,
        ContentId = ContentId,
        Number = Number,
        SizeBytes = SizeBytes,
        Sha256 = Sha256,
        AttachedAt = AttachedAt,
        ReplacedAt = ReplacedAt,
    };
}

/// <summary>Bytes of a file, in the order of their numbers.</summary>
[Holds(DataCategory.Technical, Processing.Mesures, Kept.WithMesure)]
internal sealed class DecisionDocumentChunk
{
    public required Guid DocumentId { get; init; }

    /// <summary>From 0, without gap.</summary>
    public required int Number { get; init; }

    [Sealed(DataCategory.Document)]
    public required byte[] Data { get; init; }
}
