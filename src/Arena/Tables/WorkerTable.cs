// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Arena.Tables;

/// <summary>
/// The worker registrations of an arena, written by the Register. The Scheduler learns of changes through
/// <see cref="MarkChanged"/> and <see cref="TakeChanged"/>: one bit per row, set after the row was written (release),
/// fetched and cleared before the row is read (acquire), so that no change is missed.
/// </summary>
internal sealed class WorkerTable
{
    public uint Capacity => throw new NotImplementedException();

    /// <summary>One past the highest row ever used. Written by the Register.</summary>
    public uint HighWater { get => throw new NotImplementedException(); set => throw new NotImplementedException(); }

    public ref WorkerRow this[uint row] => throw new NotImplementedException();

    public WorkerHealth Health(uint row) => throw new NotImplementedException();

    /// <summary>The wire id of the row's present worker: row + (epoch &lt;&lt; 32); never 0.</summary>
    public ulong IdOf(uint row) => throw new NotImplementedException();

    /// <summary>Whether the row's worker offers the handler.</summary>
    public bool Offers(uint row, ushort handler) => throw new NotImplementedException();

    /// <summary>Tells the Scheduler that the row changed. Called by the Register, which then signals the wake word.</summary>
    public void MarkChanged(uint row) => throw new NotImplementedException();

    /// <summary>Fetches and clears up to rows.Length changed rows. Called by the Scheduler.</summary>
    public int TakeChanged(Span<uint> rows) => throw new NotImplementedException();

    public string Name(uint row) => throw new NotImplementedException();

    public string Host(uint row) => throw new NotImplementedException();

    public string Version(uint row) => throw new NotImplementedException();

    /// <summary>Writes a text field of a row, cut at a character's border to what fits. Called by the Register.</summary>
    public void SetTexts(uint row, string name, string host, string version) => throw new NotImplementedException();

    /// <summary>Replaces the set of handlers. Called by the Register.</summary>
    public void SetHandlers(uint row, ReadOnlySpan<ushort> handlers) => throw new NotImplementedException();
}
