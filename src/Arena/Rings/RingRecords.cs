// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Rings;

/// <summary>Register to PLM: something about a task or a worker is over.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal readonly record struct FinishedRecord(
    [field: FieldOffset(0)] uint Kind,
    [field: FieldOffset(4)] uint Index,
    [field: FieldOffset(8)] ulong Detail)
{
    /// <summary>Index is a slot in Reported; Detail is its generation.</summary>
    public const uint Reported = 1;

    /// <summary>Index is a worker row that was lost or is gone; Detail is the epoch whose attempts are void.</summary>
    public const uint WorkerLost = 2;

    /// <summary>
    /// Index is a worker row that was given up as dead; its process lives, and has another row now. Detail is the epoch
    /// that it had.
    /// </summary>
    public const uint WorkerLived = 3;
}

/// <summary>PLM to Scheduler: tell a worker to stop an attempt.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal readonly record struct CancelRecord(
    [field: FieldOffset(0)] ulong TaskId,
    [field: FieldOffset(8)] uint Attempt,
    [field: FieldOffset(12)] uint WorkerRow);

/// <summary>PLM to Register: a result block is no longer named by any slot.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal readonly record struct FreedRecord(
    [field: FieldOffset(0)] uint Block,
    [field: FieldOffset(4)] uint Bytes,
    [field: FieldOffset(8)] ulong TaskId);
