// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;

namespace Muster.Arena;

/// <summary>Which boot of which machine, and which pid namespace, this process runs in.</summary>
internal static class HostIdentity
{
    /// <summary>Random, made by the kernel at boot.</summary>
    public static Guid BootId { get; } =
        Guid.Parse(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), CultureInfo.InvariantCulture);

    /// <summary>Inode number of the pid namespace.</summary>
    public static ulong PidNamespace { get; } = ReadPidNamespace();

    private static ulong ReadPidNamespace()
    {
        // "pid:[4026531836]"
        var target = new FileInfo("/proc/self/ns/pid").LinkTarget
            ?? throw new IOException("/proc/self/ns/pid cannot be read; is /proc mounted?");
        var first = target.IndexOf('[', StringComparison.Ordinal) + 1;
        return ulong.Parse(target.AsSpan(first..^1), NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
