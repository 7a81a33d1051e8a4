// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Arena;
using Muster.Core;
using Muster.Journal;
using Muster.Plm;
using Muster.Register;
using Muster.Scheduler;
using Muster.Server.Endpoint.Access;
using Muster.Server.Journal;

namespace Muster.Server;

/// <summary>
/// What a person may choose about the part of a cell that runs in one process. Checked as a whole by
/// <see cref="Check"/> before anything is touched.
/// </summary>
internal sealed record CellOptions
{
    /// <summary>1 to 32 characters of [a-z0-9-]. Default "default".</summary>
    public string Cell { get; init; } = "default";

    /// <summary>The roles that run in this process; each at most once. Default: all three.</summary>
    public IReadOnlyList<Role> Roles { get; init; } = [Role.Plm, Role.Scheduler, Role.Register];

    /// <summary>Absolute folder of the sockets. Null: <see cref="CellPaths.RuntimeFolder"/>.</summary>
    public string? RuntimeFolder { get; init; }

    /// <summary>
    /// Absolute folder that keeps the cell's epoch across arenas, see <see cref="CellPaths.StateFolder"/>. Null: the
    /// cell ends with its processes.
    /// </summary>
    public string? StateFolder { get; init; }

    /// <summary>
    /// An address to listen on beside the socket, with a port of 1 to 65,535. Null: the socket alone. One that is not
    /// loopback needs <see cref="Tls"/>, see <see cref="BindRules"/>.
    /// </summary>
    public IPEndPoint? Bind { get; init; }

    /// <summary>The address speaks TLS, with a certificate of the cell's own authority.</summary>
    public bool Tls { get; init; }

    /// <summary>What is asked of who connects there. Null: tokens with TLS, nothing without.</summary>
    public AuthMode? Auth { get; init; }

    /// <summary>Host, or host:port, by which others reach the address when it is not as they see it. Null: the address
    /// itself, or the host by which they came.</summary>
    public string? Advertise { get; init; }

    /// <summary>Sizes of an arena that is made anew; one that exists keeps its own.</summary>
    public ArenaLimits Limits { get; init; } = new();

    /// <summary>Removes the arena's file at the end: for a cell that lives as long as one command.</summary>
    public bool RemoveArenaAtStop { get; init; }

    /// <summary>How long a role without the PLM waits for the arena, 0 to 3,600,000. Default 30,000.</summary>
    public int ArenaWaitMs { get; init; } = 30_000;

    public PlmOptions Plm { get; init; } = new();

    /// <summary>Of the journal, which a cell with a state folder keeps.</summary>
    public JournalOptions Journal { get; init; } = CellJournal.DefaultOptions;

    public SchedulerOptions Scheduler { get; init; } = new();

    public RegisterOptions Register { get; init; } = new();

    /// <summary>Version of the program, for people.</summary>
    public string Version { get; init; } = "0.1.0";

    /// <summary>A line for the person who started this: an arena made anew and why, a wait and for what.</summary>
    public Action<string>? Note { get; init; }

    /// <summary>
    /// Told once when a role has stopped because of a bug of ours or because the arena is gone; then stop the cell.
    /// Called on any thread.
    /// </summary>
    public Action<Exception>? Failed { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Logs { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The folder of the sockets, chosen or by default.</summary>
    public string Sockets => RuntimeFolder ?? CellPaths.RuntimeFolder(Cell);

    /// <summary>
    /// The socket of this process: the front door when the Register is in it, else the role's own.
    /// </summary>
    public string SocketPath => Path.Combine(
        Sockets,
        Has(Role.Register) ? CellPaths.FrontDoor : Has(Role.Plm) ? "plm.sock" : "scheduler.sock");

    public bool Has(Role role) => CountOf(role) > 0;

    /// <summary>The first option that cannot be.</summary>
    public Fault Check()
    {
        if (Roles.Count == 0 || CountOf(Role.Plm) > 1 || CountOf(Role.Scheduler) > 1 || CountOf(Role.Register) > 1)
        {
            return Invalid("the roles of a process must be named, each once");
        }

        var fault = ArenaFolder.CheckCell(Cell);
        fault = fault.IsNone ? Limits.Check() : fault;
        if (!fault.IsNone)
        {
            return fault;
        }

        if (!Path.IsPathFullyQualified(Sockets) || (StateFolder is not null && !Path.IsPathFullyQualified(StateFolder)))
        {
            return Invalid("RuntimeFolder and StateFolder must be absolute paths");
        }

        fault = BindRules.Check(Bind, Tls, Auth);
        if (!fault.IsNone)
        {
            return fault;
        }

        if (StateFolder is null && (Tls || Auth is not (null or AuthMode.None)))
        {
            return Invalid("a cell without a state folder has no place for identities; leave --tls and --auth out");
        }

        if (Bind is { Port: 0 })
        {
            return Invalid("the port of --bind is 0; name one of 1 to 65,535, so that others can be told");
        }

        if (ArenaWaitMs is < 0 or > 3_600_000)
        {
            return Invalid($"ArenaWaitMs is {ArenaWaitMs}; it must be 0 to 3,600,000");
        }

        var problem = Scheduler.Problem() ?? Register.Problem() ?? PlmProblem();
        return problem is null ? Fault.None : Invalid(problem);
    }

    private static Fault Invalid(string problem) => new(FaultCode.InvalidArgument, problem);

    private string? PlmProblem()
    {
        try
        {
            Plm.Validate();
            return null;
        }
        catch (ArgumentException problem)
        {
            return problem.Message;
        }
    }

    // Not by LINQ: its code for an enum would have to be compiled while a role starts.
    private int CountOf(Role role)
    {
        var count = 0;
        for (var at = 0; at < Roles.Count; at++)
        {
            count += Roles[at] == role ? 1 : 0;
        }

        return count;
    }
}
