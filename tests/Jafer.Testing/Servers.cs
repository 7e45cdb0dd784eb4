namespace Jafer.Testing;

/// <summary>
/// The real servers that tests run against, named by environment: JAFER_TEST_POSTGRES (a connection string of a role that may
/// create databases) and JAFER_TEST_RABBITMQ (an amqp address). `./jafer test` starts them; `./jafer servers start` and
/// `eval "$(./jafer servers env)"` do it for a development environment. A missing server fails the test.
/// </summary>
public static class Servers
{
    /// <summary>Connection string of PostgreSQL.</summary>
    public static string Postgres => Required("JAFER_TEST_POSTGRES");

    /// <summary>Address of RabbitMQ.</summary>
    public static string RabbitMq => Required("JAFER_TEST_RABBITMQ");

    private static string Required(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"{name} is not set: run ./jafer test, or ./jafer servers start and eval \"$(./jafer servers env)\"");
}
