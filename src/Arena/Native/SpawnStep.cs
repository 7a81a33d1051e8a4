// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>One system call of a <see cref="SpawnPlan"/>, as <see cref="SpawnCode"/> reads it.</summary>
[StructLayout(LayoutKind.Sequential, Size = 72)]
internal struct SpawnStep
{
    /// <summary>A negative result ends the child.</summary>
    public const long MustSucceed = 0;

    public const long MayFail = 1;

    /// <summary>Makes the child, which goes on with steps of its own.</summary>
    public const long MakesChild = 2;

    /// <summary>The number that ends a plan.</summary>
    public const long End = -1;

    public long Number;
    public long A0;
    public long A1;
    public long A2;
    public long A3;
    public long A4;
    public long A5;

    /// <summary>Written by the code: what the call returned.</summary>
    public long Result;

    public long Kind;
}
