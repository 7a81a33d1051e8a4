// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;

namespace Muster.Worker.Commands;

/// <summary>
/// The control groups of one command: that of version 2, in which it begins, and those of version 1 that it joins.
/// Used by one command after the other.
/// </summary>
internal sealed class CgroupLeaf : IDisposable
{
    private readonly string[] _folders;
    private readonly SafeFileHandle? _kill;
    private readonly SafeFileHandle? _events;
    private readonly string? _list;

    /// <summary>Opens groups that exist.</summary>
    /// <param name="unified">That of version 2; null: none.</param>
    /// <param name="joined">Those of version 1.</param>
    /// <exception cref="IOException">One may not be used.</exception>
    public CgroupLeaf(string? unified, string[] joined)
    {
        _folders = unified is null ? joined : [unified, .. joined];
        _list = unified is null ? Path.Combine(joined[0], CgroupTree.ProcessesFile) : null;
        try
        {
            if (unified is not null)
            {
                var folder = Open.File(unified, Open.O_RDONLY | Open.O_DIRECTORY, 0, out var errno);
                Group = errno == 0 ? folder : throw new IOException($"{unified} cannot be opened (errno {errno})");
                _kill = OpenFile(Path.Combine(unified, CgroupTree.KillFile), FileAccess.Write);
                _events = OpenFile(Path.Combine(unified, "cgroup.events"), FileAccess.Read);
            }

            Joins = Array.ConvertAll(
                joined, folder => OpenFile(Path.Combine(folder, CgroupTree.ProcessesFile), FileAccess.Write));
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>The folder of version 2, for the start of a program; null: none.</summary>
    public SafeFileHandle? Group { get; }

    /// <summary>What a program writes itself into before it is loaded.</summary>
    public SafeFileHandle[] Joins { get; } = [];

    /// <summary>
    /// Whether any process of it lives. One that waits to be reaped does not, and none does in a group that was
    /// removed: that is done to empty ones only.
    /// </summary>
    public bool IsPopulated
    {
        get
        {
            try
            {
                if (_events is null)
                {
                    return File.ReadAllText(_list!).Length > 0;
                }

                Span<byte> text = stackalloc byte[128];
                var count = RandomAccess.Read(_events, text, 0);
                return text[..count].IndexOf("populated 1"u8) >= 0;
            }
            catch (IOException)
            {
                return false;
            }
        }
    }

    /// <summary>Kills all of them, whatever they do meanwhile.</summary>
    public void Kill()
    {
        try
        {
            KillAll();
        }
        catch (IOException)
        {
            // Removed meanwhile, and so empty.
        }
    }

    /// <summary>Removes the groups; those in which somebody still is stay.</summary>
    public void Dispose()
    {
        Close();
        foreach (var folder in _folders)
        {
            CgroupTree.Remove(folder);
        }
    }

    private void KillAll()
    {
        if (_kill is not null)
        {
            RandomAccess.Write(_kill, "1"u8, 0);
            return;
        }

        // Whoever is forked during a round is in the next; a bomb that forks faster is held by its limit of processes.
        for (var round = 0; round < 100; round++)
        {
            var numbers = File.ReadAllText(_list!);
            if (numbers.Length == 0)
            {
                return;
            }

            foreach (var line in numbers.AsSpan().Trim('\n').EnumerateLines())
            {
                SpawnWait.Kill(int.Parse(line, NumberStyles.None, CultureInfo.InvariantCulture));
            }
        }
    }

    // Without a lock on the file, which .NET takes otherwise.
    private static SafeFileHandle OpenFile(string path, FileAccess access) =>
        File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);

    private void Close()
    {
        Group?.Dispose();
        _kill?.Dispose();
        _events?.Dispose();
        foreach (var file in Joins)
        {
            file?.Dispose();
        }
    }
}
