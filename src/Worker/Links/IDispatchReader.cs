// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core.Tasks;
using Muster.Worker.Attempts;

namespace Muster.Worker.Links;

/// <summary>Takes what a message of the Scheduler holds, in its order. The spans live during the call.</summary>
internal interface IDispatchReader
{
    /// <summary>The assignments that follow have this handler and these limits.</summary>
    void Group(ReadOnlySpan<byte> handler, in AttemptLimits limits);

    /// <summary>One attempt to run.</summary>
    void Assignment(AttemptKey key, uint execution, ReadOnlySpan<byte> payload);

    /// <summary>One attempt to stop.</summary>
    void Cancel(AttemptKey key);
}
