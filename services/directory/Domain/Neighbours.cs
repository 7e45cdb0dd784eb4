namespace Jafer.Directory.Domain;

/// <summary>
/// Which zones lie side by side, found from the points of their communes alone: two zones are neighbours when, for a commune of
/// one of them, a commune of the other is among the six nearest within 20 km that a road links.
/// </summary>
internal static class Neighbours
{
    private const int Nearest = 6;
    private const double MaxKm = 20;
    private const double CellDegrees = 0.2;

    /// <summary>Pairs of communes that lie side by side, as positions in the model.</summary>
    public static List<(int A, int B)> Of(TravelModel places)
    {
        var cells = new Dictionary<(int, int), List<int>>();
        for (var i = 0; i < places.Codes.Count; i++)
        {
            if (!places.IsCommune(i) || places.PointOf(i) is not { } point)
                continue;
            var cell = Cell(point.Latitude, point.Longitude);
            if (!cells.TryGetValue(cell, out var members))
                cells.Add(cell, members = []);
            members.Add(i);
        }
        var pairs = new List<(int, int)>(cells.Values.Sum(c => c.Count) * Nearest);
        var near = new List<(double Km, int Place)>();
        foreach (var i in cells.Values.SelectMany(c => c))
        {
            Collect(i);
            near.Sort();
            foreach (var (_, j) in near.Take(Nearest))
                pairs.Add((i, j));
        }
        return pairs;

        void Collect(int i)
        {
            near.Clear();
            var (latitude, longitude) = places.PointOf(i)!.Value;
            var (row, column) = Cell(latitude, longitude);
            // A degree of longitude is shorter than one of latitude: more columns cover the same kilometres.
            var columns = (int)Math.Ceiling(1 / Math.Max(0.3, Math.Cos(double.DegreesToRadians(latitude))));
            for (var r = row - 1; r <= row + 1; r++)
            {
                for (var c = column - columns; c <= column + columns; c++)
                {
                    foreach (var j in cells.GetValueOrDefault((r, c)) ?? [])
                    {
                        if (j == i || places.BlockOf(j) != places.BlockOf(i))
                            continue;
                        var other = places.PointOf(j)!.Value;
                        var km = TravelModel.GreatCircleKm(latitude, longitude, other.Latitude, other.Longitude);
                        if (km <= MaxKm)
                            near.Add((km, j));
                    }
                }
            }
        }
    }

    private static (int, int) Cell(double latitude, double longitude) =>
        ((int)Math.Floor(latitude / CellDegrees), (int)Math.Floor(longitude / CellDegrees));
}
