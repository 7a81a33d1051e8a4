// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Muster.Arena;
using Muster.Arena.Native;
using Muster.Core;
using Muster.Server.Endpoint;
using Muster.Server.PlmHosting;
using Muster.Server.RegisterHosting;
using Muster.Server.SchedulerHosting;

namespace Muster.Server;

/// <summary>
/// Runs roles of a cell in this process over one arena: all three (`muster up`, embedded cells), or one (production).
/// The same hosts and the same code either way; they meet in the arena alone. With the Register here, one endpoint at
/// the front door serves everything that runs here.
/// <para>
/// Start and stop may be called more than once and in any order; a host runs once. Not for several threads at a time.
/// </para>
/// </summary>
internal sealed class CellHost : IAsyncDisposable
{
    private const int ArenaLookMs = 50;
    private const int ArenaNoteAfterMs = 500;

    private readonly CellOptions _options;
    private readonly ILogger _logger;

    private ArenaMap? _arena;
    private CellFront? _front;
    private GrpcEndpoint? _endpoint;
    private PlmHost? _plm;
    private SchedulerHost? _scheduler;
    private RegisterHost? _register;
    private int _failed;
    private bool _started;
    private bool _stopped;

    public CellHost(CellOptions options)
    {
        _options = options;
        _logger = options.Logs.CreateLogger("Muster.Cell");
#if SEAMS
        CrashSwitch.Arm();
#endif
    }

    /// <summary>Where this process listens, best first; empty before the start.</summary>
    public IReadOnlyList<string> Addresses { get; private set; } = [];

    /// <summary>The address that clients and workers of this cell need: the Register's.</summary>
    public string Address => CellPaths.Address(_options.Sockets);

    /// <summary>The cell's arena, between start and stop.</summary>
    public ArenaMap Arena => _arena ?? throw new InvalidOperationException("the cell does not run");

    /// <summary>
    /// Opens the arena, takes the roles, and serves. A fault says what was in the way; then nothing runs and nothing is
    /// held, and this host cannot be started again.
    /// </summary>
    public async Task<Fault> StartAsync(CancellationToken cancellationToken = default)
    {
        if (_started || _stopped)
        {
            return _stopped ? new(FaultCode.ShuttingDown, "the cell was stopped; make a new one") : Fault.None;
        }

        _started = true;
        var fault = _options.Check();
        var done = false;
        try
        {
            fault = fault.IsNone ? await OpenArenaAsync(cancellationToken).ConfigureAwait(false) : fault;
            fault = fault.IsNone ? CheckRolesAreFree() : fault;
            fault = fault.IsNone ? CheckFolder() : fault;
            fault = fault.IsNone ? await ListenAsync(cancellationToken).ConfigureAwait(false) : fault;
            fault = fault.IsNone ? StartRoles() : fault;
            done = fault.IsNone;
        }
        finally
        {
            if (!done)
            {
                await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
            }
        }

        if (done && _logger.IsEnabled(LogLevel.Information))
        {
            CellLog.Serves(
                _logger, _options.Cell, string.Join(", ", _options.Roles), string.Join(", ", Addresses));
        }

        return fault;
    }

    /// <summary>
    /// Ends the streams, gives the roles up and closes the arena; what is queued or runs stays in it for the next
    /// start, unless the options say that the arena goes too.
    /// </summary>
    /// <param name="grace">How long calls under way may take; zero cuts them.</param>
    public async Task StopAsync(TimeSpan grace)
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;

        // The Scheduler first: nothing new is begun while the others finish.
        _scheduler?.Dispose();
        _register?.Dispose();
        _plm?.Dispose();
        if (_endpoint is not null)
        {
            await _endpoint.StopAsync(grace).ConfigureAwait(false);
        }

        _front?.Dispose();
        _arena?.Dispose();
        _arena = null;
        if (_started && _options.RemoveArenaAtStop && _endpoint is not null)
        {
            var fault = ArenaFile.Remove(_options.Cell);
            if (!fault.IsNone)
            {
                CellLog.ArenaKept(_logger, _options.Cell, fault.Message);
            }
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);

    private async Task<Fault> OpenArenaAsync(CancellationToken cancellationToken)
    {
        if (!_options.Has(Role.Plm))
        {
            return await AwaitArenaAsync(cancellationToken).ConfigureAwait(false);
        }

        var fault = ArenaFile.OpenOrCreate(
            _options.Cell, _options.Limits, _options.StateFolder, out _arena, out var note);
        if (fault.IsNone && note.Length > 0)
        {
            CellLog.Noted(_logger, _options.Cell, note);
            _options.Note?.Invoke(note);
        }

        return fault;
    }

