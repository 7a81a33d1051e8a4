// SPDX-License-Identifier: Apache-2.0
using Muster.Core;

namespace Muster.Arena.Native;

/// <summary>
/// The system calls of one start, in memory of the caller: the head and the steps of this process, then those of the
/// child. Lives for one call, on one thread.
/// </summary>
internal unsafe ref struct SpawnPlan
{
    /// <summary>More than the longest plan: every signal, capability and limit, and a dozen others.</summary>
    public const int StepsMax = 192;

    /// <summary>Bytes of the memory that a plan needs.</summary>
    public const int Bytes = HeadBytes + (StepsMax * 72);

    private const int HeadBytes = 16;

    private readonly byte* _plan;
    private SpawnStep* _next;

    public SpawnPlan(byte* memory)
    {
        _plan = memory;
        *(void**)memory = null;
        *(void**)(memory + sizeof(void*)) = null;
        _next = (SpawnStep*)(memory + HeadBytes);
    }

    /// <summary>The step that ended the child; null: none did, and it became another program.</summary>
    public readonly SpawnStep* Failed => *(SpawnStep**)(_plan + sizeof(void*));

    /// <summary>Adds a call.</summary>
    /// <returns>It, to read its result afterwards.</returns>
    public SpawnStep* Add(
        long number, long a0 = 0, long a1 = 0, long a2 = 0, long a3 = 0, long kind = SpawnStep.MustSucceed)
    {
        Invariant.That((byte*)(_next + 1) <= _plan + Bytes);
        *_next = new SpawnStep { Number = number, A0 = a0, A1 = a1, A2 = a2, A3 = a3, Kind = kind };
        return _next++;
    }

    /// <summary>Ends the steps of this process; what is added from now on is for the child.</summary>
    public void BeginChild()
    {
        _ = Add(SpawnStep.End);
        *(SpawnStep**)_plan = _next;
    }

    public readonly void Run() => SpawnCode.Run(_plan);
}
