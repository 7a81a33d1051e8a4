// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Worker.Commands;

/// <summary>
/// Runs commands. The thread that starts one waits for its end if that comes soon, which spares the change of threads;
/// later it goes over to one thread with epoll over the pipes and pidfds of all of them, so that a long command costs
/// no thread. <see cref="Start"/>, <see cref="StartHere"/> and <see cref="Stop"/> are for any thread; everything else
/// happens on the reactor's own.
/// </summary>
/// <remarks>
/// A command that is stopped gets SIGTERM to its process group, and after <see cref="ICommandListener.KillGraceMs"/>
/// everything that it started is killed. When the leader exits, its outputs are read to their end; if another process
/// still holds them after <see cref="WorkerLimits.CommandPipeGraceMs"/> they are closed. Then what it started and left
/// is killed: by its control group, or without one by session and mark (<see cref="StrayProcesses"/>), while the
/// unreaped leader still keeps its number from being given to anyone else, and the leader is reaped. How many commands
/// run is bounded by the slots of the worker. A command dies with the thread that started it, so that it cannot outlive
/// a worker that is killed; threads that start commands live as long as the reactor.
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
    private readonly SafeFileHandle _nothing = SpawnPipe.OpenNothing();
    private readonly CommandIsolation _isolation;
    private readonly Thread _thread;
    private readonly ConcurrentDictionary<ulong, ChildProcess> _children = new();
    private readonly ConcurrentQueue<ChildProcess> _stops = new();
    private readonly ConcurrentQueue<ChildProcess> _exited = new();
    private readonly PriorityQueue<ChildProcess, long> _timers = new();
    private readonly byte[] _buffer = new byte[ReadBytes];
    private CommandGuard? _guard;
    private ulong _lastNumber;

    // Of the reactor's thread: who heard last of an end in this round.
    private ICommandListener? _told;
    private volatile bool _disposing;

    /// <summary>Takes over how commands are kept apart, and ends that too.</summary>
    public CommandReactor(CommandIsolation isolation)
    {
        _isolation = isolation;
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
        var fault = StartHere(request, listener, out child);
        if (child is not null)
        {
            HandOver(child);
        }

        return fault;
    }

    /// <summary>
    /// Starts a command as <see cref="Start"/> does, for a thread that then calls <see cref="AwaitShortly"/>.
    /// </summary>
    public Fault StartHere(CommandRequest request, ICommandListener listener, out ChildProcess? child)
    {
        if (_disposing)
        {
            child = null;
            return new(FaultCode.ShuttingDown, "this worker is stopping and starts no further command");
        }

        var number = Interlocked.Increment(ref _lastNumber);
        var fault = CommandStart.TryStart(request, _isolation, _nothing, listener, number, out child);
        if (child is not null)
        {
            _isolation.Strays?.Add(child);
            _children[child.Number] = child;
            WriteInput(child);
        }

        return fault;
    }

    /// <summary>
    /// Waits for the end of a command that this thread has started; after
    /// <see cref="WorkerLimits.CommandHereMs"/> the reactor does, and tells the listener.
    /// </summary>
    /// <param name="child">The command.</param>
    /// <param name="end">How it ended; valid until <see cref="Release"/>.</param>
    /// <returns>Whether it ended here: then the listener is not told, and the caller calls
    /// <see cref="Release"/>.</returns>
    public bool AwaitShortly(ChildProcess child, out CommandEnd end)
    {
        end = default;
        var until = Environment.TickCount64 + WorkerLimits.CommandHereMs;
        var patience = WorkerLimits.CommandQuietMs;
        var exited = false;
        var withPipes = false;
        while (child.InputPipe is null && !_disposing && !exited)
        {
            // Most commands say little and end soon: their outputs are read when they have, and closing them wakes
            // nobody. One whose outputs fill up waits this moment, once.
            var seen = withPipes
                ? SpawnWait.Poll(child.Pidfd, child.OutputPipe, child.ErrorPipe, patience)
                : SpawnWait.Poll(child.Pidfd, null, null, patience);
            exited = (seen & 1) != 0;
            if (withPipes || exited)
            {
                DrainHere(child);
            }

            withPipes = true;
            patience = (int)(until - Environment.TickCount64);
            if (patience <= 0)
            {
                break;
            }
        }

        lock (child)
        {
            child.HasExited = exited;
            if (exited && child.OutputPipe is null && child.ErrorPipe is null)
            {
                end = EndOf(child);
                return true;
            }
        }

        HandOver(child);
        return false;
    }

    /// <summary>Lets go of a command that ended while its own thread waited for it.</summary>
    public void Release(ChildProcess child)
    {
        _isolation.Lanes.Return(child.Lane);
        child.Dispose();
    }

    /// <summary>Stops a command and all that it started. Its listener hears of the end as of any other.</summary>
    public void Stop(ChildProcess child)
    {
        lock (child)
        {
            if (child.IsReaped)
            {
                return;
            }

            if (child.IsHere)
            {
                child.IsStopping = true;
                Signal(child);
                return;
            }
        }

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
        _isolation.Dispose();
        _guard?.Dispose();
    }

    // A stopped process takes SIGTERM only once it runs again.
    private static void Signal(ChildProcess child)
    {
        SpawnWait.SignalGroup(child.Pid, SpawnWait.SIGTERM);
        SpawnWait.SignalGroup(child.Pid, SpawnWait.SIGCONT);
    }

    /// <summary>From now on the reactor's thread has it.</summary>
    private void HandOver(ChildProcess child)
    {
        bool isStopping;
        lock (child)
        {
            child.IsHere = false;
            isStopping = child.IsStopping;
            child.IsStopping = false;
        }

        var error = Watch(child, child.OutputPipe, SpawnEpoll.EPOLLIN, OutputKind);
        error = error != 0 ? error : Watch(child, child.ErrorPipe, SpawnEpoll.EPOLLIN, ErrorKind);
        error = error != 0 ? error : Watch(child, child.InputPipe, SpawnEpoll.EPOLLOUT, InputKind);

        // Last, because the child may be gone as soon as its exit is watched.
        if (error == 0 && child.HasExited)
        {
            _exited.Enqueue(child);
            _epoll.Wake();
        }
        else
        {
            error = error != 0 ? error : Watch(child, child.Pidfd, SpawnEpoll.EPOLLIN, ExitKind);
        }

        if (error != 0)
        {
            // Parts of it may be watched already, so only the reactor may end it.
            child.WatchError = error;
        }

        if (error != 0 || isStopping || _disposing)
        {
            Stop(child);
        }
    }

    private int Watch(ChildProcess child, SafeFileHandle? file, uint events, ulong kind) =>
        file is null ? 0 : _epoll.Add(file, events, (child.Number << KindBits) | kind);

    private void Run()
    {
        // Here, so that neither the worker's start nor its first command waits for it.
        _guard = _isolation.StartGuard(_nothing);
        var events = new SpawnEvent[128];
        while (!_disposing)
        {
            var count = _epoll.Wait(events, WaitMs());
            while (_exited.TryDequeue(out var child))
            {
                SetTimer(child, WorkerLimits.CommandPipeGraceMs);
            }

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

        KillAll();
        EndRound();
    }

    private void KillAll()
    {
        // Those that a thread is waiting for come over when they have ended, or at the latest when the thread has
        // waited long enough.
        while (!_children.IsEmpty)
        {
            foreach (var child in _children.Values)
            {
                bool isHere;
                lock (child)
                {
                    isHere = child.IsHere;
                    if (isHere && !child.IsReaped)
                    {
                        SpawnWait.SignalGroup(child.Pid, SpawnWait.SIGKILL);
                    }
                }

                if (!isHere)
                {
                    KillAndFinish(child);
                }
            }

            if (!_children.IsEmpty)
            {
                PidWatcher.Pause(1);
            }
        }
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
                child.OutputPipe = ReadSome(child.OutputPipe, child.Output, _buffer, readsMax: 1, isWatched: true);
                child.Listener.Wrote();
                break;
            case ErrorKind:
                child.ErrorPipe = ReadSome(child.ErrorPipe, child.Error, _buffer, readsMax: 1, isWatched: true);
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
        if (child.IsStopping)
        {
            Kill(child);
        }

        Drain(child);
        SetTimer(child, WorkerLimits.CommandPipeGraceMs);
    }

    private void Terminate(ChildProcess child)
    {
        if (child.IsStopping || !_children.ContainsKey(child.Number))
        {
            return;
        }

        if (child.WatchError != 0)
        {
            KillAndFinish(child);
            return;
        }

        if (child.HasExited)
        {
            // Nobody waits for the last words of what it left any more.
            Kill(child);
            return;
        }

        child.IsStopping = true;
        Signal(child);
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

            Kill(child);
            if (child.HasExited)
            {
                Drain(child);
                Finish(child);
            }
        }
    }

    private void Drain(ChildProcess child)
    {
        child.OutputPipe = ReadSome(child.OutputPipe, child.Output, _buffer, DrainReadsMax, isWatched: true);
        child.ErrorPipe = ReadSome(child.ErrorPipe, child.Error, _buffer, DrainReadsMax, isWatched: true);
    }

    // On the thread that started it.
    private void DrainHere(ChildProcess child)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        child.OutputPipe = ReadSome(child.OutputPipe, child.Output, buffer, DrainReadsMax, isWatched: false);
        child.ErrorPipe = ReadSome(child.ErrorPipe, child.Error, buffer, DrainReadsMax, isWatched: false);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Reads what is there.</summary>
    /// <returns>The pipe, or null when its end was seen.</returns>
    private SafeFileHandle? ReadSome(
        SafeFileHandle? pipe, CapturedOutput output, byte[] buffer, int readsMax, bool isWatched)
    {
        for (var reads = 0; pipe is not null && reads < readsMax; reads++)
        {
            var count = SpawnPipe.Read(pipe, buffer.AsSpan(0, ReadBytes));
            if (count == -SpawnPipe.EAGAIN)
            {
                break;
            }

            if (count <= 0)
            {
                Close(pipe, isWatched);
                return null;
            }

            output.Append(buffer.AsSpan(0, count));
        }

        return pipe;
    }

    // Also on a starting thread: before the child is known to the reactor.
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
                Close(pipe, isWatched: !child.IsHere);
                child.InputPipe = null;
            }
        }
    }

    private void Close(SafeFileHandle pipe, bool isWatched)
    {
        if (isWatched)
        {
            // By hand, because a child that is being started at this moment holds a copy until its exec.
            _ = _epoll.Remove(pipe);
        }

        pipe.Dispose();
    }

    private void KillAndFinish(ChildProcess child)
    {
        Kill(child);
        SpawnWait.KillUnreaped(child.Pid, child.Pidfd);
        Drain(child);
        Finish(child);
    }

    // All that it started, as far as that is known while the leader lives.
    private static void Kill(ChildProcess child)
    {
        if (child.Lane.Group is { } group)
        {
            group.Kill();
            child.Lane.IsGroupUsed = true;
        }

        SpawnWait.SignalGroup(child.Pid, SpawnWait.SIGKILL);
    }

    private void Finish(ChildProcess child)
    {
        foreach (var pipe in (ReadOnlySpan<SafeFileHandle?>)[child.OutputPipe, child.ErrorPipe, child.InputPipe])
        {
            if (pipe is not null)
            {
                _ = _epoll.Remove(pipe);
            }
        }

        CommandEnd end;
        lock (child)
        {
            end = EndOf(child);
        }

        child.Listener.CommandEnded(end);
        _told = child.Listener;
        Release(child);
    }

    /// <summary>Kills what the leader, which has exited, left behind, and reaps it. With the child's lock.</summary>
    private CommandEnd EndOf(ChildProcess child)
    {
        if (child.Lane.Group is not { } group)
        {
            SpawnWait.SignalGroup(child.Pid, SpawnWait.SIGKILL);
            _isolation.Strays!.KillOf(child);
            _isolation.Strays.Remove(child);
        }
        else if (group.IsPopulated)
        {
            group.Kill();
            child.Lane.IsGroupUsed = true;
        }

        var error = SpawnWait.TryWait(child.Pidfd, reap: true, out _, out var exitCode, out var signal);
        child.IsReaped = true;
        _children.TryRemove(child.Number, out _);
        error = child.WatchError != 0 ? child.WatchError : error;
        return new CommandEnd(exitCode, signal, error, child.Output, child.Error);
    }
}
