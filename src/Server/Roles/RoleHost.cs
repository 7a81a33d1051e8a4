// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Microsoft.Extensions.Logging;
using Muster.Arena;
using Muster.Arena.Locks;
using Muster.Core;

namespace Muster.Server.Roles;

/// <summary>
/// Runs a core that serves workers: holds the role, gives turns to whoever has an event, and keeps the role's own
/// thread. What a turn says is encoded into outboxes inside it and sent after it.
///
/// <para>Threads: any thread may ask for a turn; one at a time has it. The lock is never held over an await, a send or
/// a callback of others. Start and Stop may be called more than once and in any order; a host runs once.</para>
///
/// <para>Whatever is thrown inside a turn leaves the core half changed, so it ends the role: no turn is given any more,
/// streams end with UNAVAILABLE, and <see cref="RoleHostOptions.Failed"/> is told. A successor repairs from the arena.
/// What workers send is checked before the turn, or answered with a fault by the core; it never throws there.</para>
/// </summary>
internal abstract class RoleHost : IDisposable
{
    private const int LookAgainMs = 1_000;

    private static readonly Fault s_notRunning = new(
        FaultCode.Unavailable, "the role does not run here; connect again in a moment", RetryAfterMs: 200);

    private static readonly Fault s_stopping = new(
        FaultCode.ShuttingDown, "the role is stopping; connect again in a moment", RetryAfterMs: 200);

    [ThreadStatic]
    private static List<RoleStream>? s_touched;

    private readonly Role _role;
    private readonly string _name;
    private readonly RoleHostOptions _options;
    private readonly WakeWord _wake;

    // Held while the arena is signalled from outside turns, and taken inside the turn's lock: whoever stops the role
    // waits for such a signal, so that the arena is not gone under it.
    private readonly Lock _waking = new();

    // Guarded by the turn's lock.
    private readonly Lock _turn = new();
    private readonly HashSet<RoleStream> _streams = [];
    private readonly List<RoleStream> _touched = [];
    private RoleLease? _lease;
    private Thread? _thread;
    private Exception? _failure;

    // Once the take-over is done; also read before the lock is taken.
    private volatile bool _isRunning;
    private volatile bool _stopped;
    private long _streamNumbers;

    protected RoleHost(Role role, RoleHostOptions options)
    {
        _role = role;
        _name = role == Role.Scheduler ? "Scheduler" : "Register";
        _options = options;
        Arena = options.Arena;
        _wake = Arena.Wake(role);
        Logger = options.Logs.CreateLogger("Muster." + _name);
    }

    public ArenaMap Arena { get; }

    public ILogger Logger { get; }

    /// <summary>
    /// Takes the role and the arena over, and begins to work. A fault when another process has the role.
    /// </summary>
    public Fault Start()
    {
        lock (_turn)
        {
            if (_stopped || _thread is not null)
            {
                return _stopped ? s_stopping : Fault.None;
            }

            var fault = Arena.TryTakeRole(_role, _options.Addresses, out _lease);
            if (!fault.IsNone)
            {
                return fault;
            }

            TakeOverOrLeave();
            _isRunning = true;
            _thread = new Thread(Work) { Name = _name.ToLowerInvariant(), IsBackground = true };
            _thread.Start();
            RoleLog.Started(Logger, _name, _options.Cell, _lease!.Epoch);
        }

        OnStarted();
        return Fault.None;
    }

    /// <summary>
    /// Ends the streams, stops the thread and gives the role up. The arena keeps everything for the next one.
    /// </summary>
    public void Stop()
    {
        RoleStream[] streams;
        Thread? thread;
        lock (_turn)
        {
            if (_stopped)
            {
                return;
            }

            lock (_waking)
            {
                _stopped = true;
            }

            streams = [.. _streams];
            thread = _thread;
        }

        foreach (var stream in streams)
        {
            stream.End(s_stopping);
        }

        _wake.Signal();
        if (thread != Thread.CurrentThread)
        {
            thread?.Join();
        }

        OnStopped();
        _lease?.Dispose();
        RoleLog.Stopped(Logger, _name, _options.Cell);
    }

    public void Dispose()
    {
        Stop();
        GC.SuppressFinalize(this);
    }

    /// <summary>A number for a new stream.</summary>
    public long NextStreamNumber() => Interlocked.Increment(ref _streamNumbers);

    /// <summary>
    /// Gives the caller a turn; what it caused is sent before this returns. False when the role does not run here or
    /// failed in this turn.
    /// </summary>
    public bool TryRun(IRoleTurn turn, out Fault refusal)
    {
        if (!_isRunning)
        {
            // Not behind the lock: a take-over holds it for long, and who asks may be a thread that receives for
            // others.
            refusal = _stopped ? s_stopping : s_notRunning;
            return false;
        }

        // Taken out while in use: sending may run a handler on this thread, which asks for a turn of its own.
        var touched = s_touched ?? [];
        s_touched = null;
        Exception? failure = null;
        lock (_turn)
        {
            refusal = WhyNot();
            if (refusal.IsNone)
            {
                failure = RunLocked(turn);
                Take(touched, failure is not null);
            }
        }

        if (failure is not null)
        {
            refusal = s_notRunning;
            Tell(failure, [.. touched]);
        }
        else
        {
            foreach (var stream in touched)
            {
                stream.SendAfterTurn();
            }
        }

        touched.Clear();
        s_touched = touched;
        return refusal.IsNone;
    }

