// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.IO;
using System.Security.Cryptography;
using Muster.Core;
using Muster.Journal;
using Muster.Plm.Facts;

namespace Muster.Server.Journal;

/// <summary>The journal of a cell: its folder with the lock, and the journal in it, opened and closed as one.</summary>
internal sealed class CellJournal : IDisposable
{
    /// <summary>Name of the folder within the cell's state folder.</summary>
    public const string FolderName = "journal";

    private readonly DiskFolder _folder;
    private readonly FileJournal _journal;

    private CellJournal(DiskFolder folder, FileJournal journal)
    {
        _folder = folder;
        _journal = journal;
    }

    public IJournal Log => _journal;

    /// <summary>What opening found at the end.</summary>
    public JournalTail Recovered => _journal.Recovered;

    /// <summary>Options with this machine's clock and random numbers; the rest as documented there.</summary>
    public static JournalOptions DefaultOptions { get; } = new()
    {
        SegmentBytes = 16 << 20,
        UnixUs = () => (DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond,
        NextRandom = NextRandom,
    };

    /// <summary>A record in words, without payloads.</summary>
    public static string Describe(ushort kind, ReadOnlySpan<byte> body) => FactText.Describe(kind, body);

    /// <summary>The folder of a cell's journal.</summary>
    public static string FolderOf(string stateFolder) => Path.Combine(stateFolder, FolderName);

    /// <summary>Opens it, or makes it; JOURNAL_IN_USE while another process has it.</summary>
    public static Fault TryOpen(string stateFolder, JournalOptions options, out CellJournal? journal)
    {
        journal = null;
        var fault = DiskFolder.TryOpen(FolderOf(stateFolder), out var folder);
        if (!fault.IsNone)
        {
            return fault;
        }

        fault = FileJournal.TryOpen(folder!, options, out var log);
        if (!fault.IsNone)
        {
            folder!.Dispose();
            return fault;
        }

        journal = new(folder!, log!);
        return Fault.None;
    }

    public void Dispose()
    {
        _journal.Dispose();
        _folder.Dispose();
    }

    private static ulong NextRandom()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
