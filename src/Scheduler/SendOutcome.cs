// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler;

/// <summary>What became of a batch of assignments.</summary>
/// <param name="Handled">How many from the front are settled; for the rest the stream had no room.</param>
/// <param name="Sent">
/// How many of those will reach the worker if the stream holds; the others were cancelled meanwhile.
/// </param>
internal readonly record struct SendOutcome(int Handled, int Sent);
