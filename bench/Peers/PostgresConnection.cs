// SPDX-License-Identifier: Apache-2.0
using Npgsql;

namespace Muster.Peers;

/// <summary>Opens connections to the benchmark's database; the first one makes its table.</summary>
internal static class PostgresConnection
{
    public static NpgsqlConnection Open(int port)
    {
        var options = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = "postgres",
            Database = "postgres",
            Pooling = false,
            MaxAutoPrepare = 20,
            AutoPrepareMinUsages = 2,
        };
        var connection = new NpgsqlConnection(options.ConnectionString);
        connection.Open();
        Execute(connection, "select pg_advisory_lock(1)");
        Execute(connection, "create table if not exists jobs(id bigserial primary key, payload bytea not null)");
        Execute(connection, "select pg_advisory_unlock(1)");
        return connection;
    }

    public static void Execute(NpgsqlConnection connection, string text)
    {
        using var command = new NpgsqlCommand(text, connection);
        command.ExecuteNonQuery();
    }
}
