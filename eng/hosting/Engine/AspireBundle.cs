using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting.Engine;

/// <summary>Where DCP (starts processes) and the dashboard lie, both from the Aspire CLI's bundle.</summary>
internal sealed record AspireBundle(string Dcp, string Dashboard)
{
    /// <summary>
    /// Looks where the genuine host looks (ASPIRE_DCP_PATH and ASPIRE_DASHBOARD_PATH, DcpPublisher:CliPath and DashboardPath),
    /// then in the checkout's own copy, ASPIRE_HOME and the user's ~/.aspire.
    /// </summary>
    /// <exception cref="DistributedApplicationException">None of these places holds it.</exception>
    public static AspireBundle Find(IConfiguration configuration, string appHostDirectory)
    {
        var places = new[]
        {
            (Dcp: configuration["ASPIRE_DCP_PATH"] is { } dcp ? Path.Combine(dcp, "dcp") : configuration["DcpPublisher:CliPath"],
                Dashboard: configuration["ASPIRE_DASHBOARD_PATH"] ?? configuration["DcpPublisher:DashboardPath"]),
            InFolder(Path.Combine(appHostDirectory, "..", ".jafer", "aspire")),
            InFolder(configuration["ASPIRE_HOME"]),
            InFolder(Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aspire")),
        };
        foreach (var (dcpFile, dashboardFile) in places)
        {
            if (File.Exists(dcpFile) && File.Exists(dashboardFile))
                return new AspireBundle(Path.GetFullPath(dcpFile), Path.GetFullPath(dashboardFile));
        }
        throw new DistributedApplicationException("Aspire's bundle (DCP and dashboard) was not found in "
            + string.Join(", ", places.Select(p => p.Dcp).OfType<string>()) + ". Run eng/setup.sh, which installs it.");
    }

    private static (string? Dcp, string? Dashboard) InFolder(string? home) => string.IsNullOrEmpty(home)
        ? (null, null)
        : (Path.Combine(home, "bundle", "dcp", "dcp"), Path.Combine(home, "bundle", "managed", "aspire-managed"));
}
