// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Heap;

/// <summary>What the tasks of one class share; tasks of one class are decided together.</summary>
internal readonly record struct TaskClass(byte Priority, ushort Handler);
