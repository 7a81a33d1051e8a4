// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Heap;

/// <summary>What the tasks of one class share; tasks of one class are decided together.</summary>
/// <param name="Priority">0 to 7; higher first.</param>
/// <param name="Handler">Index into the handler table.</param>
/// <param name="IsAlone">
/// Each of them has a worker to itself while it runs: a worker died that ran it, and should that happen again, it shall
/// be known which task did it.
/// </param>
internal readonly record struct TaskClass(byte Priority, ushort Handler, bool IsAlone = false);
