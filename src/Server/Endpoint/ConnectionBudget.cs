// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Server.Endpoint;

/// <summary>
/// How many connections the limit of open files allows. A process that runs out of files can neither accept nor
/// write its journal; so the limit of connections is derived from it, or a wish that does not fit is refused at start.
/// </summary>
internal static class ConnectionBudget
{
    /// <summary>Files that a server with so many connections must be allowed to open.</summary>
    public static ulong FilesFor(int connections) =>
        ((ulong)connections * EndpointLimits.FilesPerConnection) + EndpointLimits.OtherFilesMax;

    /// <summary>As many connections as fit into the limit of open files, at most 10,000.</summary>
    public static int ConnectionsFor(ulong files) => files <= EndpointLimits.OtherFilesMax
        ? 0
        : (int)Math.Min(
            EndpointLimits.ConnectionsMax, (files - EndpointLimits.OtherFilesMax) / EndpointLimits.FilesPerConnection);

    /// <summary>Raises the soft limit as needed and gives the number of connections to allow.</summary>
    /// <param name="wanted">0: as many as fit.</param>
    /// <param name="connections">What to allow.</param>
    public static Fault Settle(int wanted, out int connections)
    {
        if (wanted > 0)
        {
            connections = wanted;
            return FileLimit.Ensure(FilesFor(wanted));
        }

        // The full number when the hard limit has room for it, else what there is, if that is enough to be of use.
        var full = FileLimit.Ensure(FilesFor(EndpointLimits.ConnectionsMax));
        connections = full.IsNone ? EndpointLimits.ConnectionsMax : ConnectionsFor(FileLimit.Present);
        return connections >= EndpointLimits.ConnectionsMin
            ? Fault.None
            : FileLimit.Ensure(FilesFor(EndpointLimits.ConnectionsMin));
    }
}
