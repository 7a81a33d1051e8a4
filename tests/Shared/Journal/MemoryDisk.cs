// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Journal;

namespace Muster.Shared.Journal;

/// <summary>
/// A disk in memory that forgets what was not flushed: file contents by sectors of 512 bytes, names by folder
/// operations. Everything that happens on it follows from the calls and the seeds given to it.
/// One thread. Handles opened before a crash answer EIO afterwards.
/// </summary>
internal sealed class MemoryDisk : IJournalDisk
{
    private readonly List<Action<SortedDictionary<string, MemoryFile>>> _unsynced = [];
    private SortedDictionary<string, MemoryFile> _names = new(StringComparer.Ordinal);
    private SortedDictionary<string, MemoryFile> _durableNames = new(StringComparer.Ordinal);

    /// <summary>Bytes that all files together may have; a larger allocation answers ENOSPC.</summary>
    public long CapacityBytes { get; set; } = long.MaxValue;

    /// <summary>Asked before each call: 0 lets it happen, anything else is the errno that it fails with.</summary>
    public Func<DiskCall, string, int>? Failing { get; set; }

    /// <summary>Asked before each write or read with its size: how much of it happens.</summary>
    public Func<DiskCall, int, int>? Shortening { get; set; }

    /// <summary>Asked before each write with its offset: where the disk puts it instead.</summary>
    public Func<string, long, long>? Misdirecting { get; set; }

    /// <summary>Flushes of files so far.</summary>
    public long Syncs { get; private set; }

    /// <summary>Writes so far.</summary>
    public long Writes { get; private set; }

    /// <summary>Grows with each crash.</summary>
    internal int Life { get; private set; }

    public IReadOnlyCollection<string> Names => _names.Keys;

    /// <summary>A disk with the same content, for trying different fates.</summary>
    public MemoryDisk Clone()
    {
        var files = new Dictionary<MemoryFile, MemoryFile>();
        var copy = new MemoryDisk { CapacityBytes = CapacityBytes };
        copy._names = Copy(_names);
        copy._durableNames = Copy(_durableNames);
        if (_unsynced.Count > 0)
        {
            throw new InvalidOperationException("folder operations wait for a flush; crash or flush first");
        }

        return copy;

        SortedDictionary<string, MemoryFile> Copy(SortedDictionary<string, MemoryFile> names)
        {
            var result = new SortedDictionary<string, MemoryFile>(StringComparer.Ordinal);
            foreach (var (name, file) in names)
            {
                if (!files.TryGetValue(file, out var twin))
                {
                    files[file] = twin = file.Clone();
                }

                result[name] = twin;
            }

            return result;
        }
    }

    /// <summary>
    /// Power loss: of what was not flushed, sectors and folder operations survive as the seed decides.
    /// </summary>
    public void Crash(ulong seed)
    {
        var random = new SplitMix(seed);
        foreach (var operation in _unsynced)
        {
            if (random.OneIn(2))
            {
                operation(_durableNames);
            }
        }

        _unsynced.Clear();
        _names = new(_durableNames, StringComparer.Ordinal);
        foreach (var file in _names.Values.Distinct())
        {
            file.Crash(random);
        }

        Life++;
    }

    /// <summary>Every process dies: the system keeps all that was written, handles are gone.</summary>
    public void Kill() => Life++;

    /// <summary>The bytes of a file, to be damaged; <see cref="Settle"/> makes that last.</summary>
    public byte[] Content(string name) => _names[name].Content;

    /// <summary>Makes a file shorter, as damage.</summary>
    public void Cut(string name, long bytes)
    {
        _names[name].Resize(bytes);
        _names[name].Settle();
    }

    /// <summary>Makes everything as it is, damage included, what a power loss leaves.</summary>
    public void Settle()
    {
        SyncFolder();
        foreach (var file in _names.Values)
        {
            file.Settle();
        }
    }

    public string PathOf(string name) => name.Length == 0 ? "memory" : "memory/" + name;

    public int List(List<string> names)
    {
        var errno = Ask(DiskCall.List, "");
        if (errno == 0)
        {
            names.AddRange(_names.Keys);
        }

        return errno;
    }

    public int Open(string name, bool isWritable, out IJournalFile? file)
    {
        file = null;
        var errno = Ask(DiskCall.Open, name);
        if (errno != 0)
        {
            return errno;
        }

        if (!_names.TryGetValue(name, out var content))
        {
            return JournalErrno.ENOENT;
        }

        file = new MemoryHandle(this, name, content);
        return 0;
    }

    public int Create(string name, out IJournalFile? file)
    {
        file = null;
        var errno = Ask(DiskCall.Create, name);
        if (errno != 0)
        {
            return errno;
        }

        if (_names.ContainsKey(name))
        {
            return JournalErrno.EEXIST;
        }

        var content = new MemoryFile();
        Apply(names => names[name] = content);
        file = new MemoryHandle(this, name, content);
        return 0;
    }

    public int Rename(string from, string to)
    {
        var errno = Ask(DiskCall.Rename, from);
        if (errno != 0)
        {
            return errno;
        }

        if (!_names.TryGetValue(from, out var content))
        {
            return JournalErrno.ENOENT;
        }

        Apply(names =>
        {
            // What is on the disk may lag behind; a rename of a file that is not there yet creates it.
            names.Remove(from);
            names[to] = content;
        });
        return 0;
    }

    public int Delete(string name)
    {
        var errno = Ask(DiskCall.Delete, name);
        if (errno != 0)
        {
            return errno;
        }

        if (!_names.ContainsKey(name))
        {
            return JournalErrno.ENOENT;
        }

        Apply(names => names.Remove(name));
        return 0;
    }

    public int SyncFolder()
    {
        var errno = Ask(DiskCall.SyncFolder, "");
        if (errno == 0)
        {
            _unsynced.Clear();
            _durableNames = new(_names, StringComparer.Ordinal);
        }

        return errno;
    }

    public int FreeBytes(out long bytes)
    {
        bytes = CapacityBytes == long.MaxValue ? long.MaxValue : CapacityBytes - UsedBytes();
        return 0;
    }

    internal int Ask(DiskCall call, string name)
    {
        Syncs += call == DiskCall.Sync ? 1 : 0;
        Writes += call == DiskCall.Write ? 1 : 0;
        return Failing?.Invoke(call, name) ?? 0;
    }

    internal bool HasRoom(long bytes) => CapacityBytes == long.MaxValue || UsedBytes() + bytes <= CapacityBytes;

    private long UsedBytes()
    {
        long bytes = 0;
        foreach (var file in _names.Values)
        {
            bytes += file.Length;
        }

        return bytes;
    }

    private void Apply(Action<SortedDictionary<string, MemoryFile>> operation)
    {
        operation(_names);
        _unsynced.Add(operation);
    }
}
