// SPDX-License-Identifier: Apache-2.0
namespace Muster.Shared.Histories;

/// <summary>Ways in which a task can harm the process that runs it.</summary>
internal enum Poison : byte
{
    /// <summary>Ends the process at once, with a message.</summary>
    Crash,

    /// <summary>Kill -9.</summary>
    Kill,

    /// <summary>Calls itself for ever, which no handler can catch.</summary>
    StackOverflow,

    /// <summary>Takes memory until the kernel kills the process.</summary>
    Memory,

    /// <summary>Never ends.</summary>
    Hang,

    /// <summary>Returns more than a result may hold.</summary>
    GiantOutput,

    /// <summary>Starts processes until it may not any more.</summary>
    Forks,
}
