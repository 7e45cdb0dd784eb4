namespace Jafer.ServiceDefaults.Secrets;

/// <summary>A sealed value names a key that is not in the ring: it was removed too early, or belongs to another installation.</summary>
public sealed class SealKeyMissingException() : Exception("a value is sealed under a key that is not in the ring");

/// <summary>A sealed value was changed, cut or moved to another column.</summary>
public sealed class SealBrokenException() : Exception("a sealed value cannot be opened");
