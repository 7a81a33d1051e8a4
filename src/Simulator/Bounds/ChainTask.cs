// SPDX-License-Identifier: Apache-2.0
namespace Muster.Simulator.Bounds;

/// <summary>A task with the least time before it and after it, at the highest speed.</summary>
internal readonly record struct ChainTask(double HeadUs, double LengthUs, double TailUs, double Slots);
