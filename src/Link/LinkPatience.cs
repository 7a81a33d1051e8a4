// SPDX-License-Identifier: Apache-2.0
namespace Muster.Link;

/// <summary>
/// How long the other end of a link may stay silent or leave a message unfinished. Looks are counted and not time,
/// because this process may have stood still itself.
/// </summary>
/// <param name="LookMs">Milliseconds between two looks; an end says at each that it lives.</param>
/// <param name="SilentLooksMax">
/// So many without a sign of life, and the other end is given up: as long as a connection's ping and its answer may
/// take.
/// </param>
/// <param name="PartialLooksMax">So many at one message that a reader waits for, and its sender is given up.</param>
internal sealed record LinkPatience(int LookMs, int SilentLooksMax, int PartialLooksMax)
{
    /// <summary>40 s of silence, 20 s for a message.</summary>
    public static LinkPatience Default { get; } = new(LookMs: 1_000, SilentLooksMax: 40, PartialLooksMax: 20);
}
