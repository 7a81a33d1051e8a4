// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Runtime.Versioning;
using Muster.Core;
using Muster.Journal;
using Muster.Server.Journal;
using Xunit;

namespace Muster.Unit.Journal;

/// <summary>The suite over files, and what only files have: modes, links, a lock.</summary>
[SupportedOSPlatform("linux")]
public sealed class DiskJournalTests : JournalConformance, IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("muster-journal-").FullName;
    private CellJournal? _open;

    private string Folder => CellJournal.FolderOf(_state);

    [Fact]
    public void Folder_AndFiles_AreTheirOwnersAlone()
    {
        Open();
        Assert.Equal("700", Mode(Folder));
        foreach (var file in Directory.GetFiles(Folder))
        {
            Assert.Equal("600", Mode(file));
        }
    }

    [Fact]
    public void Folder_OpenForOthers_IsRefused()
    {
        Directory.CreateDirectory(Folder);
        File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.OtherRead);
        Assert.Equal(
            FaultCode.JournalUnusable, CellJournal.TryOpen(_state, CellJournal.DefaultOptions, out _).Code);
    }

    [Fact]
    public void Folder_ThatIsALink_IsRefused()
    {
        var elsewhere = Directory.CreateDirectory(Path.Combine(_state, "elsewhere")).FullName;
        Directory.CreateSymbolicLink(Folder, elsewhere);
        Assert.Equal(
            FaultCode.JournalUnusable, CellJournal.TryOpen(_state, CellJournal.DefaultOptions, out _).Code);
    }

    [Fact]
    public void Segment_ThatIsALink_IsRefused()
    {
        Open().Dispose();
        _open!.Dispose();
        var segment = Path.Combine(Folder, "000000000001.segment");
        File.Move(segment, Path.Combine(_state, "real"));
        File.CreateSymbolicLink(segment, Path.Combine(_state, "real"));
        Assert.Equal(FaultCode.JournalUnusable, CellJournal.TryOpen(_state, Options, out _).Code);
    }

    [Fact]
    public void Folder_MadeByWhoeverDiedBeforeItWasFlushed_IsFlushedWithEveryFolderAbove()
    {
        var cell = Path.Combine(_state, "a", "b");
        var folder = CellJournal.FolderOf(cell);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var above = DiskFolder.UnprovenAbove(folder);
        Assert.Equal([cell, Path.Combine(_state, "a"), _state], above.GetRange(0, 3));
        Assert.True(CellJournal.TryOpen(cell, CellJournal.DefaultOptions, out var journal).IsNone);
        journal!.Dispose();

        // Proven by then, and nothing that a later start would wait for.
        Assert.Empty(DiskFolder.UnprovenAbove(folder));
    }

    [Fact]
    public void Open_Twice_IsRefusedAndReadingIsNot()
    {
        var journal = Open();
        var written = Append(journal, 1, "a"u8);
        journal.Commit(sync: true);
        Assert.Equal(FaultCode.JournalInUse, CellJournal.TryOpen(_state, Options, out _).Code);
        Assert.True(DiskFolder.IsInUse(Folder));

        Assert.True(DiskFolder.TryOpenReadOnly(Folder, out var folder).IsNone);
        using (folder)
        {
            Assert.True(JournalLayout.TryRead(folder!, out var layout).IsNone);
            var fault = JournalScan.Run(folder!, layout.Segments, 0, visit: null, out var tail);
            Assert.True(fault.IsNone, fault.Message);
            Assert.True(tail.Last.Sequence >= written.Sequence);
        }

        _open!.Dispose();
        Assert.False(DiskFolder.IsInUse(Folder));
    }

    [Fact]
    public void Spare_OnceMaintained_IsThereAndFull()
    {
        var journal = Open();
        while (journal.Maintain())
        {
        }

        Assert.Equal(Options.SegmentBytes, new FileInfo(Path.Combine(Folder, "spare")).Length);
        Assert.True(journal.Refusal.IsNone);
    }

    public void Dispose()
    {
        _open?.Dispose();
        Directory.Delete(_state, recursive: true);
    }

    internal override IJournal Open()
    {
        _open?.Dispose();
        var fault = CellJournal.TryOpen(_state, Options, out _open);
        Assert.True(fault.IsNone, fault.Message);
        return _open!.Log;
    }

    private static string Mode(string path) => Convert.ToString((int)File.GetUnixFileMode(path), 8);
}
