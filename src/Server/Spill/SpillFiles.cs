// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using Muster.Core;
using Muster.Journal;
using Muster.Plm.Spill;

namespace Muster.Server.Spill;

/// <summary>
/// Extents of tasks as files in one folder, one each, named by extent and generation. A header of 40 bytes says whose
/// it is and checks the body: <c>"MUSTERSP", u32 version, u32 extent, u64 generation, u64 cell id, u32 body bytes,
/// u32 CRC32C</c> of all before it and the body. Nothing is flushed: a file counts only as long as the arena that
/// names it lives, and then the kernel has it. Not thread-safe.
/// </summary>
internal sealed class SpillFiles(IJournalDisk disk, ulong cellId)
{
    public const int HeaderBytes = 40;

    private const ulong Magic = 0x5053_5245_5453_554D;
    private const uint Version = 1;
    private const int ChecksumAt = HeaderBytes - sizeof(uint);
    private const string Suffix = ".spill";
    private const int GenerationDigits = 9;
    private const int ExtentDigits = 5;

    /// <summary>Writes a whole file in place of any before it.</summary>
    /// <returns>0 or an errno, and then nothing is left of it.</returns>
    public int Write(uint extent, ulong generation, ReadOnlySpan<byte> body)
    {
        var name = NameOf(extent, generation);
        _ = disk.Delete(name);
        var errno = disk.Create(name, out var file);
        if (errno != 0)
        {
            return errno;
        }

        using (file)
        {
            Span<byte> header = stackalloc byte[HeaderBytes];
            FillHeader(header, extent, generation, body);
            errno = WriteAll(file!, 0, header);
            errno = errno == 0 ? WriteAll(file!, HeaderBytes, body) : errno;
        }

        if (errno != 0)
        {
            _ = disk.Delete(name);
        }

        return errno;
    }

    /// <summary>Reads and checks the body of a file.</summary>
    /// <param name="extent">Which.</param>
    /// <param name="generation">Of the extent.</param>
    /// <param name="buffer">Is made larger when it is too small.</param>
    /// <returns>Its length.</returns>
    /// <exception cref="SpillDamagedException">It is not what was written.</exception>
    public int Read(uint extent, ulong generation, ref byte[] buffer)
    {
        using var file = Open(extent, generation);
        Span<byte> header = stackalloc byte[HeaderBytes];
        ReadAll(file, 0, header, extent, generation);
        var length = CheckHeader(header, extent, generation);
        if (buffer.Length < length)
        {
            buffer = new byte[Math.Max(length, 2 * buffer.Length)];
        }

        var body = buffer.AsSpan(0, length);
        ReadAll(file, HeaderBytes, body, extent, generation);
        var checksum = Crc32C.Of(body, Crc32C.Of(header[..ChecksumAt]));
        return BinaryPrimitives.ReadUInt32LittleEndian(header[ChecksumAt..]) == checksum
            ? length
            : throw Damaged(extent, generation, "its checksum is wrong");
    }

    /// <summary>Reads the first bytes of a body, of which only the header is checked.</summary>
    /// <exception cref="SpillDamagedException">It is not what was written.</exception>
    public void ReadStart(uint extent, ulong generation, Span<byte> into)
    {
        using var file = Open(extent, generation);
        Span<byte> header = stackalloc byte[HeaderBytes];
        ReadAll(file, 0, header, extent, generation);
        CheckHeader(header, extent, generation);
        ReadAll(file, HeaderBytes, into, extent, generation);
    }

    public void Delete(uint extent, ulong generation) => _ = disk.Delete(NameOf(extent, generation));

    /// <summary>Removes every file that nobody wants.</summary>
    public void KeepOnly(Func<uint, ulong, bool> isWanted)
    {
        var names = new List<string>();
        _ = disk.List(names);
        foreach (var name in names)
        {
            if (TryParse(name, out var extent, out var generation) && !isWanted(extent, generation))
            {
                _ = disk.Delete(name);
            }
        }
    }

    private static string NameOf(uint extent, ulong generation) =>
        string.Create(CultureInfo.InvariantCulture, $"{extent:x5}-{generation:x9}{Suffix}");

    private static bool TryParse(string name, out uint extent, out ulong generation)
    {
        (extent, generation) = (0, 0);
        return name.Length == ExtentDigits + 1 + GenerationDigits + Suffix.Length
            && name.EndsWith(Suffix, StringComparison.Ordinal)
            && name[ExtentDigits] == '-'
            && uint.TryParse(
                name.AsSpan(0, ExtentDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out extent)
            && ulong.TryParse(
                name.AsSpan(ExtentDigits + 1, GenerationDigits),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out generation);
    }

    private void FillHeader(Span<byte> header, uint extent, ulong generation, ReadOnlySpan<byte> body)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], extent);
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], generation);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], cellId);
        BinaryPrimitives.WriteUInt32LittleEndian(header[32..], (uint)body.Length);
        var checksum = Crc32C.Of(body, Crc32C.Of(header[..ChecksumAt]));
        BinaryPrimitives.WriteUInt32LittleEndian(header[ChecksumAt..], checksum);
    }

    private int CheckHeader(ReadOnlySpan<byte> header, uint extent, ulong generation)
    {
        var isRight = BinaryPrimitives.ReadUInt64LittleEndian(header) == Magic
            && BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) == Version
            && BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) == extent
            && BinaryPrimitives.ReadUInt64LittleEndian(header[16..]) == generation
            && BinaryPrimitives.ReadUInt64LittleEndian(header[24..]) == cellId;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[32..]);
        return isRight && length <= int.MaxValue
            ? (int)length
            : throw Damaged(extent, generation, "its header is wrong");
    }

    private IJournalFile Open(uint extent, ulong generation)
    {
        var errno = disk.Open(NameOf(extent, generation), isWritable: false, out var file);
        return errno == 0 ? file! : throw Damaged(extent, generation, $"opening it failed: {OsError.Words(errno)}");
    }

    private static int WriteAll(IJournalFile file, long offset, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var errno = file.Write(offset, bytes, out var written);
            if (errno != 0 && errno != JournalErrno.EINTR)
            {
                return errno;
            }

            offset += written;
            bytes = bytes[written..];
        }

        return 0;
    }

    private void ReadAll(IJournalFile file, long offset, Span<byte> into, uint extent, ulong generation)
    {
        while (!into.IsEmpty)
        {
            var errno = file.Read(offset, into, out var read);
            if (errno != JournalErrno.EINTR && (errno != 0 || read == 0))
            {
                throw Damaged(
                    extent, generation, errno == 0 ? "it is too short" : $"reading failed: {OsError.Words(errno)}");
            }

            offset += read;
            into = into[read..];
        }
    }

    private SpillDamagedException Damaged(uint extent, ulong generation, string what) => new(
        $"{disk.PathOf(NameOf(extent, generation))}, which holds tasks that wait for their turn, cannot be used: "
        + $"{what}. The PLM cannot go on without losing them. Put the file back; or stop the cell, remove its arena "
        + "with 'muster arena remove', and start it: the journal then gives back what it holds, tasks of durability "
        + "memory are lost");
}
