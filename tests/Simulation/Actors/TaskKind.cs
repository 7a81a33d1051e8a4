// SPDX-License-Identifier: Apache-2.0
namespace Muster.Simulation.Actors;

/// <summary>How the handler treats a task; written in its payload.</summary>
internal enum TaskKind : byte
{
    Succeeds,

    /// <summary>The first executions fail.</summary>
    FailsFirst,
    FailsAlways,

    /// <summary>Its first execution kills the worker.</summary>
    KillsWorker,

    /// <summary>Runs on until it is stopped.</summary>
    Hangs,
}
