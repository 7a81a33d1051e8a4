// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>Another system that runs tasks, in the fastest way that it offers.</summary>
internal interface IPeer
{
    /// <summary>As in the table and in the figures.</summary>
    string Name { get; }

    /// <summary>What a task that was accepted survives.</summary>
    string Durability { get; }

    /// <summary>The Debian packages that it needs.</summary>
    IReadOnlyList<string> Packages { get; }

    /// <summary>Gets what is needed besides Debian's packages; null when all is there, else why not.</summary>
    Task<string?> PrepareAsync();

    /// <summary>One round: starts everything, measures, and ends everything.</summary>
    Task<PeerFigures> MeasureAsync();
}
