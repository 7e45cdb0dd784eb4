using System.Text;
using Grpc.Core;
using Npgsql;

namespace Jafer.ServiceDefaults.Telemetry;

#pragma warning disable RS0030 // The answers of other services are described.

/// <summary>
/// What may be logged of an exception: its types, SQL states, constraint names and stack. Messages are left out, because
/// those of databases and parsers quote values, and values here may be a child's name.
/// </summary>
public static class Redaction
{
    /// <summary>The exception and those inside it, without their messages.</summary>
    /// <param name="exception">The exception.</param>
    public static string Describe(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        var text = new StringBuilder();
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (text.Length > 0)
            {
                text.Append(" <- ");
            }

            text.Append(e.GetType().FullName);
            if (e is PostgresException postgres)
            {
                text.Append('[').Append(postgres.SqlState).Append(' ').Append(postgres.TableName).Append(' ').Append(postgres.ConstraintName).Append(']');
            }
            else if (e is RpcException answer)
            {
                text.Append('[').Append(answer.StatusCode).Append(']');
            }
        }

        return text.AppendLine().Append(exception.StackTrace).ToString();
    }
}
