// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Peers;

/// <summary>
/// Another system, spoken to in its own protocol in the fastest way that it offers: requests in flight together,
/// gathered into as few sends as possible.
/// </summary>
internal interface IPeer
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

    /// <summary>The server's program with its arguments.</summary>
    IReadOnlyList<string> Server(int port, string folder);

    /// <summary>Serves tasks until its process is killed.</summary>
    void Work(int port);

    /// <summary>A client with a connection, ready to submit.</summary>
    IPeerClient Connect(int port);
}
