// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Plm.Spill;

/// <summary>
/// Files for extents of tasks that wait outside the arena. Called inside turns; only the methods that say so wait for a
/// disk. What <see cref="PlmCore.SpillWritten"/> was told of survives the death of every process, and does not need to
/// survive the arena: after that the journal tells what there was.
/// </summary>
internal interface IPlmSpill
{
    /// <summary>Takes another extent to write now; else its user comes again in a later turn.</summary>
    bool HasRoom { get; }

    /// <summary>Why nothing can be written now, above all for want of space; none: it can.</summary>
    Fault Refusal { get; }

    /// <summary>Writes an extent. Copies; the end is told by <see cref="PlmCore.SpillWritten"/>.</summary>
    void Write(uint extent, ulong generation, ReadOnlySpan<byte> body);

    /// <summary>Writes an extent, in place of an earlier body of it, before it returns: for takeovers.</summary>
    Fault WriteNow(uint extent, ulong generation, ReadOnlySpan<byte> body);

    /// <summary>Has it read soon.</summary>
    void Prefetch(uint extent, ulong generation);

    /// <summary>
    /// The body of an extent, valid until the next call; false: it is being read, and a turn comes when it is there.
    /// </summary>
    /// <exception cref="SpillDamagedException">The file is not what was written.</exception>
    bool TryRead(uint extent, ulong generation, out ReadOnlySpan<byte> body);

    /// <summary>The body of an extent, read before it returns; valid until the next call.</summary>
    /// <exception cref="SpillDamagedException">The file is not what was written.</exception>
    ReadOnlySpan<byte> ReadNow(uint extent, ulong generation);

    /// <summary>The first bytes of a body, read before it returns; valid until the next call.</summary>
    /// <exception cref="SpillDamagedException">The file is not what was written.</exception>
    ReadOnlySpan<byte> ReadStart(uint extent, ulong generation, int bytes);

    /// <summary>The file is not needed any more.</summary>
    void Forget(uint extent, ulong generation);

    /// <summary>Removes what belongs to no extent that is in use: for takeovers.</summary>
    void KeepOnly(Func<uint, ulong, bool> isWanted);
}
