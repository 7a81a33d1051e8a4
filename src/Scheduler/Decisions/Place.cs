// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>How many members of a task run on a worker.</summary>
internal readonly record struct Place(int Worker, int Members);
