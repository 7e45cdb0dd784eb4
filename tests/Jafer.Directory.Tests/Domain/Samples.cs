using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;

namespace Jafer.Directory.Tests.Domain;

/// <summary>Espaces, offers and mesures to start from.</summary>
internal static class Samples
{
    public static readonly DateOnly Day = new(2026, 11, 21);

    public static readonly MesureNeeds Needs = new() { Modalite = Modalite.Visite, Decision = Day, Today = Day, YoungestAge = 4, OldestAge = 9, Children = 2 };

    public static readonly TravelCoefficients Coefficients = new(0.846, 0.866, 1.006, 0.681, 0.748, 0.938, 0.366, 0.137, 0.766);

    public static EspaceFacts Espace(int id = 1, params LieuFacts[] lieux) => new()
    {
        Id = new Guid(id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        Departement = "69",
        State = EspaceState.Ouvert,
        Agrements = [new(new(Day.AddYears(-1), null), ulong.MaxValue)],
        Lieux = lieux.Length == 0 ? [new(0, LieuAccess.None)] : lieux,
    };

    public static Offer Offer(EspaceFacts? espace = null, int? wait = 10, ModaliteState state = ModaliteState.Ouverte) => new()
    {
        Espace = espace ?? Espace(),
        Modalite = Modalite.Visite,
        State = state,
        Wait = wait is { } days ? new Wait(days, Day) : null,
        WaitSource = FigureSource.Declared,
    };

    /// <summary>The columns of lieux that lie nowhere: all ways to them are given.</summary>
    public static LieuColumns Nowhere(IReadOnlyList<int> communes) => new(Coefficients, [.. communes.Select(c => (c, default(PlaceOnSphere)))]);

    public static OfferIndex Index(params Offer[] offers) => new(offers, Day, Nowhere);
}
