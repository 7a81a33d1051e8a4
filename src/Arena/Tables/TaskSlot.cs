// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Muster.Arena.Tables;

/// <summary>
/// One task, 128 bytes in the arena. One writer per word:
/// <list type="bullet">
/// <item><see cref="State"/>: compare-and-swap by any role, along <see cref="Core.Tasks.Transitions"/>;</item>
/// <item>fields marked P: the PLM, while the task is Free, Accepted, Reported, Delayed or Done, or after its own
/// step;</item>
/// <item>fields marked S: the Scheduler, before its step Ready to Assigned; the Register, before its step Accepted to
/// Assigned, and only in place of 0: the Scheduler may be writing too;</item>
/// <item>fields marked R: the Register, before its step to Reported; nobody reads them in an earlier state;</item>
/// <item>fields marked H: whoever holds the task heap's lock.</item>
/// </list>
/// Publishing is the compare-and-swap on <see cref="State"/> (release); readers load it first (acquire).
/// Moments are float microseconds after <see cref="SubmittedUnixUs"/>: 0.1 ms exact after half an hour.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal struct TaskSlot
{
    public const int SizeBytes = 128;

    [FieldOffset(0)] public ulong State;

    /// <summary>
    /// P. The slot's generation, 36 bits whose low 32 are in the state word too; above it the slot number of the task's
    /// id when that is not this slot's own, see <see cref="Spill.SpillTable"/>, else 0.
    /// </summary>
    [FieldOffset(8)] public ulong Generation;

    /// <summary>H. Slot index + 1 of the neighbours in the class's FIFO; 0 at the ends.</summary>
    [FieldOffset(16)] public uint HeapNext;
    [FieldOffset(20)] public uint HeapPrevious;

    /// <summary>
    /// P, and H when a task that killed a worker is to run alone from now on: it changes under the lock with the step
    /// to Ready. Class in the task heap: that of the profile, or the same for tasks that run alone.
    /// </summary>
    [FieldOffset(24)] public ushort Class;

    /// <summary>P. Row of the table of profiles: everything that was asked for with the submission.</summary>
    [FieldOffset(26)] public ushort Profile;

    /// <summary>P. Attempts that ended badly so far.</summary>
    [FieldOffset(28)] public byte AttemptsFailed;

    /// <summary>P. Attempts that ended because their worker was lost.</summary>
    [FieldOffset(29)] public byte AttemptsLost;

    /// <summary>P. Workers that died while they ran it, or may have run it.</summary>
    [FieldOffset(30)] public byte Crashes;

    /// <summary>P. Bit 0: the outcome is the Register's result (ResultBlock is the task's own until Free).</summary>
    [FieldOffset(31)] public byte Flags;

    /// <summary>P.</summary>
    [FieldOffset(32)] public uint PayloadBlock;
    [FieldOffset(36)] public uint PayloadBytes;

    /// <summary>R. Block in the result region, in slab units; 0 when the result is empty.</summary>
    [FieldOffset(40)] public uint ResultBlock;
    [FieldOffset(44)] public uint ResultBytes;

    /// <summary>P. The client's number for the task.</summary>
    [FieldOffset(48)] public ulong Ref;

    /// <summary>P. Block of what is known of earlier attempts, in slab units; 0: none ended badly.</summary>
    [FieldOffset(56)] public uint HistoryBlock;

    /// <summary>S. Row + 1 in the worker table of the present or last attempt.</summary>
    [FieldOffset(60)] public uint Worker;

    /// <summary>P. Wall clock, microseconds since 1970.</summary>
    [FieldOffset(64)] public long SubmittedUnixUs;

    /// <summary>P.</summary>
    [FieldOffset(72)] public float DurableUs;

    /// <summary>P.</summary>
    [FieldOffset(76)] public float ReadyUs;

    /// <summary>S.</summary>
    [FieldOffset(80)] public float AssignedUs;

    /// <summary>R. The worker's moments, moved to the server's clock.</summary>
    [FieldOffset(84)] public float ReceivedUs;
    [FieldOffset(88)] public float StartedUs;
    [FieldOffset(92)] public float FinishedUs;
    [FieldOffset(96)] public float ReportedUs;

    /// <summary>P. The outcome once Done.</summary>
    [FieldOffset(100)] public byte Outcome;

    /// <summary>R. How the attempt ended, valid in Reported and, when P says so, in Done.</summary>
    [FieldOffset(101)] public byte AttemptOutcome;

    /// <summary>P. Why it ended when no worker's result says so: a FaultCode.</summary>
    [FieldOffset(102)] public ushort EndFault;

    /// <summary>S. Starts so far.</summary>
    [FieldOffset(104)] public ushort Executions;

    /// <summary>P. Row + 1 in the client table; 0 when submitted without a session.</summary>
    [FieldOffset(106)] public ushort Client;

    /// <summary>P. Number of the identity that submitted it; 0: the cell's own user.</summary>
    [FieldOffset(108)] public ushort Owner;

    /// <summary>P. Row + 1 of the job that it belongs to, and its place there. Kept for jobs: always 0.</summary>
    [FieldOffset(110)] public ushort Job;
    [FieldOffset(112)] public uint JobIndex;

    /// <summary>P. Tasks that it still waits for, in Waiting. Kept for graphs: always 0.</summary>
    [FieldOffset(116)] public uint Unmet;

    /// <summary>
    /// P. Wall clock ms since 1970 at which it expires unstarted, is due (Delayed), or is forgotten (Done); 0: never.
    /// </summary>
    [FieldOffset(120)] public ulong DueUnixMs;

    public const byte FlagOutcomeIsResult = 1;

    private const int GenerationBits = 64 - TaskId.SlotBits;

    /// <summary>The slot's own generation, without the number of a task that came from elsewhere.</summary>
    public readonly ulong OwnGeneration => Generation & ((1UL << GenerationBits) - 1);

    /// <summary>The slot number of its task's id when it is not this slot's; 0: it is.</summary>
    public readonly uint MovedSlot => MovedSlotOf(Generation);

    public static uint MovedSlotOf(ulong generation) => (uint)(generation >> GenerationBits);

    /// <summary>What <see cref="Generation"/> is for a task whose id has another slot number.</summary>
    public static ulong Moved(ulong ownGeneration, uint slot) => ownGeneration | ((ulong)slot << GenerationBits);

    /// <summary>Names another payload block, both words in one store: no death in between leaves half a name.</summary>
    public void SetPayload(uint block, uint bytes)
    {
        ref var place = ref Unsafe.As<uint, ulong>(ref PayloadBlock);
        Volatile.Write(ref place, ((ulong)bytes << 32) | block);
    }
}
