// SPDX-License-Identifier: Apache-2.0
using Muster.Arena.Tables;

namespace Muster.Scheduler;

/// <summary>What assignments that go out together have in common.</summary>
/// <param name="Handler">Index into the handler table.</param>
/// <param name="TimeoutMs">Time limit of the attempt; 0: none.</param>
/// <param name="ProgressTimeoutMs">The attempt's longest silence; 0: no limit.</param>
/// <param name="CancelGraceMs">How long it may go on when it is stopped.</param>
internal readonly record struct AssignmentTerms(
    ushort Handler, uint TimeoutMs, uint ProgressTimeoutMs, uint CancelGraceMs)
{
    public static AssignmentTerms Of(in ProfileRow profile) =>
        new(profile.Handler, profile.TimeoutMs, profile.ProgressTimeoutMs, profile.CancelGraceMs);
}
