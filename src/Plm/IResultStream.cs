// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// One open stream of a session, as the core sees it. The host implements it; the core holds it from
/// <see cref="PlmCore.OpenSession"/> until the stream leaves or is closed. Called inside a turn; must not block.
/// </summary>
internal interface IResultStream
{
    /// <summary>
    /// Takes results of ended tasks, in order, as many as it has room for. Their slots hold still until the turn ends,
    /// so they are encoded at once.
    /// </summary>
    /// <returns>How many were taken. After fewer than all, the host calls <see
    /// cref="PlmCore.ResumeDelivery"/>.</returns>
    int Deliver(ReadOnlySpan<uint> slots, PlmTime now);

    /// <summary>The core has let go of the stream: end it with this fault.</summary>
    void Close(Fault fault);
}
