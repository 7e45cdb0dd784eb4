using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting.Testing;

/// <summary>Ways for a test into a started application.</summary>
public static class DistributedApplicationHostingTestingExtensions
{
    /// <summary>The public address of an endpoint; without a name the http one, or the only one.</summary>
    /// <exception cref="ArgumentException">There is no such resource or endpoint.</exception>
    public static Uri GetEndpoint(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        var resource = Find<IResourceWithEndpoints>(app, resourceName);
        var endpoints = resource.All<EndpointAnnotation>().ToArray();
        var found = endpoints.FirstOrDefault(e => e.Name == (endpointName ?? "http")) ?? (endpointName is null ? endpoints.FirstOrDefault() : null)
            ?? throw new ArgumentException($"'{resourceName}' has no endpoint '{endpointName}'.", nameof(endpointName));
        return new Uri(new EndpointReference(resource, found.Name).Url);
    }

    public static HttpClient CreateHttpClient(this DistributedApplication app, string resourceName, string? endpointName = null) =>
        new() { BaseAddress = app.GetEndpoint(resourceName, endpointName) };

    public static ValueTask<string?> GetConnectionStringAsync(this DistributedApplication app, string resourceName, CancellationToken cancellationToken = default) =>
        Find<IResourceWithConnectionString>(app, resourceName).GetConnectionStringAsync(cancellationToken);

    private static T Find<T>(DistributedApplication app, string name) where T : class, IResource =>
        app.Services.GetRequiredService<DistributedApplicationModel>().Resources.FirstOrDefault(r => r.Name == name) as T
            ?? throw new ArgumentException($"There is no such resource: '{name}'.", nameof(name));
}
