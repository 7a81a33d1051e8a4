// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>
/// struct timespec. <see cref="System.Diagnostics.Stopwatch"/> counts the same CLOCK_MONOTONIC nanoseconds.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct Timespec(long Seconds, long Nanoseconds)
{
    public const int CLOCK_MONOTONIC = 1;

    private const long PerSecond = 1_000_000_000;

    public static Timespec OfNanoseconds(long nanoseconds) => new(nanoseconds / PerSecond, nanoseconds % PerSecond);
}
