// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;

namespace Muster.Cli.Verbs;

/// <summary>What one call of muster map is to do.</summary>
internal sealed record MapPlan
{
    public required CommandTemplate Template { get; init; }

    public required IAsyncEnumerable<string> Inputs { get; init; }

    /// <summary>How many inputs, where that is known before.</summary>
    public required int? Total { get; init; }

    /// <summary>Commands at once; null: as many as the cell runs.</summary>
    public required int? SlotsMax { get; init; }

    public required bool KeepOrder { get; init; }

    public required CellTarget Target { get; init; }

    public required RunPlan Run { get; init; }
}
