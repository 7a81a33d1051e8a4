// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.IO.MemoryMappedFiles;
using System.Text;
using System.Threading.Tasks;

namespace Muster.Shared.Faults;

/// <summary>
/// Makes the C library lie to a process: <c>fault_shim.c</c>, compiled when it is first wanted, is preloaded into it
/// and reads from a shared page what to do. Every setting takes effect at once.
/// </summary>
internal sealed class FaultShim : IAsyncDisposable
{
    private const int PageBytes = 4_096;

    // Offsets of the page, as in fault_shim.c.
    private const int ClockOffsetUs = 0;
    private const int SyncDelayUs = 8;
    private const int SyncFailFrom = 16;
    private const int SyncErrno = 24;
    private const int Syncs = 32;
    private const int WriteBytesMax = 40;
    private const int WriteEintrEvery = 48;
    private const int Writes = 56;
    private const int WriteFailFrom = 64;
    private const int WriteErrno = 72;
    private const int SyncsFailed = 80;
    private const int SyncLongestUs = 88;
    private const int Folder = 96;
    private const int FolderBytesMax = 255;

    private readonly string _home;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _page;

    private FaultShim(string home)
    {
        _home = home;
        var path = Path.Combine(home, "page");
        File.WriteAllBytes(path, new byte[PageBytes]);
        _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, PageBytes);
        _page = _map.CreateViewAccessor(0, PageBytes);
        Environment = new()
        {
            ["LD_PRELOAD"] = Path.Combine(home, "fault_shim.so"),
            ["MUSTER_FAULT_PAGE"] = path,
        };
    }

    /// <summary>Of the process to be lied to.</summary>
    public Dictionary<string, string> Environment { get; }

    /// <summary>What is added to the wall clock.</summary>
    public TimeSpan WallClockOffset
    {
        set => _page.Write(ClockOffsetUs, (long)value.TotalMicroseconds);
    }

    /// <summary>How long each flush takes beforehand; one that waits already is cut short when this shrinks.</summary>
    public TimeSpan SyncDelay
    {
        set => _page.Write(SyncDelayUs, (long)value.TotalMicroseconds);
    }

    /// <summary>Writes of more bytes than this write only so many. 0: all are whole.</summary>
    public int ShortWriteBytes
    {
        set => _page.Write(WriteBytesMax, (long)value);
    }

    /// <summary>Every so-many-th write is interrupted. 0: none.</summary>
    public int InterruptEvery
    {
        set => _page.Write(WriteEintrEvery, (long)value);
    }

    /// <summary>Flushes of files below the folder so far.</summary>
    public long SyncCount => _page.ReadInt64(Syncs);

    /// <summary>The longest flush that succeeded since this was last asked for.</summary>
    public TimeSpan TakeLongestSync()
    {
        var us = _page.ReadInt64(SyncLongestUs);
        _page.Write(SyncLongestUs, 0L);
        return TimeSpan.FromMicroseconds(us);
    }

    public long WriteCount => _page.ReadInt64(Writes);

    public long SyncFailures => _page.ReadInt64(SyncsFailed);

    /// <param name="folder">Files below it are meant by what concerns flushes and writes.</param>
    public static async Task<FaultShim> CreateAsync(string folder)
    {
        var home = Directory.CreateTempSubdirectory("muster-shim-").FullName;
        await HostCommand.RunAsync(
            "gcc", "-O2", "-Wall", "-Werror", "-fPIC", "-shared", "-o", Path.Combine(home, "fault_shim.so"),
            Path.Combine(AppContext.BaseDirectory, "fault_shim.c"), "-ldl");
        var shim = new FaultShim(home);
        var bytes = Encoding.UTF8.GetBytes(folder);
        if (bytes.Length > FolderBytesMax)
        {
            throw new ArgumentException($"'{folder}' is too long a path", nameof(folder));
        }

        shim._page.WriteArray(Folder, bytes, 0, bytes.Length);
        return shim;
    }

    /// <summary>All flushes after so many more fail with this errno. 0 further: the next one.</summary>
    public void FailSyncs(int further, int errno)
    {
        _page.Write(SyncErrno, (long)errno);
        _page.Write(SyncFailFrom, SyncCount + further + 1);
    }

    /// <summary>All writes after so many more fail with this errno.</summary>
    public void FailWrites(int further, int errno)
    {
        _page.Write(WriteErrno, (long)errno);
        _page.Write(WriteFailFrom, WriteCount + further + 1);
    }

    /// <summary>The disk is well again.</summary>
    public void Heal()
    {
        _page.Write(SyncFailFrom, 0L);
        _page.Write(WriteFailFrom, 0L);
        _page.Write(SyncDelayUs, 0L);
        _page.Write(WriteBytesMax, 0L);
        _page.Write(WriteEintrEvery, 0L);
    }

    public ValueTask DisposeAsync()
    {
        _page.Dispose();
        _map.Dispose();
        Directory.Delete(_home, recursive: true);
        return ValueTask.CompletedTask;
    }
}
