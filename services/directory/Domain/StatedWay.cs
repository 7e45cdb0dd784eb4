namespace Jafer.Directory.Domain;

/// <summary>
/// One way as a distancier states it under the codes that its ends may have: the exact codes before others, and of equals, such as
/// the arrondissements of one commune, the mean. A road to one of them is a road.
/// </summary>
internal record struct StatedWay
{
    // One more than the rank, so that nothing stated is the default.
    private int _rank;
    private double _minutes;
    private int _roads;

    /// <summary>Takes in what is stated under one pair of codes.</summary>
    /// <param name="otherFrom">Whether the departure is named by another code.</param>
    /// <param name="otherTo">Whether the arrival is.</param>
    /// <param name="minutes">Minutes; null without a road.</param>
    public void Add(bool otherFrom, bool otherTo, float? minutes)
    {
        var rank = (otherFrom ? 2 : 0) + (otherTo ? 1 : 0) + 1;
        if (_rank != 0 && _rank < rank)
            return;
        if (_rank != rank)
            (_rank, _minutes, _roads) = (rank, 0, 0);
        if (minutes is not { } known)
            return;
        _minutes += known;
        _roads++;
    }

    /// <summary>The way; null when nothing is stated.</summary>
    public readonly Travel? Way => _rank == 0 ? null : Travel.Imported(_roads == 0 ? null : _minutes / _roads);

    /// <summary>
    /// Whether a way stated under other codes says anything of two places: within one commune of arrondissements it does not, since 0
    /// for the whole is not 0 between two of them.
    /// </summary>
    public static bool Holds(string from, string to) => Arrondissements.WholeCommune(from) != Arrondissements.WholeCommune(to);
}
