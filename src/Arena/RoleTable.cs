// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Text;
using System.Threading;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Arena;

/// <summary>
/// The rows of the cell's three roles: who holds each, since when, and where it listens. Reading takes no lock and ends
/// in bounded time even when a writer died half-way. Whether a process may write a row is decided by the role's lock
/// file, not here.
/// </summary>
internal sealed unsafe class RoleTable
{
    /// <summary>
    /// How long a reader bears a row that is being written: a writer may have lost its processor in the middle.
    /// </summary>
    private const int WriterMsMax = 50;
    private const int ReadsBeforeYield = 100;

    // Keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly RoleRow* _rows;

    public RoleTable(ArenaMemory memory, long offset)
    {
        _memory = memory;
        _rows = (RoleRow*)memory.At(offset, ArenaLayout.Roles * ArenaLayout.RoleRowBytes);
    }

    /// <summary>Writes this process as the holder.</summary>
    /// <returns>The role's new epoch.</returns>
    public uint Take(Role role, long nowUnixUs, ReadOnlySpan<byte> addresses)
    {
        Invariant.That(!_memory.IsReadOnly && addresses.Length <= RoleRow.AddressBytesMax);
        var row = &_rows[(int)role];
        BeginWrite(row);
        row->Held = 1;
        row->Pid = (uint)Environment.ProcessId;
        row->PidStart = ProcStat.OwnStart;
        row->Epoch++;
        row->SinceUnixUs = nowUnixUs;
        row->AddressBytes = (uint)addresses.Length;
        addresses.CopyTo(new Span<byte>(row->Addresses, RoleRow.AddressBytesMax));
        EndWrite(row);
        return row->Epoch;
    }

    /// <summary>The holder gives the role up.</summary>
    public void GiveUp(Role role)
    {
        var row = &_rows[(int)role];
        BeginWrite(row);
        row->Held = 0;
        EndWrite(row);
    }

    /// <summary>Who holds or last held the role.</summary>
    public RoleHolder Read(Role role)
    {
        var row = Copy(role);
        var length = (int)Math.Min(row.AddressBytes, RoleRow.AddressBytesMax);
        var addresses = Encoding.UTF8.GetString(new ReadOnlySpan<byte>(row.Addresses, length));
        var isAlive = row.Held != 0 && ProcStat.IsAlive(row.Pid, row.PidStart);
        return new(row.Pid, row.PidStart, row.Epoch, row.SinceUnixUs, addresses, isAlive);
    }

    /// <summary>
    /// The start time under which a process holds any role, for those who need to be sure that it does.
    /// </summary>
    public bool TryFindLiving(uint pid, out ulong start)
    {
        for (var role = 0; role < ArenaLayout.Roles; role++)
        {
            var row = Copy((Role)role);
            if (row.Pid == pid && row.Held != 0 && ProcStat.IsAlive(pid, row.PidStart))
            {
                start = row.PidStart;
                return true;
            }
        }

        start = 0;
        return false;
    }

    private static void BeginWrite(RoleRow* row)
    {
        // Odd already when the last holder died while writing.
        row->Sequence |= 1;
        Volatile.WriteBarrier();
    }

    private static void EndWrite(RoleRow* row) => Volatile.Write(ref row->Sequence, row->Sequence + 1);

    /// <summary>
    /// A copy that no writer changed meanwhile; of a writer that died amid writing, whatever is there.
    /// </summary>
    private RoleRow Copy(Role role)
    {
        var row = &_rows[(int)role];
        RoleRow copy;
        var start = Stopwatch.GetTimestamp();
        for (var read = 1; ; read++)
        {
            var before = Volatile.Read(ref row->Sequence);
            copy = *row;
            Volatile.ReadBarrier();
            if ((before & 1) == 0 && row->Sequence == before)
            {
                return copy;
            }

            if (read % ReadsBeforeYield == 0)
            {
                if (Stopwatch.GetElapsedTime(start).TotalMilliseconds > WriterMsMax)
                {
                    return copy;
                }

                Thread.Yield();
            }
        }
    }
}
