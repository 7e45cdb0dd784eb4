using Jafer.ServiceDefaults.Time;

namespace Jafer.Messaging.Attachments;

/// <summary>Wakes this replica's checks: there is a file to look at.</summary>
internal sealed class AttachmentSignal : WorkSignal;
