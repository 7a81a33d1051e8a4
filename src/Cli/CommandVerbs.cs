// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Cli;

/// <summary>The words that may follow "muster".</summary>
internal static class CommandVerbs
{
    public const string Up = "up";
    public const string Plm = "plm";
    public const string Scheduler = "scheduler";
    public const string Register = "register";
    public const string Worker = "worker";
    public const string Submit = "submit";
    public const string Map = "map";
    public const string Tasks = "tasks";
    public const string Workers = "workers";
    public const string Top = "top";
    public const string Arena = "arena";
    public const string Journal = "journal";
    public const string Cancel = "cancel";
    public const string Retry = "retry";
    public const string Forget = "forget";
    public const string Auth = "auth";
    public const string Simulate = "simulate";
    public const string Version = "version";

    /// <summary>All of them, in the order of the help.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        Map, Submit, Up, Plm, Scheduler, Register, Worker, Tasks, Workers, Top, Cancel, Retry, Forget, Auth, Arena,
        Journal, Simulate, Version,
    ];
}
