// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Worker.Commands;

/// <summary>
/// Runs commands: one thread with epoll over the pipes and pidfds of all of them, so that a running command costs no
/// thread. <see cref="Start"/> and <see cref="Stop"/> are for any thread; everything else happens on the reactor's own.
/// </summary>
/// <remarks>
/// A command that is stopped gets SIGTERM, then SIGKILL after <see cref="ICommandListener.KillGraceMs"/>, each to
/// its whole process group. When the leader exits, its outputs are read to their end; if another process still holds
/// them after <see cref="WorkerLimits.CommandPipeGraceMs"/> they are closed. Then the group is killed, while the
/// unreaped leader still keeps its number from being given to anyone else, and the leader is reaped. How many commands
/// run is bounded by the slots of the worker.
/// </remarks>
internal sealed class CommandReactor : IDisposable
{
    private const int ReadBytes = 64 * 1024;
    private const int DrainReadsMax = 64;
    private const int KindBits = 2;
    private const ulong ExitKind = 0;
    private const ulong OutputKind = 1;
    private const ulong ErrorKind = 2;
    private const ulong InputKind = 3;

    private readonly SpawnEpoll _epoll = new();
    private readonly SafeFileHandle _nothing = OpenNothing();
    private readonly Thread _thread;
    private readonly ConcurrentDictionary<ulong, ChildProcess> _children = new();
    private readonly ConcurrentQueue<ChildProcess> _stops = new();
    private readonly PriorityQueue<ChildProcess, long> _timers = new();
    private readonly byte[] _buffer = new byte[ReadBytes];
    private ulong _lastNumber;

    // Of the reactor's thread: who heard last of an end in this round.
    private ICommandListener? _told;
    private volatile bool _disposing;

    public CommandReactor()
    {
        _thread = new Thread(Run) { Name = "muster-commands", IsBackground = true };
        _thread.Start();
    }

    /// <summary>How many commands run now.</summary>
    public int Running => _children.Count;

    /// <summary>Starts a command on the calling thread, which waits until the program was loaded.</summary>
    /// <param name="request">What to run.</param>
    /// <param name="listener">Hears of its end, possibly before this returns.</param>
    /// <param name="child">Names it to <see cref="Stop"/>; null when it could not be started.</param>
    public Fault Start(CommandRequest request, ICommandListener listener, out ChildProcess? child)
    {
        var fault = CommandStart.TryStart(request, _nothing, listener, out child);
        if (child is null)
        {
            return fault;
        }

        child.Number = Interlocked.Increment(ref _lastNumber);
        WriteInput(child);
        _children[child.Number] = child;
        var error = Watch(child, child.OutputPipe!, SpawnEpoll.EPOLLIN, OutputKind);
        error = error != 0 ? error : Watch(child, child.ErrorPipe!, SpawnEpoll.EPOLLIN, ErrorKind);
        if (error == 0 && child.InputPipe is { } input)
        {
            error = Watch(child, input, SpawnEpoll.EPOLLOUT, InputKind);
        }

        // Last, because the child may be gone as soon as its exit is watched.
        error = error != 0 ? error : Watch(child, child.Pidfd, SpawnEpoll.EPOLLIN, ExitKind);
        if (error != 0)
        {
            // Parts of it may be watched already, so only the reactor may end it.
            child.WatchError = error;
            Stop(child);
        }

        return Fault.None;
    }

    /// <summary>Stops a command and all of its group. Its listener hears of the end as of any other.</summary>
    public void Stop(ChildProcess child)
    {
        _stops.Enqueue(child);
        _epoll.Wake();
    }

    /// <summary>Kills what still runs, tells the listeners, and ends the thread.</summary>
    public void Dispose()
    {
        if (_disposing)
        {
            return;
        }

        _disposing = true;
        _epoll.Wake();
        _thread.Join();
        _epoll.Dispose();
        _nothing.Dispose();
    }

    private static SafeFileHandle OpenNothing()
    {
        // Above 2, so that giving it to a child as its descriptor 0 overwrites nothing that is still needed.
        using var file = File.OpenHandle("/dev/null");
        return SpawnPipe.Duplicate(file) ?? throw new IOException("no file descriptor is left for /dev/null");
    }

    private int Watch(ChildProcess child, SafeFileHandle file, uint events, ulong kind) =>
        _epoll.Add(file, events, (child.Number << KindBits) | kind);

    private void Run()
    {
        var events = new SpawnEvent[128];
        while (!_disposing)
        {
            var count = _epoll.Wait(events, WaitMs());
            while (_stops.TryDequeue(out var child))
            {
                Terminate(child);
            }

            foreach (var happened in events.AsSpan(0, count))
            {
                Handle(happened);
            }

            RunTimers();
            EndRound();
        }

        foreach (var child in _children.Values)
        {
            KillAndFinish(child);
        }

        EndRound();
    }

    private void EndRound()
    {
        var told = _told;
        _told = null;
        told?.RoundEnded();
    }

    private int WaitMs()
    {
        if (!_timers.TryPeek(out _, out var dueMs))
        {
            return -1;
        }

        return (int)Math.Clamp(dueMs - Environment.TickCount64, 0, int.MaxValue);
    }

