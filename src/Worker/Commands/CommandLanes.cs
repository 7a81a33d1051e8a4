// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.IO;
using System.Threading;
using Muster.Arena.Native;

namespace Muster.Worker.Commands;

/// <summary>
/// Lends lanes to commands and cleans them in between. As many exist as commands ran at once, and a few that are being
/// cleaned: making a control group and a folder anew for each command would cost more than a tenth of the command
/// itself. Safe for many threads.
/// </summary>
internal sealed class CommandLanes(CgroupTree? tree, CommandFolders? folders) : IDisposable
{
    private const int EmptyPollMs = 2;
    private const int EmptyPollsMax = 2_000;

    private readonly ConcurrentBag<CommandLane> _free = [];
    private volatile bool _disposed;
    private int _made;

    /// <summary>A lane that nobody else has.</summary>
    /// <exception cref="IOException">Its folder or its group cannot be made.</exception>
    public CommandLane Take() => _free.TryTake(out var lane)
        ? lane
        : new(tree?.MakeLeaf(Interlocked.Increment(ref _made)), folders?.Make());

    /// <summary>Takes a lane back, after the end of its command.</summary>
    public void Return(CommandLane lane)
    {
        if (_disposed)
        {
            Drop(lane);
        }
        else if (!lane.IsGroupUsed && (!lane.IsFolderUsed || lane.IsFolderFresh(folders!.Owner)))
        {
            lane.IsFolderUsed = false;
            _free.Add(lane);
        }
        else
        {
            // Large folders take long, and this thread may be the one that serves all commands.
            ThreadPool.UnsafeQueueUserWorkItem(Clean, lane, preferLocal: false);
        }
    }

    public void Dispose()
    {
        _disposed = true;
        while (_free.TryTake(out var lane))
        {
            Drop(lane);
        }

        tree?.Remove();
        folders?.Remove();
    }

    private static void Drop(CommandLane lane)
    {
        lane.Group?.Dispose();
        if (lane.Folder is { } folder)
        {
            CommandFolders.Remove(folder);
        }
    }

    private static void Clean(CommandLane lane)
    {
        // Killed processes die by themselves, but not at once; their files are theirs until then.
        for (var polls = 0; lane.Group is { IsPopulated: true } group && polls < EmptyPollsMax; polls++)
        {
            group.Kill();
            PidWatcher.Pause(EmptyPollMs);
        }

        Drop(lane);
    }
}
