// SPDX-License-Identifier: Apache-2.0
namespace Muster.Register;

/// <summary>The answer to a hello.</summary>
/// <param name="Row">The worker's row.</param>
/// <param name="WorkerId">Row + (epoch &lt;&lt; 32).</param>
/// <param name="LeaseMs">Silence longer than this, and its attempts go to others.</param>
/// <param name="IntervalMs">How often to beat.</param>
/// <param name="IsFenced">It was lost before, or is not known here: what it holds is not its own any more.</param>
/// <param name="ConfirmedResultNumber">The highest result number that is safe.</param>
internal readonly record struct Welcome(
    uint Row, ulong WorkerId, uint LeaseMs, uint IntervalMs, bool IsFenced, ulong ConfirmedResultNumber);
