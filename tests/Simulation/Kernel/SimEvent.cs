// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulation.Kernel;

/// <summary>Something that happens to a process, or to the world when it has none.</summary>
/// <param name="TimeUs">When.</param>
/// <param name="Sequence">Orders what happens at the same moment: first asked for, first to happen.</param>
/// <param name="Owner">To whom; null: the world.</param>
/// <param name="Life">In which life of the owner; in another one it does not happen.</param>
/// <param name="Act">What.</param>
internal readonly record struct SimEvent(long TimeUs, ulong Sequence, SimProcess? Owner, uint Life, Action Act);
