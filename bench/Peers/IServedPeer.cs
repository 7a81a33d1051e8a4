// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>
/// A system with a server, spoken to in its own protocol by client and workers of ours: requests in flight together,
/// gathered into as few sends as possible.
/// </summary>
internal interface IServedPeer
{
    /// <summary>As in the table and in the figures.</summary>
    string Name { get; }

    /// <summary>The Debian package of its server.</summary>
    string Package { get; }

    /// <summary>What a task that was accepted survives.</summary>
    string Durability { get; }

    /// <summary>Tasks in flight together in W1.</summary>
    int Window { get; }

    /// <summary>Tasks of a round of W1.</summary>
    int Tasks { get; }

    /// <summary>Makes what the server finds in its folder when it starts.</summary>
    Task SetUpAsync(string folder) => Task.CompletedTask;

    /// <summary>The server's program with its arguments.</summary>
    IReadOnlyList<string> Server(int port, string folder);

    /// <summary>Serves tasks until its process is killed.</summary>
    /// <param name="port">The server's.</param>
    /// <param name="command">What each task does; null: nothing.</param>
    void Work(int port, Action? command);

    /// <summary>A client with a connection, ready to submit.</summary>
    IPeerClient Connect(int port);
}