    /// <summary>The stream has something to send once the turn is over. Inside a turn.</summary>
    public void Touch(RoleStream stream)
    {
        if (!stream.IsTouched)
        {
            stream.IsTouched = true;
            _touched.Add(stream);
        }
    }

    /// <summary>The stream has begun: it is ended when the role ends. Inside a turn.</summary>
    public void Join(RoleStream stream) => _streams.Add(stream);

    /// <summary>The stream has ended. Inside a turn.</summary>
    public void Leave(RoleStream stream) => _streams.Remove(stream);

    /// <summary>
    /// Wakes the role's own thread. A call that ends after the stop may still say that it has room; the arena may be
    /// gone by then.
    /// </summary>
    public void Wake()
    {
        lock (_waking)
        {
            if (!_stopped)
            {
                _wake.Signal();
            }
        }
    }

    /// <summary>Makes the core and takes the arena over. Under the turn's lock.</summary>
    protected abstract void TakeOver(long nowMs, long nowUnixUs);

    /// <summary>A turn of the role's own thread. Under the turn's lock.</summary>
    /// <returns>How long the thread may sleep, in milliseconds.</returns>
    protected abstract int RunRole(long nowMs, long nowUnixUs);

    /// <summary>The role runs now. Outside the lock.</summary>
    protected virtual void OnStarted()
    {
    }

    /// <summary>The role's thread has ended. Outside the lock.</summary>
    protected virtual void OnStopped()
    {
    }

    /// <summary>Monotonic time, the same that everything on this host reads.</summary>
    protected long NowMs() => _options.Time.GetTimestamp() / (_options.Time.TimestampFrequency / 1_000);

    private long NowUnixUs() =>
        (_options.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private void TakeOverOrLeave()
    {
        var done = false;
        try
        {
            TakeOver(NowMs(), NowUnixUs());
            done = true;
        }
        finally
        {
            if (!done)
            {
                // Nobody else could take the role while a host that never ran keeps it.
                _lease?.Dispose();
                _stopped = true;
            }
        }
    }

    private Fault WhyNot()
    {
        if (_stopped)
        {
            return s_stopping;
        }

        return _isRunning && _failure is null ? Fault.None : s_notRunning;
    }

    private Exception? RunLocked(IRoleTurn turn)
    {
        try
        {
            turn.Run(NowMs(), NowUnixUs());
            return null;
        }
        catch (Exception exception)
        {
            // A half-made turn cannot be taken back: the role ends, whatever the exception was.
            _failure = exception;
            return exception;
        }
    }

    private void Take(List<RoleStream> touched, bool all)
    {
        foreach (var stream in _touched)
        {
            stream.IsTouched = false;
        }

        touched.AddRange(all ? _streams : _touched);
        _touched.Clear();
    }

    private void Fail(Exception why)
    {
        RoleStream[] streams;
        lock (_turn)
        {
            if (_stopped || _failure is not null)
            {
                return;
            }

            _failure = why;
            streams = [.. _streams];
        }

        Tell(why, streams);
    }

    private void Tell(Exception failure, RoleStream[] streams)
    {
        RoleLog.Failed(Logger, _name, _options.Cell, failure);
        Wake();
        foreach (var stream in streams)
        {
            stream.End(s_notRunning);
        }

        _options.Failed?.Invoke(failure);
    }

    private void Work()
    {
        var turn = new RoleTurn(this);
        var lookAgainMs = NowMs() + LookAgainMs;
        var allocated = _role == Role.Scheduler ? CellCounter.SchedulerAllocated : CellCounter.RegisterAllocated;
        while (TryRun(turn, out _))
        {
            var nowMs = NowMs();
            if (nowMs >= lookAgainMs)
            {
                lookAgainMs = nowMs + LookAgainMs;
                Arena.Set(allocated, (ulong)GC.GetTotalAllocatedBytes());
                if (!Arena.IsStillLinked())
                {
                    Fail(new ArenaRemovedException(_options.Cell, _name));
                    return;
                }
            }

            _wake.Wait(Math.Clamp(turn.SleepMs, 0, LookAgainMs));
        }
    }

    /// <summary>The turn of the role's own thread.</summary>
    private sealed class RoleTurn(RoleHost host) : IRoleTurn
    {
        public int SleepMs { get; private set; }

        public void Run(long nowMs, long nowUnixUs) => SleepMs = host.RunRole(nowMs, nowUnixUs);
    }
}