    /// <summary>
    /// The PLM alone makes arenas, also instead of one that cannot be used; the others wait for it, for a while. One
    /// that is just being made looks damaged.
    /// </summary>
    private async Task<Fault> AwaitArenaAsync(CancellationToken cancellationToken)
    {
        var time = _options.Time;
        var start = time.GetTimestamp();
        var isTold = false;
        while (true)
        {
            var fault = ArenaFile.Attach(_options.Cell, readOnly: false, out _arena);
            var waitedMs = time.GetElapsedTime(start).TotalMilliseconds;
            var mayCome = fault.Code is FaultCode.ArenaMissing or FaultCode.ArenaDamaged or FaultCode.ArenaVersion;
            if (!mayCome)
            {
                return fault;
            }

            if (!isTold && waitedMs >= ArenaNoteAfterMs)
            {
                isTold = true;
                _options.Note?.Invoke(
                    $"waiting for the PLM of cell '{_options.Cell}' to make its arena, "
                    + $"at most {_options.ArenaWaitMs / 1_000} s ({fault.Message})");
            }

            // After the note: on a busy host the looks may be so far apart that the time for both has come at once.
            if (waitedMs >= _options.ArenaWaitMs)
            {
                return fault;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(ArenaLookMs), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// A clear word before the sockets are touched; taking the role decides, and two that start at once are told apart
    /// there.
    /// </summary>
    private Fault CheckRolesAreFree()
    {
        foreach (var role in _options.Roles)
        {
            var holder = _arena!.Holder(role);
            if (holder.IsAlive)
            {
                return new(FaultCode.RoleTaken,
                    $"process {holder.Pid} already runs the {ArenaFolder.RoleName(role)} of cell '{_options.Cell}'; "
                    + "stop it first, or choose another cell");
            }
        }

        return Fault.None;
    }

    /// <summary>The endpoint checks the folder itself; what holds the folder must not be a stranger's either.</summary>
    private Fault CheckFolder()
    {
        var folder = _options.Sockets;
        var parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(folder));
        if (parent is null || !Statx.TryOf(parent, out var facts))
        {
            return Fault.None;
        }

        return facts.Uid == User.Id || facts.Uid == 0
            ? Fault.None
            : new(FaultCode.AddressInvalid, $"{parent} belongs to another user; choose another runtime folder");
    }

    private async Task<Fault> ListenAsync(CancellationToken cancellationToken)
    {
        var fault = CellFront.TryOpen(_options, out _front);
        if (!fault.IsNone)
        {
            return fault;
        }

        _endpoint = new GrpcEndpoint(new EndpointOptions
        {
            SocketPath = _options.SocketPath,
            Loopback = _options.Bind is { } bind ? [bind] : [],
            Gate = _front!.Gate,
            Tls = _front.Tls,
            HoldsCalls = true,
            InvariantViolated = Fail,
            Time = _options.Time,
            Logs = _options.Logs,
        });
        var socket = "unix:" + _options.SocketPath;
        var scheme = _options.Tls ? "https" : "http";
        Addresses = _options.Bind is null ? [socket] : [socket, $"{scheme}://{_options.Bind}"];
        _endpoint.Add(IdentityCalls.Bind(_front, _options), static () => V1.IdentityService.Descriptor);
        MakeHosts(_front.Published is { } published ? $"{socket},{published}" : socket);
        foreach (var service in _endpoint.Services)
        {
            _endpoint.Health.Set(service, serving: false);
        }

        return await _endpoint.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    private void MakeHosts(string addresses)
    {
        if (_options.Has(Role.Plm))
        {
            _plm = new PlmHost(new PlmHostOptions
            {
                Arena = Arena,
                Addresses = addresses,
                Cell = _options.Cell,
                Version = _options.Version,
                StateFolder = _options.StateFolder,
#if SEAMS
                Core = CrashSwitch.Small(_options.Plm),
                Journal = CrashSwitch.Small(_options.Journal),
                SnapshotBytesMin = CrashSwitch.SnapshotBytesMin,
#else
                Core = _options.Plm,
                Journal = _options.Journal,
#endif
                Failed = Fail,
                Time = _options.Time,
                Logs = _options.Logs,
            });
            _plm.AddTo(_endpoint!);
        }

        if (_options.Has(Role.Scheduler))
        {
            _scheduler = new SchedulerHost(new SchedulerHostOptions
            {
                Arena = Arena,
                Addresses = addresses,
                Cell = _options.Cell,
                Core = _options.Scheduler,
                Failed = Fail,
                Time = _options.Time,
                Logs = _options.Logs,
            });
            _scheduler.AddTo(_endpoint!);
        }

        if (_options.Has(Role.Register))
        {
            _register = new RegisterHost(new RegisterHostOptions
            {
                Arena = Arena,
                Addresses = addresses,
                Cell = _options.Cell,
                Core = _options.Register,
                Failed = Fail,
                Time = _options.Time,
                Logs = _options.Logs,
            });
            _register.AddTo(_endpoint!);
        }
    }

    private Fault StartRoles()
    {
        // The Register last: whoever comes through the front door finds the others there.
        var fault = _plm?.Start() ?? Fault.None;
        fault = fault.IsNone ? _scheduler?.Start() ?? Fault.None : fault;
        fault = fault.IsNone ? _register?.Start() ?? Fault.None : fault;
        if (fault.IsNone)
        {
            foreach (var service in _endpoint!.Services)
            {
                _endpoint.Health.Set(service, serving: true);
            }

            _endpoint.LetCallsIn();
        }

        return fault;
    }

    private void Fail(Exception why)
    {
        if (Interlocked.Exchange(ref _failed, 1) == 0)
        {
            _endpoint?.Health.StopAll();
            _options.Failed?.Invoke(why);
        }
    }
}
