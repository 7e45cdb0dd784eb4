using System.Diagnostics;
using Jafer.Testing;

namespace Jafer.Notifications.Tests;

/// <summary>The service in a process of its own, which a test can kill as a power cut would.</summary>
internal static class NotificationsProcess
{
    /// <summary>Starts it and waits until it is healthy.</summary>
    public static Task<Process> StartAsync(TestDatabase database, string prefix, int grpcPort, int healthPort, params IReadOnlyList<(string Key, string Value)> more) =>
        ServiceProcess.StartAsync(NotificationsModule.Name, "Jafer.Notifications", database, prefix, grpcPort, healthPort, more);
}