    private void Handle(SpawnEvent happened)
    {
        // An event of the same round may have ended the child already.
        if (!_children.TryGetValue(happened.Tag >> KindBits, out var child))
        {
            return;
        }

        switch (happened.Tag & ((1 << KindBits) - 1))
        {
            case ExitKind:
                Exited(child);
                break;
            case OutputKind:
                child.OutputPipe = ReadSome(child.OutputPipe, child.Output, readsMax: 1);
                child.Listener.Wrote();
                break;
            case ErrorKind:
                child.ErrorPipe = ReadSome(child.ErrorPipe, child.Error, readsMax: 1);
                child.Listener.Wrote();
                break;
            default:
                WriteInput(child);
                break;
        }

        if (child.HasExited && child.OutputPipe is null && child.ErrorPipe is null)
        {
            Finish(child);
        }
    }

    private void Exited(ChildProcess child)
    {
        if (child.HasExited)
        {
            return;
        }

        // Its descriptor stays readable; it has said all that it has to say.
        _ = _epoll.Remove(child.Pidfd);
        child.HasExited = true;
        Drain(child);
        SetTimer(child, WorkerLimits.CommandPipeGraceMs);
    }

    private void Terminate(ChildProcess child)
    {
        if (child.HasExited || child.IsStopping || !_children.ContainsKey(child.Number))
        {
            return;
        }

        if (child.WatchError != 0)
        {
            KillAndFinish(child);
            return;
        }

        // A stopped process takes SIGTERM only once it runs again.
        child.IsStopping = true;
        SpawnWait.SignalGroup(child.Pid, SpawnWait.SIGTERM);
        SpawnWait.SignalGroup(child.Pid, SpawnWait.SIGCONT);
        SetTimer(child, child.Listener.KillGraceMs);
    }

    private void SetTimer(ChildProcess child, int ms)
    {
        child.DueMs = Environment.TickCount64 + ms;
        _timers.Enqueue(child, child.DueMs);
    }

    private void RunTimers()
    {
        while (_timers.TryPeek(out var child, out var dueMs) && dueMs <= Environment.TickCount64)
        {
            _timers.Dequeue();

            // A later timer of the same child, or its end, has made this one void.
            if (child.DueMs != dueMs || !_children.ContainsKey(child.Number))
            {
                continue;
            }

            if (child.HasExited)
            {
                SpawnWait.SignalGroup(child.Pid, SpawnWait.SIGKILL);
                Drain(child);
                Finish(child);
            }
            else
            {
                SpawnWait.SignalGroup(child.Pid, SpawnWait.SIGKILL);
            }
        }
    }

    private void Drain(ChildProcess child)
    {
        child.OutputPipe = ReadSome(child.OutputPipe, child.Output, DrainReadsMax);
        child.ErrorPipe = ReadSome(child.ErrorPipe, child.Error, DrainReadsMax);
    }

    /// <summary>Reads what is there.</summary>
    /// <returns>The pipe, or null when its end was seen.</returns>
    private SafeFileHandle? ReadSome(SafeFileHandle? pipe, CapturedOutput output, int readsMax)
    {
        for (var reads = 0; pipe is not null && reads < readsMax; reads++)
        {
            var count = SpawnPipe.Read(pipe, _buffer);
            if (count == -SpawnPipe.EAGAIN)
            {
                break;
            }

            if (count <= 0)
            {
                Close(pipe);
                return null;
            }

            output.Append(_buffer.AsSpan(0, count));
        }

        return pipe;
    }

    // The only part of the reactor that also runs on a starting thread: before the child is known to the reactor.
    private void WriteInput(ChildProcess child)
    {
        while (child.InputPipe is { } pipe)
        {
            var count = child.Input.IsEmpty ? -SpawnPipe.EPIPE : SpawnPipe.Write(pipe, child.Input.Span);
            if (count == -SpawnPipe.EAGAIN)
            {
                return;
            }

            child.Input = count > 0 ? child.Input[count..] : default;
            if (child.Input.IsEmpty)
            {
                // All was written, or the command does not want to read it, which is its own affair.
                Close(pipe);
                child.InputPipe = null;
            }
        }
    }

    private void Close(SafeFileHandle pipe)
    {
        // By hand, because a child that is being started at this moment holds a copy until its exec. It fails for
        // the input pipe that was never watched.
        _ = _epoll.Remove(pipe);
        pipe.Dispose();
    }

    private void KillAndFinish(ChildProcess child)
    {
        SpawnWait.KillUnreaped(child.Pid, child.Pidfd);
        Drain(child);
        Finish(child);
    }

    private void Finish(ChildProcess child)
    {
        SpawnWait.SignalGroup(child.Pid, SpawnWait.SIGKILL);
        var error = SpawnWait.TryWait(child.Pidfd, reap: true, out _, out var exitCode, out var signal);
        _children.TryRemove(child.Number, out _);
        foreach (var pipe in (ReadOnlySpan<SafeFileHandle?>)[child.OutputPipe, child.ErrorPipe, child.InputPipe])
        {
            if (pipe is not null)
            {
                _ = _epoll.Remove(pipe);
            }
        }

        error = child.WatchError != 0 ? child.WatchError : error;
        child.Listener.CommandEnded(new CommandEnd(exitCode, signal, error, child.Output, child.Error));
        _told = child.Listener;
        child.Dispose();
    }
}
