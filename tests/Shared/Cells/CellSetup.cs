// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;

namespace Muster.Shared.Cells;

/// <summary>How a cell's processes are started, beyond what a user would do without a thought.</summary>
internal sealed record CellSetup
{
    /// <summary>The whole cell in one process, `muster up`, which is the role "up" then.</summary>
    public bool IsOneProcess { get; init; }

    /// <summary>Further options of `muster plm`, for example limits of the arena.</summary>
    public IReadOnlyList<string> PlmOptions { get; init; } = [];

    /// <summary>The program to run the roles with; null: <see cref="CellProcesses.Executable"/>.</summary>
    public string? Executable { get; init; }

    /// <summary>Further options of each role, by its name.</summary>
    public IReadOnlyDictionary<string, string[]> RoleOptions { get; init; } = new Dictionary<string, string[]>();

    /// <summary>
    /// Further environment of each role, by its name; "" for every process. Read at each start, so that it may be
    /// changed between two.
    /// </summary>
    public IReadOnlyDictionary<string, Dictionary<string, string>> Environment { get; init; } =
        new Dictionary<string, Dictionary<string, string>>();

    /// <summary>
    /// A program and its arguments that starts each role, for example to put it in a namespace; it must exec. By role;
    /// "" for every process.
    /// </summary>
    public IReadOnlyDictionary<string, string[]> Wrapper { get; init; } = new Dictionary<string, string[]>();

    /// <summary>XDG_STATE_HOME, when it is not to be the cell's own folder.</summary>
    public string? StateHome { get; init; }

    /// <summary>Gets what the processes write to their standard error; null: it is shown.</summary>
    public Action<string, string>? ErrorLine { get; init; }
}
