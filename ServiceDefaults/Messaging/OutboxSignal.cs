using Jafer.ServiceDefaults.Time;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>Wakes the relay of this process after a commit that left something in the outbox.</summary>
public sealed class OutboxSignal : WorkSignal;
