// SPDX-License-Identifier: Apache-2.0
namespace Muster.Load.Detection;

/// <summary>How a worker ends, and what the Register can know of it.</summary>
internal enum Ending
{
    /// <summary>Kill -9 of a process that the Register watches.</summary>
    KilledSameHost,

    /// <summary>
    /// Kill -9 of a process in another process id name space, over TCP: all that the Register sees is what it would see
    /// of another host, the end of the connections.
    /// </summary>
    KilledRemote,

    /// <summary>SIGSTOP: alive and silent.</summary>
    Frozen,

    /// <summary>Nothing passes between it and the Register any more, in neither direction.</summary>
    CutOff,
}
