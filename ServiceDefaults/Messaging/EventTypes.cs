using System.Collections.Frozen;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Jafer.Contracts.Events;
using MassTransit;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>The domain events by their name in the broker, and their JSON.</summary>
public static class EventTypes
{
    private static readonly FrozenDictionary<string, Type> s_byName = typeof(DomainEvent).Assembly.GetTypes()
        .Where(t => t is { IsAbstract: false } && t.IsSubclassOf(typeof(DomainEvent)))
        .ToFrozenDictionary(t => t.GetCustomAttribute<EntityNameAttribute>()!.EntityName, StringComparer.Ordinal);

    private static readonly FrozenDictionary<Type, string> s_byType = s_byName.ToFrozenDictionary(p => p.Value, p => p.Key);

    /// <summary>How events are written: camelCase, nothing for what is absent.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Every event type.</summary>
    public static IReadOnlyCollection<Type> All => s_byName.Values;

    /// <summary>The name of an event in the broker, such as "mesure.mesure-transmitted.v1".</summary>
    public static string NameOf(Type type) => s_byType[type];

    /// <summary>The type of a name; null when this version does not know it.</summary>
    public static Type? TypeOf(string name) => s_byName.GetValueOrDefault(name);

    /// <summary>An event that is filled by <c>with</c>: what all of its kind say stands in one place. Until then it is not looked at.</summary>
    public static T Blank<T>()
        where T : DomainEvent => (T)RuntimeHelpers.GetUninitializedObject(typeof(T));
}
