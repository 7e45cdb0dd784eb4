namespace Jafer.ServiceDefaults.Tests;

internal static class Organisations
{
    public static Guid Court { get; } = StableIds.Court("tj69123");

    public static Guid OtherCourt { get; } = StableIds.Court("tj01053");

    public static Guid Operator { get; } = StableIds.For("organisation:operateur:national");

    public static Guid New() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
}
