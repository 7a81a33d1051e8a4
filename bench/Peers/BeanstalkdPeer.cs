// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;

namespace Muster.Peers;

/// <summary>
/// beanstalkd: a tube of jobs, and a tube back for results, of which it has none itself. Requests to reserve are sent
/// ahead, so that a worker and the client have several under way.
/// </summary>
internal sealed class BeanstalkdPeer : IServedPeer
{
    private const int ReservesAhead = 50;

    private static readonly byte[] s_job = [.. "put 0 0 120 100\r\n"u8, .. new byte[100], .. "\r\n"u8];
    private static readonly byte[] s_result = [.. "put 0 0 120 32\r\n"u8, .. new byte[32], .. "\r\n"u8];

    public string Name => "beanstalkd";

    public string Package => "beanstalkd";

    public string Durability => "memory";

    public int Window => 500;

    public int Tasks => 50_000;

    public IReadOnlyList<string> Server(int port, string folder) =>
        ["beanstalkd", "-l", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture)];

    public void Work(int port, Action? command)
    {
        using var socket = Open(port, "jobs", "results");
        var ahead = 1;
        while (true)
        {
            // The first one waits for a job. Those behind it take what else is there, for a reserve that waits would
            // hold up the results of the jobs before it.
            socket.Put("reserve\r\n");
            for (var n = 1; n < ahead; n++)
            {
                socket.Put("reserve-with-timeout 0\r\n");
            }

            socket.Flush();
            var jobs = 0;
            for (var answers = 0; answers < ahead;)
            {
                var id = TakeAnswer(socket, out var isReserve);
                answers += isReserve ? 1 : 0;
                if (id is not null)
                {
                    command?.Invoke();
                    socket.Put(s_result);
                    socket.Put($"delete {id}\r\n");
                    jobs++;
                }
            }

            // A command is long beside a request; jobs reserved ahead of it would keep others waiting.
            ahead = command is null ? Math.Clamp(2 * jobs, 2, ReservesAhead) : 1;
        }
    }

    public IPeerClient Connect(int port) => new Client(Open(port, "results", "jobs"), new PeerSocket(port));

    private static PeerSocket Open(int port, string watched, string used)
    {
        var socket = new PeerSocket(port);
        socket.Put($"use {used}\r\nwatch {watched}\r\nignore default\r\n");
        socket.Flush();
        for (var line = 0; line < 3; line++)
        {
            socket.TakeLine();
        }

        return socket;
    }

    /// <summary>Takes one answer; the id when it was a reserved job.</summary>
    private static string? TakeAnswer(PeerSocket socket, out bool isReserve)
    {
        var line = socket.TakeLine();
        isReserve = true;
        if (line.StartsWith("RESERVED "u8))
        {
            var words = Encoding.ASCII.GetString(line).Split(' ');
            socket.Take(int.Parse(words[2], CultureInfo.InvariantCulture) + 2);
            return words[1];
        }

        if (line.SequenceEqual("TIMED_OUT"u8))
        {
            return null;
        }

        isReserve = false;
        return line.StartsWith("INSERTED"u8) || line.SequenceEqual("DELETED"u8)
            ? null
            : throw new InvalidDataException($"beanstalkd: {Encoding.ASCII.GetString(line)}");
    }

    // A reserve that waits holds up what is behind it on its connection, so jobs are put on another one.
    private sealed class Client : IPeerClient
    {
        private readonly PeerSocket _results;
        private readonly PeerSocket _jobs;
        private int _unanswered;
        private int _wanted;
        private int _reserves;

        public Client(PeerSocket results, PeerSocket jobs)
        {
            (_results, _jobs) = (results, jobs);
            jobs.Put("use jobs\r\n");
            jobs.Flush();
            jobs.TakeLine();
        }

        public void Submit()
        {
            _jobs.Put(s_job);
            _unanswered++;
            _wanted++;
        }

        public int Receive()
        {
            _jobs.Flush();
            while (_reserves < Math.Min(ReservesAhead, _wanted))
            {
                Reserve();
            }

            _results.Flush();
            var results = 0;
            while (results == 0 || _results.HasMore)
            {
                if (TakeAnswer(_results, out _) is not { } id)
                {
                    continue;
                }

                results++;
                _reserves--;
                _wanted--;
                _results.Put($"delete {id}\r\n");
                if (_reserves < _wanted)
                {
                    Reserve();
                }
            }

            _results.Flush();
            for (; _unanswered > 0; _unanswered--)
            {
                _jobs.TakeLine();
            }

            return results;
        }

        public void Dispose()
        {
            _results.Dispose();
            _jobs.Dispose();
        }

        private void Reserve()
        {
            _results.Put("reserve\r\n");
            _reserves++;
        }
    }
}
