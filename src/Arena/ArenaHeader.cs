// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Muster.Core;

namespace Muster.Arena;

/// <summary>
/// The first bytes of an arena file: what it is, for whom it was made, and how large its parts are. Written by the
/// creator alone, before <see cref="State"/> says ready (release); constant afterwards, but for State.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal struct ArenaHeader
{
    public const int SizeBytes = 256;

    /// <summary>"MUSTERAR", as the bytes lie in the file.</summary>
    public const ulong MagicValue = 0x5241_5245_5453_554D;

    /// <summary>Raised with every change of the layout or of what a word means.</summary>
    public const uint VersionValue = 1;

    /// <summary>
    /// CRC32C over name, offset and size of every shared field and part. A test computes it from the types and says the
    /// number to put here; with a new number comes a new <see cref="VersionValue"/> once a release has carried the old.
    /// </summary>
    public const uint LayoutHashValue = 0xFB6577DD;

    public const uint EndianValue = 0x0102_0304;

    public const uint StateEmpty = 0;
    public const uint StateInitialising = 1;
    public const uint StateReady = 2;

    /// <summary>Its file was removed on purpose; who still has it mapped must let go.</summary>
    public const uint StateRetired = 3;

    /// <summary>Bytes from the first that the checksum covers.</summary>
    public const int CheckedBytes = 144;

    [FieldOffset(0)] public ulong Magic;
    [FieldOffset(8)] public uint Version;
    [FieldOffset(12)] public uint Endian;
    [FieldOffset(16)] public uint LayoutHash;

    /// <summary>The cell's epoch, for the arena's whole life.</summary>
    [FieldOffset(20)] public uint Epoch;
    [FieldOffset(24)] public long TotalBytes;
    [FieldOffset(32)] public ulong CellId;

    /// <summary>The machine's boot, as /proc/sys/kernel/random/boot_id says.</summary>
    [FieldOffset(40)] public Guid BootId;
    [FieldOffset(56)] public uint CreatorPid;
    [FieldOffset(60)] public uint TasksMax;
    [FieldOffset(64)] public ulong CreatorStart;

    /// <summary>Inode of the pid namespace: the mutexes hold thread ids, which mean nothing in another.</summary>
    [FieldOffset(72)] public ulong PidNamespace;
    [FieldOffset(80)] public uint WorkersMax;
    [FieldOffset(84)] public uint ClientsMax;
    [FieldOffset(88)] public long PayloadBytesMax;
    [FieldOffset(96)] public long ResultBytesMax;
    [FieldOffset(104)] public long CreatedUnixUs;
    [FieldOffset(112)] public uint KeysMax;
    [FieldOffset(116)] public uint SpilledMax;

    /// <summary>CRC32C of the first <see cref="CheckedBytes"/> bytes.</summary>
    [FieldOffset(CheckedBytes)] public uint Checksum;

    /// <summary>On a pair of lines of its own.</summary>
    [FieldOffset(192)] public uint State;

    public readonly ArenaLimits Limits => new()
    {
        TasksMax = TasksMax,
        WorkersMax = WorkersMax,
        ClientsMax = ClientsMax,
        KeysMax = KeysMax,
        PayloadBytesMax = PayloadBytesMax,
        ResultBytesMax = ResultBytesMax,
        SpilledMax = SpilledMax,
    };

    /// <summary>The constant part of a new arena's header, in state <see cref="StateInitialising"/>.</summary>
    public static ArenaHeader New(ArenaLimits limits, long totalBytes, uint epoch, ulong cellId, long nowUnixUs)
    {
        Invariant.That(cellId != 0 && epoch is > 0 and <= Core.Tasks.Attempt.EpochMax);
        var header = new ArenaHeader
        {
            Magic = MagicValue,
            Version = VersionValue,
            Endian = EndianValue,
            LayoutHash = LayoutHashValue,
            Epoch = epoch,
            TotalBytes = totalBytes,
            CellId = cellId,
            BootId = HostIdentity.BootId,
            CreatorPid = (uint)Environment.ProcessId,
            CreatorStart = Native.ProcStat.OwnStart,
            PidNamespace = HostIdentity.PidNamespace,
            TasksMax = limits.TasksMax,
            WorkersMax = limits.WorkersMax,
            ClientsMax = limits.ClientsMax,
            KeysMax = limits.KeysMax,
            PayloadBytesMax = limits.PayloadBytesMax,
            ResultBytesMax = limits.ResultBytesMax,
            SpilledMax = limits.SpilledMax,
            CreatedUnixUs = nowUnixUs,
            State = StateInitialising,
        };
        header.Checksum = header.ComputeChecksum();
        return header;
    }

    /// <summary>CRC32C of the constant part.</summary>
    public readonly uint ComputeChecksum()
    {
        var crc = uint.MaxValue;
        var words = MemoryMarshal.Cast<ArenaHeader, ulong>(new ReadOnlySpan<ArenaHeader>(in this));
        foreach (var word in words[..(CheckedBytes / sizeof(ulong))])
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        return ~crc;
    }

    /// <summary>
    /// Whether this is an arena of this version at all: what must hold before any other field means anything.
    /// </summary>
    public readonly Fault CheckFormat()
    {
        if (Magic != MagicValue)
        {
            return new(FaultCode.ArenaDamaged, "it does not begin as an arena does");
        }

        if (Endian != EndianValue || Version != VersionValue || LayoutHash != LayoutHashValue)
        {
            return new(
                FaultCode.ArenaVersion,
                $"its layout is {Version}/{LayoutHash:x8}, this program's is {VersionValue}/{LayoutHashValue:x8}");
        }

        return Checksum == ComputeChecksum()
            ? Fault.None
            : new(FaultCode.ArenaDamaged, "the checksum of its header is wrong");
    }

    /// <summary>Whether the sizes make sense together and are those of a file of this length.</summary>
    public readonly Fault CheckSizes(long fileBytes)
    {
        if (!Limits.Check().IsNone || ArenaLayout.Of(Limits).TotalBytes != TotalBytes)
        {
            return new(FaultCode.ArenaDamaged, "the sizes in its header make no sense");
        }

        return fileBytes == TotalBytes
            ? Fault.None
            : new(FaultCode.ArenaDamaged, $"it has {fileBytes} bytes and should have {TotalBytes}: truncated");
    }
}
