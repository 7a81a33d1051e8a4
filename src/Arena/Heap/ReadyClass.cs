// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Heap;

/// <summary>A class with ready tasks.</summary>
/// <param name="Id">Of the class.</param>
/// <param name="Class">What its tasks share.</param>
/// <param name="Count">Ready tasks.</param>
/// <param name="HeadReadyOrder">
/// Grows with time: the class whose head waits longest has the lowest. It is the wall clock in microseconds at which
/// the head became ready (SubmittedUnixUs + ReadyUs), so that it survives a rebuild of the lists.
/// </param>
internal readonly record struct ReadyClass(ushort Id, TaskClass Class, uint Count, ulong HeadReadyOrder);
