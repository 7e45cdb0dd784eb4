namespace Jafer.Directory.Domain;

/// <summary>What the travel model needs to know of a commune.</summary>
/// <param name="Insee">INSEE code.</param>
/// <param name="IsCommune">True for a commune (type COM), false for an arrondissement of Paris, Lyon or Marseille.</param>
/// <param name="Latitude">Degrees north of the chef-lieu (WGS84), null when unknown.</param>
/// <param name="Longitude">Degrees east of the chef-lieu (WGS84), null when unknown.</param>
/// <param name="PopulationWithin10Km">Inhabitants of the communes whose chef-lieu lies within 10 km.</param>
/// <param name="ReliefMetres">Spread of the altitudes around the chef-lieu, in metres.</param>
/// <param name="RoadBlock">Two communes are linked by road only if their blocks are equal.</param>
internal sealed record TravelPlace(
    string Insee,
    bool IsCommune,
    double? Latitude,
    double? Longitude,
    int PopulationWithin10Km,
    int ReliefMetres,
    string RoadBlock);
