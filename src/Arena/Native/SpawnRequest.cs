// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>What <see cref="SpawnProcess"/> starts. Every text is UTF-8 with its closing zero byte.</summary>
internal readonly ref struct SpawnRequest
{
    /// <summary>
    /// The program; relative to <see cref="Folder"/> unless it starts with '/'. PATH is not looked at.
    /// </summary>
    public required byte[] Path { get; init; }

    public required ReadOnlySpan<byte[]> Arguments { get; init; }

    /// <summary>The whole environment, as NAME=value.</summary>
    public required ReadOnlySpan<byte[]> Environment { get; init; }

    /// <summary>Null: the folder of this process.</summary>
    public byte[]? Folder { get; init; }

    public required SafeFileHandle Input { get; init; }

    public required SafeFileHandle Output { get; init; }

    public required SafeFileHandle Error { get; init; }

    public required SpawnConfinement Confinement { get; init; }

    /// <summary>The folder of the control group (v2) in which it begins; null: that of this process.</summary>
    public SafeFileHandle? Cgroup { get; init; }

    /// <summary>The open cgroup.procs of further control groups (v1) that it joins before it is loaded.</summary>
    public ReadOnlySpan<SafeFileHandle> Joins { get; init; }
}
