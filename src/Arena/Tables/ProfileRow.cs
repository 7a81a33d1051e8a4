// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Muster.Core;

namespace Muster.Arena.Tables;

/// <summary>
/// What tasks that were submitted with the same options have in common, 512 bytes in the arena. Written by the PLM
/// before a slot names the row, and constant for as long as one does. Unused bytes are zero, so rows that say the same
/// are equal byte for byte.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal unsafe struct ProfileRow : IEquatable<ProfileRow>
{
    public const int SizeBytes = 512;

    /// <summary>Bytes of names in <see cref="FinalErrors"/>.</summary>
    public const int FinalErrorsBytesMax = TaskLimits.FinalErrorsBytesMax;

    private const int FinalErrorsOffset = 128;

    /// <summary>Class in the task heap, which follows from queue, priority and handler.</summary>
    [FieldOffset(0)] public ushort Class;

    /// <summary>Index into the handler table.</summary>
    [FieldOffset(2)] public ushort Handler;

    /// <summary>Index into the queue table; 0: the default queue.</summary>
    [FieldOffset(4)] public ushort Queue;
    [FieldOffset(6)] public byte Priority;

    /// <summary>As on the wire.</summary>
    [FieldOffset(7)] public byte Durability;

    /// <summary>Attempts that may end badly before the task does.</summary>
    [FieldOffset(8)] public byte AttemptsMax;

    /// <summary>The share of a wait that chance decides, in percent.</summary>
    [FieldOffset(9)] public byte RetryJitterPercent;

    /// <summary>Each wait is so many hundredths of the one before.</summary>
    [FieldOffset(10)] public ushort RetryFactorPercent;

    /// <summary>The first wait before a repeat, and the longest.</summary>
    [FieldOffset(12)] public uint RetryDelayMs;
    [FieldOffset(16)] public uint RetryDelayMaxMs;

    /// <summary>No repeat begins later than this after the submission; 0: no limit.</summary>
    [FieldOffset(20)] public uint RetryBudgetMs;

    /// <summary>Time limit of one attempt; 0: none.</summary>
    [FieldOffset(24)] public uint TimeoutMs;

    /// <summary>An unstarted task expires so long after its submission; 0: never.</summary>
    [FieldOffset(28)] public uint ExpiresAfterMs;

    /// <summary>The longest silence of an attempt; 0: no limit.</summary>
    [FieldOffset(32)] public uint ProgressTimeoutMs;

    /// <summary>From submission to end; 0: no limit.</summary>
    [FieldOffset(36)] public uint TotalTimeoutMs;

    /// <summary>Retention of the ended task without a session.</summary>
    [FieldOffset(40)] public uint RetentionMs;

    /// <summary>0: as the PLM's options say.</summary>
    [FieldOffset(44)] public uint KeyRetentionMs;

    /// <summary>How long a stopped attempt may go on before it is killed.</summary>
    [FieldOffset(48)] public uint CancelGraceMs;

    /// <summary>Thousandths of each resource; 0 slots: one. Only slots are there yet.</summary>
    [FieldOffset(52)] public uint SlotsMilli;

    /// <summary>Bytes in use of the names.</summary>
    [FieldOffset(56)] public ushort FinalErrorsBytes;

    [FieldOffset(FinalErrorsOffset)] private fixed byte _finalErrors[SizeBytes - FinalErrorsOffset];

    /// <summary>Codes and exception types after which nothing is repeated, in UTF-8, one a line.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> FinalErrors =>
        MemoryMarshal.CreateReadOnlySpan(in _finalErrors[0], FinalErrorsBytes);

    /// <summary>Sets the names; they were checked before.</summary>
    public void SetFinalErrors(ReadOnlySpan<byte> lines)
    {
        Invariant.That(lines.Length <= FinalErrorsBytesMax);
        FinalErrorsBytes = (ushort)lines.Length;
        var text = MemoryMarshal.CreateSpan(ref _finalErrors[0], SizeBytes - FinalErrorsOffset);
        text.Clear();
        lines.CopyTo(text);
    }

    public readonly bool Equals(ProfileRow other) => HasSameBytes(in other);

    /// <summary>As <see cref="Equals(ProfileRow)"/>, without a copy.</summary>
    public readonly bool HasSameBytes(in ProfileRow other) => Used(in this).SequenceEqual(Used(in other));

    public override readonly bool Equals(object? other) => other is ProfileRow row && HasSameBytes(in row);

    public override readonly int GetHashCode() => (int)Hash();

    /// <summary>Of everything that it says.</summary>
    public readonly ulong Hash()
    {
        const ulong Factor = 0x9E3779B97F4A7C15;
        var hash = Factor;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(Used(in this)))
        {
            hash = (hash ^ word) * Factor;
            hash ^= hash >> 32;
        }

        return hash;
    }

    // Whole words, to the end of the names.
    private static ReadOnlySpan<byte> Used(in ProfileRow row) =>
        MemoryMarshal.AsBytes(new ReadOnlySpan<ProfileRow>(in row))[
            ..(FinalErrorsOffset + ((row.FinalErrorsBytes + 7) / 8 * 8))];
}
