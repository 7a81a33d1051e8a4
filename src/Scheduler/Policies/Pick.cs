// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Policies;

/// <summary>A worker and how many tasks of a class it shall get.</summary>
internal readonly record struct Pick(uint Row, uint Tasks);
