// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using Muster.Core;
using Muster.Core.Tasks;
#if SEAMS
using System;
#endif

namespace Muster.Arena;

/// <summary>
/// Where the simulation looks at what the roles do to the arena, ends a role between two of its writes, or lets another
/// role go first. Calls of these methods are compiled only into the simulation's own build of the product.
/// </summary>
internal static class Seam
{
#if SEAMS
    /// <summary>Whoever looks on, on this thread.</summary>
    [field: ThreadStatic]
    public static ISeamObserver? Observer { get; set; }
#endif

    /// <summary>A write that others will see comes next, or has just been made.</summary>
    [Conditional("SEAMS")]
    public static void Pass()
    {
#if SEAMS
        Observer?.Pass();
#endif
    }

    /// <summary>A task made a step.</summary>
    [Conditional("SEAMS")]
    public static void Stepped(Role role, uint slot, StateWord before, StateWord after)
    {
#if SEAMS
        Observer?.Stepped(role, slot, before, after);
#endif
    }

    /// <summary>The calling thread has taken a lock of the arena: no other role can go first now.</summary>
    [Conditional("SEAMS")]
    public static void LockTaken()
    {
#if SEAMS
        Observer?.LockTaken();
#endif
    }

    /// <summary>It is about to give the lock back.</summary>
    [Conditional("SEAMS")]
    public static void LockLeft()
    {
#if SEAMS
        Observer?.LockLeft();
#endif
    }
}

#if SEAMS
/// <summary>What the simulation implements. May throw, which ends the turn where it stands.</summary>
internal interface ISeamObserver
{
    void Pass();

    void Stepped(Role role, uint slot, StateWord before, StateWord after);

    void LockTaken();

    void LockLeft();
}
#endif
