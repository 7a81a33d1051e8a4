// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading.Tasks;
using Npgsql;

namespace Muster.Peers;

/// <summary>Inserts on one connection while it waits for results on another.</summary>
internal sealed class PostgresClient : IPeerClient
{
    private const int InsertMax = 2_000;

    // How soon jobs that waited for an insert under way get one of their own, when no result comes meanwhile.
    private const int LookAgainMs = 1;

    private static readonly byte[] s_payload = new byte[100];

    private readonly NpgsqlConnection _results;
    private readonly NpgsqlConnection _jobs;
    private readonly NpgsqlBatch _insert;
    private readonly NpgsqlParameter _payloads = new() { Value = Array.Empty<byte[]>() };
    private Task _inserting = Task.CompletedTask;
    private int _waiting;
    private int _came;

    public PostgresClient(int port)
    {
        _results = PostgresConnection.Open(port);
        _results.Notification += (_, notice) => _came += 1 + notice.Payload.AsSpan().Count(',');
        PostgresConnection.Execute(_results, "listen results");
        _jobs = PostgresConnection.Open(port);
        _insert = new NpgsqlBatch(_jobs)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand("insert into jobs(payload) select unnest($1::bytea[])")
                {
                    Parameters = { _payloads },
                },
                new NpgsqlBatchCommand("notify jobs"),
            },
        };
    }

    public void Submit() => _waiting++;

    public int Receive()
    {
        while (_came == 0)
        {
            Insert();
            if (_waiting > 0)
            {
                _results.Wait(LookAgainMs);
            }
            else
            {
                _results.Wait();
            }
        }

        Insert();
        var came = _came;
        _came = 0;
        return came;
    }

    public void Dispose()
    {
        _inserting.Wait();
        _insert.Dispose();
        _jobs.Dispose();
        _results.Dispose();
    }

    private void Insert()
    {
        if (_waiting == 0 || !_inserting.IsCompleted)
        {
            return;
        }

        // One that failed says so here.
        _inserting.GetAwaiter().GetResult();
        var count = Math.Min(_waiting, InsertMax);
        _waiting -= count;
        _payloads.Value = Enumerable.Repeat(s_payload, count).ToArray();
        _inserting = _insert.ExecuteNonQueryAsync();
    }
}
