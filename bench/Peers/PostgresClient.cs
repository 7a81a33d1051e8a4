// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Npgsql;

namespace Muster.Peers;

/// <summary>Inserts on one connection while it waits for results on another.</summary>
internal sealed class PostgresClient : IPeerClient
{
    private const int InsertMax = 2_000;
    private const int PatienceMs = 60_000;

    private static readonly byte[] s_payload = new byte[100];

    private readonly NpgsqlConnection _results;
    private readonly NpgsqlConnection _jobs;
    private readonly NpgsqlBatch _insert;
    private readonly NpgsqlParameter _payloads = new() { Value = Array.Empty<byte[]>() };
    private readonly Lock _gate = new();
    private int _came;

    // Guarded by the gate.
    private Task _inserting = Task.CompletedTask;
    private bool _isInserting;
    private int _waiting;

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

    public void Submit()
    {
        lock (_gate)
        {
            _waiting++;
        }
    }

    public int Receive()
    {
        lock (_gate)
        {
            if (!_isInserting && _waiting > 0)
            {
                _isInserting = true;
                _inserting = Task.Run(InsertAsync);
            }
        }

        while (_came == 0)
        {
            // A shorter wait could end inside a notice, and that breaks the connection.
            if (!_results.Wait(PatienceMs))
            {
                throw new TimeoutException($"no result came from PostgreSQL; inserts: {_inserting.Exception}");
            }
        }

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

    private async Task InsertAsync()
    {
        for (var count = Take(); count > 0; count = Take())
        {
            _payloads.Value = Enumerable.Repeat(s_payload, count).ToArray();
            await _insert.ExecuteNonQueryAsync();
        }
    }

    private int Take()
    {
        lock (_gate)
        {
            var count = Math.Min(_waiting, InsertMax);
            _waiting -= count;
            _isInserting = count > 0;
            return count;
        }
    }
}
