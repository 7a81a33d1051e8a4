// SPDX-License-Identifier: Apache-2.0
namespace Muster.Load;

/// <summary>How the writer of a journal ended before the damage.</summary>
internal enum CorruptEnding
{
    /// <summary>Stopped cleanly.</summary>
    Closed,

    /// <summary>Lost power when nothing had been appended for a moment.</summary>
    Idle,

    /// <summary>Was killed right after a flush; the system lives on.</summary>
    Killed,

    /// <summary>Lost power in the middle of its work.</summary>
    PowerLost,
}
