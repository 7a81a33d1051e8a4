// SPDX-License-Identifier: Apache-2.0
namespace Muster.Worker.Attempts;

/// <summary>The limits of an attempt, in milliseconds.</summary>
/// <param name="TimeoutMs">From its start to its end; 0: no limit.</param>
/// <param name="ProgressTimeoutMs">The longest silence; 0: no limit.</param>
/// <param name="CancelGraceMs">Between the request to stop and the kill.</param>
internal readonly record struct AttemptLimits(ulong TimeoutMs, ulong ProgressTimeoutMs, int CancelGraceMs);
