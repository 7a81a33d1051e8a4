// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Muster.Arena;
using Muster.Arena.Locks;
using Muster.Core;
using Muster.Plm;
using Muster.Server.Endpoint;
using Muster.Server.Journal;
using Muster.Transport.Wire;

namespace Muster.Server.PlmHosting;

/// <summary>
/// Runs the PLM's core: holds the role, gives turns to whoever has an event, and keeps the thread "plm", which empties
/// the ring of finished tasks and lets time pass. Effects of a turn are encoded into outboxes inside it and sent after
/// it.
///
/// <para>Threads: any thread may ask for a turn; one at a time has it. The lock is never held over an await, a send or
/// a callback of others. Start and Stop may be called more than once and in any order; a host runs once.</para>
///
/// <para>Whatever is thrown inside a turn leaves the core half changed, so it ends the role: no turn is given any more,
/// streams end with UNAVAILABLE, and <see cref="PlmHostOptions.Failed"/> is told. A successor repairs from the
/// arena.</para>
/// </summary>
internal sealed partial class PlmHost : IPlmEffects, IDisposable
{
    private const int WaitMsMax = 1_000;

    private static readonly Fault s_notRunning = new(
        FaultCode.Unavailable, "the PLM is not running here; connect again in a moment", RetryAfterMs: 200);

    private static readonly Fault s_stopping = new(
        FaultCode.ShuttingDown, "the PLM is stopping; connect again in a moment", RetryAfterMs: 200);

    [ThreadStatic]
    private static List<SessionStream>? s_touched;

    private readonly PlmHostOptions _options;
    private readonly ArenaMap _arena;
    private readonly WakeWord _wake;
    private readonly WakeWord _schedulerWake;
    private readonly WakeWord _registerWake;
    private readonly ILogger _logger;
    private readonly RoleTurn _roleTurn;
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentQueue<SessionStream> _withRoom = new();

    // Held while the arena is signalled from outside turns, and taken inside the turn's lock: whoever stops the role
    // waits for such a signal, so that the arena is not gone under it.
    private readonly Lock _waking = new();

    // Guarded by the turn's lock.
    private readonly Lock _turn = new();
    private readonly HashSet<SessionStream> _streams = [];
    private readonly List<SessionStream> _touched = [];
    private readonly List<SessionStream> _promising = [];
    private readonly List<JournalWaiter> _waiters = [];
    private PlmCore? _core;
    private PlmJournal? _journal;
    private CellJournal? _cellJournal;
    private JournalThread? _journalThread;
    private TimeSpan _journalOpening;
    private RoleLease? _lease;
    private Thread? _thread;
    private Exception? _failure;
    private long _nextDueMs = long.MaxValue;
    private volatile bool _stopped;

    // The take-over is done; also read before the lock is taken.
    private volatile bool _isTakenOver;
    private bool _wakeScheduler;
    private bool _wakeRegister;

