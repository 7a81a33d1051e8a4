// SPDX-License-Identifier: Apache-2.0
using Muster.Plm;

namespace Muster.Server.PlmHosting;

/// <summary>What somebody does with the PLM's core while it has the turn.</summary>
internal interface IPlmTurn
{
    /// <summary>Called under the turn's lock: must not block, and must not start another turn.</summary>
    void Run(PlmCore core, PlmTime now);
}
