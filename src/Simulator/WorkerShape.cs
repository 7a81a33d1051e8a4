// SPDX-License-Identifier: Apache-2.0
using Muster.Scheduler.Decisions;

namespace Muster.Simulator;

/// <summary>What one worker has, and how fast it is.</summary>
internal readonly record struct WorkerShape(Resources Has, double Speed = 1);
