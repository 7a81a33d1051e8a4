// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>
/// One decision: this task starts on this worker now. A gang starts on several; its first is named here and all of them
/// by <see cref="ISchedulingPolicy.Places"/>.
/// </summary>
internal readonly record struct Start(int Task, int Worker, bool IsCopy = false);
