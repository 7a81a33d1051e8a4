// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Npgsql;

namespace Muster.Peers;

/// <summary>
/// Takes jobs by the batch. Results go to the client in notices, as with the queues that are built on PostgreSQL:
/// several in each, at the commit that deletes their jobs.
/// </summary>
internal sealed class PostgresWorker(int port, Action? command)
{
    // A notice holds 8,000 bytes at most.
    private const int ResultsOfNoticeMax = 150;
    private const int JobsMax = 500;
    private const int CommandsMax = 5;
    private static readonly string s_result = new('r', 32);

    public void Run()
    {
        using var connection = PostgresConnection.Open(port);
        var isTold = false;
        connection.Notification += (_, _) => isTold = true;
        PostgresConnection.Execute(connection, "listen jobs");
        using var take = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("begin"),
                new NpgsqlBatchCommand(
                    "delete from jobs where id in (select id from jobs order by id limit $1 for update skip locked) "
                    + "returning id, payload")
                {
                    Parameters = { new NpgsqlParameter { Value = command is null ? JobsMax : CommandsMax } },
                },
            },
        };
        var notices = new NpgsqlParameter { Value = Array.Empty<string>() };
        using var give = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("select pg_notify('results', x) from unnest($1::text[]) x")
                {
                    Parameters = { notices },
                },
                new NpgsqlBatchCommand("commit"),
            },
        };
        while (true)
        {
            isTold = false;
            var jobs = Take(take);
            if (jobs.Count == 0)
            {
                PostgresConnection.Execute(connection, "rollback");

                // A notice of jobs that came after the look is heard with the answer to the rollback.
                if (!isTold)
                {
                    connection.Wait();
                }

                continue;
            }

            notices.Value = jobs.Select(id => $"{id}:{s_result}").Chunk(ResultsOfNoticeMax)
                .Select(results => string.Join(',', results)).ToArray();
            give.ExecuteNonQuery();
        }
    }

    private List<long> Take(NpgsqlBatch take)
    {
        var ids = new List<long>();
        using var reader = take.ExecuteReader();
        while (reader.Read())
        {
            ids.Add(reader.GetInt64(0));
            reader.GetFieldValue<byte[]>(1);
            command?.Invoke();
        }

        return ids;
    }
}
