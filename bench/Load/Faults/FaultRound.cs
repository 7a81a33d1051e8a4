// SPDX-License-Identifier: Apache-2.0
namespace Muster.Load.Faults;

/// <summary>One round of the schedule.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Kind">What is done.</param>
/// <param name="PauseMs">The load runs undisturbed this long before it.</param>
/// <param name="Target">Which of several, where there is a choice; taken modulo their number.</param>
/// <param name="LengthMs">How long what is stopped stays stopped, or the gap between two kills.</param>
internal sealed record FaultRound(int Number, FaultKind Kind, int PauseMs, int Target, int LengthMs);
