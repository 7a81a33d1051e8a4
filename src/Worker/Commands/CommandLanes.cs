// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.IO;
using System.Threading;
using Muster.Arena.Native;

namespace Muster.Worker.Commands;

/// <summary>
/// Lends lanes to commands and cleans them in between. As many exist as commands run at once, a few that are being
/// cleaned, and a few that wait for short commands, which run about as many at once as there are processors: making a
/// control group and a folder anew for each command would cost more than a tenth of the command itself. Safe for many
/// threads.
/// </summary>
internal sealed class CommandLanes(CgroupTree? tree, CommandFolders? folders) : IDisposable
{
    /// <summary>Lanes that wait for a command; each has three descriptors.</summary>
    public static readonly int KeptMax = Math.Max(4, 2 * Environment.ProcessorCount);

    private const int EmptyPollMs = 2;
    private const int EmptyPollsMax = 2_000;

    private readonly ConcurrentBag<CommandLane> _free = [];
    private int _kept;
    private volatile bool _disposed;
    private int _made;

    /// <summary>A lane that nobody else has.</summary>
    /// <exception cref="IOException">Its folder or its group cannot be made.</exception>
    public CommandLane Take()
    {
        if (_free.TryTake(out var lane))
        {
            Interlocked.Decrement(ref _kept);
            return lane;
        }

        return new(tree?.MakeLeaf(Interlocked.Increment(ref _made)), folders?.Make());
    }

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
            Keep(lane);
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

    private void Keep(CommandLane lane)
    {
        if (Interlocked.Increment(ref _kept) <= KeptMax)
        {
            _free.Add(lane);
            return;
        }

        Interlocked.Decrement(ref _kept);
        Drop(lane);
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
