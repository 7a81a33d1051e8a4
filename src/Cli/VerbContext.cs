// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using Muster.Cli.Output;

namespace Muster.Cli;

/// <summary>What every verb gets: where to write, what stood after ":::", and when to end.</summary>
internal sealed record VerbContext(Terminal Terminal, string[]? Inputs, Interruption Interruption)
{
    public CancellationToken Ending => Interruption.Token;
}
