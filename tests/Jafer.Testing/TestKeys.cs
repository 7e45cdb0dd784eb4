using Jafer.ServiceDefaults.Secrets;

namespace Jafer.Testing;

/// <summary>The key under which tests seal.</summary>
public static class TestKeys
{
    /// <summary>Its id.</summary>
    public const string Id = "tests";

    /// <summary>The key in base64.</summary>
    public const string Key = "dGVzdHMgb2YgSmFmZXIgc2VhbCB1bmRlciB0aGlzLi4=";

    /// <summary>A ring with this key alone.</summary>
    public static KeyRing Ring { get; } = new(Id, new Dictionary<string, byte[]> { [Id] = Convert.FromBase64String(Key) });
}
