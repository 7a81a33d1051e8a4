// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Globalization;
using System.IO;
using System.Security.Cryptography;
using Muster.Arena.Native;

namespace Muster.Worker.Runtime;

/// <summary>What a worker says about itself in each hello. The same for the life of the worker.</summary>
internal sealed record WorkerIdentity
{
    public required string Name { get; init; }

    public required int Slots { get; init; }

    /// <summary>Proves that a later hello comes from this worker.</summary>
    public required ulong Nonce { get; init; }

    public required string Host { get; init; }

    public required uint Pid { get; init; }

    public required ulong PidStart { get; init; }

    public required string BootId { get; init; }

    public required ulong PidNamespace { get; init; }

    public required string Version { get; init; }

    /// <summary>That of a new worker in this process.</summary>
    public static WorkerIdentity Create(string? name, int slots)
    {
        var pid = (uint)Environment.ProcessId;
        var host = Environment.MachineName;
        var named = string.IsNullOrEmpty(name) ? string.Create(CultureInfo.InvariantCulture, $"{host}:{pid}") : name;
        return new()
        {
            Name = named,
            Slots = slots,
            Nonce = NewNonce(),
            Host = host,
            Pid = pid,
            PidStart = ProcStat.OwnStart,
            BootId = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(),
            PidNamespace = OwnPidNamespace(),
            Version = typeof(WorkerIdentity).Assembly.GetName().Version?.ToString(3) ?? "0",
        };
    }

    // The link reads "pid:[4026531836]"; the number is the inode.
    private static ulong OwnPidNamespace()
    {
        var target = new FileInfo("/proc/self/ns/pid").LinkTarget ?? "";
        var number = target.AsSpan(target.IndexOf('[') + 1).TrimEnd(']');
        return ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var inode) ? inode : 0;
    }

    private static ulong NewNonce()
    {
        Span<byte> bytes = stackalloc byte[8];
        ulong nonce;
        do
        {
            RandomNumberGenerator.Fill(bytes);
            nonce = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        }
        while (nonce == 0);
        return nonce;
    }
}