    public PlmHost(PlmHostOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.OutboxBytesMax, 4 << 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.OutboxBytesMax, 1 << 30);
        _options = options;
        _arena = options.Arena;
        _wake = _arena.Wake(Role.Plm);
        _schedulerWake = _arena.Wake(Role.Scheduler);
        _registerWake = _arena.Wake(Role.Register);
        _logger = options.Logs.CreateLogger("Muster.Plm");
        _roleTurn = new RoleTurn(this);
    }

    public PlmHostOptions Options => _options;

    public ILogger Logger => _logger;

    /// <summary>Where a turn encodes what it says. Inside a turn, and only until something else is encoded.</summary>
    public ProtoWriter Writer { get; } = new();

    /// <summary>Signalled once the role has ended here: calls that wait give up.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Why calls are refused now; none while the role runs.</summary>
    public Fault Refusal
    {
        get
        {
            lock (_turn)
            {
                return WhyNot();
            }
        }
    }

    /// <summary>The moment, for turns and for reads of the arena.</summary>
    public PlmTime Now()
    {
        var time = _options.Time;
        var ms = time.GetTimestamp() / (time.TimestampFrequency / 1_000);
        var unixUs = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return new PlmTime(ms, unixUs);
    }

    /// <summary>
    /// Adds the services that this host answers. Before the endpoint starts; calls are refused until it runs.
    /// </summary>
    public void AddTo(GrpcEndpoint endpoint)
    {
        endpoint.Add(SubmissionCalls.Bind(this), static () => Muster.V1.SubmissionService.Descriptor);
        endpoint.Add(
            Muster.V1.AdminService.BindService(new AdminCalls(this)), static () => Muster.V1.AdminService.Descriptor);
    }

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

            var fault = _arena.TryTakeRole(Role.Plm, _options.Addresses, out _lease);
            if (!fault.IsNone)
            {
                return fault;
            }

            var start = _options.Time.GetTimestamp();
            fault = TakeOver();
            if (!fault.IsNone)
            {
                // Nobody else could take the role while a host that never ran keeps it.
                _stopped = true;
                CloseSpill();
                _cellJournal?.Dispose();
                _lease!.Dispose();
                return fault;
            }

            _isTakenOver = true;
            if (_journal is not null)
            {
                _journal.LeaveCommits();
                _journalThread = new JournalThread(this, _cellJournal!.Log, _options.Journal.FlushIntervalMs);
                _journalThread.Start();
                _journalThread.Appended(wantsSync: true);
            }

            _spill?.Start();
            _thread = new Thread(Work) { Name = "plm", IsBackground = true };
            _thread.Start();
            if (_logger.IsEnabled(LogLevel.Information))
            {
                var took = _options.Time.GetElapsedTime(start).TotalMilliseconds;
                PlmLog.Started(
                    _logger,
                    _options.Cell,
                    _lease!.Epoch,
                    _arena.Counter(CellCounter.TasksNow),
                    $"in {took:0.0} ms, {_journalOpening.TotalMilliseconds:0.0} of them to open the journal");
            }
        }

        WakeOthers();
        return Fault.None;
    }

    /// <summary>
    /// Ends the streams, stops the thread and gives the role up. The arena keeps everything for the next one.
    /// </summary>
    public void Stop()
    {
        SessionStream[] streams;
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

        _ended.Cancel();
        foreach (var stream in streams)
        {
            stream.End(s_stopping);
        }

        // A turn that ends only now leaves its waking to this.
        _wake.Signal();
        _schedulerWake.Signal();
        _registerWake.Signal();
        if (thread != Thread.CurrentThread)
        {
            thread?.Join();
        }

        CloseSpill();
        if (_journalThread?.TryStop(_options.JournalPatience) == false)
        {
            // A flush that never ends must not keep the process from ending, which alone gives the journal's lock back.
            PlmLog.JournalHangs(_logger, _options.Cell, _options.JournalPatience.TotalSeconds);
        }
        else
        {
            _journalThread?.Dispose();
            _cellJournal?.Dispose();
        }

        ReleaseWaiters(all: true);
        _lease?.Dispose();
        PlmLog.Stopped(_logger, _options.Cell);
    }

    public void Dispose() => Stop();

    /// <summary>
    /// Ends once the journal has reached a sequence as a level asks; at once for sequence 0. Fails when the role ends
    /// before: whoever asked does not know then.
    /// </summary>
    public Task WhenReached(ulong sequence, byte durability)
    {
        lock (_turn)
        {
            if (sequence == 0 || _core is null || _core.IsReached(sequence, durability))
            {
                return Task.CompletedTask;
            }

            FaultStatus.ThrowIfFault(WhyNot());
            var waiter = new JournalWaiter(sequence, durability);
            _waiters.Add(waiter);
            _journalThread?.Appended(wantsSync: true);
            return waiter.Task;
        }
    }

    /// <summary>The stream has an answer that waits for the journal. Inside a turn.</summary>
    public void Promise(SessionStream stream) => _promising.Add(stream);

    /// <summary>Gives the caller a turn; what it caused is sent before this returns.</summary>
    /// <exception cref="Grpc.Core.RpcException">The role does not run here, or failed in this turn.</exception>
    public void Run(IPlmTurn turn)
    {
        if (!TryRun(turn, out var refusal))
        {
            throw FaultStatus.ToException(refusal);
        }
    }

    /// <summary>As <see cref="Run(IPlmTurn)"/>, for callers that have a result and time for a closure.</summary>
    public T Run<T>(Func<PlmCore, PlmTime, T> act)
    {
        var turn = new FuncTurn<T>(act);
        Run(turn);
        return turn.Result!;
    }

    /// <summary>As <see cref="Run(IPlmTurn)"/>; false when the role does not run here or failed in this turn.</summary>
    public bool TryRun(IPlmTurn turn, out Fault refusal)
    {
        if (!_isTakenOver)
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
        bool wakeSelf;
        lock (_turn)
        {
            refusal = WhyNot();
            if (!refusal.IsNone)
            {
                s_touched = touched;
                return false;
            }

            try
            {
                RunLocked(turn, touched);
            }
            catch (Exception exception)
            {
                // A half-made turn cannot be taken back: the role ends, whatever the exception was.
                failure = exception;
                _failure = exception;
                touched.AddRange(_streams);
            }

            wakeSelf = NoteNextDue(turn == _roleTurn);
        }

        Finish(touched, failure, wakeSelf);
        refusal = failure is null ? Fault.None : s_notRunning;
        return failure is null;
    }

    /// <summary>Notes that the stream has something to send once the turn is over. Inside a turn.</summary>
    public void Touch(SessionStream stream) => _touched.Add(stream);

    /// <summary>The stream has begun: it is ended when the role ends. Inside a turn.</summary>
    public void Join(SessionStream stream) => _streams.Add(stream);

    /// <summary>The stream has ended. Inside a turn.</summary>
    public void Leave(SessionStream stream)
    {
        _streams.Remove(stream);
        _promising.Remove(stream);
    }

    /// <summary>
    /// The stream takes results again. From any thread; delivery goes on in a turn of the role's thread.
    /// </summary>
    public void ResumeLater(SessionStream stream)
    {
        // A call that ends after the stop may still say that it has room; the arena may be gone by then.
        lock (_waking)
        {
            if (!_stopped)
            {
                _withRoom.Enqueue(stream);
                _wake.Signal();
            }
        }
    }

    /// <summary>Stops the role because it cannot go on. From any thread, outside turns.</summary>
    public void Fail(Exception why)
    {
        SessionStream[] streams;
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

    void IPlmEffects.SignalScheduler() => _wakeScheduler = true;

    void IPlmEffects.SignalRegister() => _wakeRegister = true;

    private Fault TakeOver()
    {
        try
        {
            if (_options.StateFolder is { } folder)
            {
                var start = _options.Time.GetTimestamp();
                var opened = CellJournal.TryOpen(folder, _options.Journal, out _cellJournal);
                _journalOpening = _options.Time.GetElapsedTime(start);
                if (!opened.IsNone)
                {
                    return opened;
                }

                _journal = new PlmJournal(_cellJournal!.Log, _options.SnapshotBytesMin);
                opened = TryOpenSpill(folder);
                if (!opened.IsNone)
                {
                    return opened;
                }
            }

            var core = new PlmCore(_arena, this, _options.Core, _journal, _spill);
            core.BeginTurn(Now());
            var fault = core.Recover();
            if (fault.IsNone)
            {
                core.EndTurn();
                _core = core;
            }

            return fault;
        }
        catch
        {
            _stopped = true;
            CloseSpill();
            _cellJournal?.Dispose();
            _lease?.Dispose();
            throw;
        }
    }

    private Fault WhyNot()
    {
        if (_stopped)
        {
            return s_stopping;
        }

        return _core is null || _failure is not null ? s_notRunning : Fault.None;
    }
}
