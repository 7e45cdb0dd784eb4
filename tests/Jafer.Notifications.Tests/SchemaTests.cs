using Jafer.Notifications.Data;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Notifications.Tests;

public sealed class SchemaTests(NotificationsFixture fixture)
{
    [Fact]
    public async Task Model_AgainstTheMigratedDatabase_HasNoDifference()
    {
        await using var scope = fixture.Host.App.Services.CreateAsyncScope();

        Assert.Empty(await SchemaComparison.DifferencesAsync(scope.ServiceProvider.GetRequiredService<NotificationsDbContext>()));
    }
}
