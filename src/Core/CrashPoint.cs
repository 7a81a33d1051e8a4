// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
#if SEAMS
using System;
#endif

namespace Muster.Core;

/// <summary>
/// Places at which a test kills the process: between every two writes of which a successor may find the first alone.
/// Each is named by its role, what is under way, and what has been done. The calls are compiled only into the build
/// that tests make for themselves; the product has neither them nor what would listen.
/// </summary>
internal static class CrashPoint
{
#if SEAMS
    /// <summary>Told of each place as it is reached, on any thread.</summary>
    public static Action<string>? Reached { get; set; }
#endif

    /// <summary>This place is reached.</summary>
    /// <param name="name">A literal, used once in the whole program: the tests find all of them by it.</param>
    [Conditional("SEAMS")]
    public static void Hit(string name)
    {
#if SEAMS
        Reached?.Invoke(name);
#endif
    }
}
