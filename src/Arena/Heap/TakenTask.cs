// SPDX-License-Identifier: Apache-2.0
using Muster.Core.Tasks;

namespace Muster.Arena.Heap;

/// <summary>
/// A slot with the state word that the caller knows: from <see cref="TaskHeap.Take"/>, already Assigned under its new
/// attempt; to <see cref="TaskHeap.Push"/>, the word it has before it becomes Ready.
/// </summary>
internal readonly record struct TakenTask(uint Slot, StateWord Word);
