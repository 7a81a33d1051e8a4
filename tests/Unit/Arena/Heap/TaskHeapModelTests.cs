// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Muster.Arena.Heap;
using Muster.Core;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Arena.Heap;

/// <summary>
/// Random histories of a heap of 48 slots and 4 classes against lists in plain memory. Each number of a history is one
/// move: its remainder says which, the rest says with what.
/// </summary>
public sealed class TaskHeapModelTests
{
    private const int Slots = 48;
    private const int Moves = 8;

    [Fact]
    public void Heap_AnyHistory_AgreesWithPlainLists()
    {
        var histories = Gen.Choose(0, Moves * 10_000).ArrayOf().ToArbitrary();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(400).WithEndSize(300),
            Prop.ForAll(histories, history =>
            {
                using var model = new HeapModel();
                Array.ForEach(history, model.Move);
            }));
    }

    private sealed class HeapModel : IDisposable
    {
        private readonly PrivateTables _arena = new(tasksMax: 1024);
        private readonly ushort[] _classes;
        private readonly List<uint>[] _lists;
        private long _nowUs = 1_000_000;

        public HeapModel()
        {
            _classes = [.. Enumerable.Range(0, 4).Select(number => _arena.Intern((byte)(number / 2), (ushort)number))];
            _lists = [.. _classes.Select(_ => new List<uint>())];
        }

        public void Move(int number)
        {
            var detail = number / Moves;
            _nowUs += detail % 3;
            switch (number % Moves)
            {
                case 0: Push(detail); break;
                case 1: Push(detail); break;
                case 2: Take(detail); break;
                case 3: Remove(detail); break;
                case 4: GiveBack(detail); break;
                case 5: EndAndFree(detail); break;
                case 6: Retry(detail); break;
                default: Die(detail); break;
            }

            _arena.Heap.CheckInvariants();
            Assert.Equal((ulong)_lists.Sum(list => list.Count), _arena.Heap.Count);
            CheckReadyClasses();
        }

        public void Dispose() => _arena.Dispose();

        private void Push(int detail)
        {
            var batch = SlotsIn(TaskState.Free).Take(1 + (detail % 5))
                .Select(slot => _arena.Accept(slot, _classes[(detail + slot) % 4], _nowUs++)).ToArray();
            Assert.Equal(batch.Length, _arena.Heap.Push(Role.Plm, batch));
            Array.ForEach(batch, task => ListOf(task.Slot).Add(task.Slot));
        }

        private void Take(int detail)
        {
            var list = _lists[detail % 4];
            var taken = new TakenTask[detail / 4 % 7];
            var count = _arena.Heap.Take(_classes[detail % 4], 3, PrivateTables.Epoch, _nowUs, taken);
            Assert.Equal(Math.Min(taken.Length, list.Count), count);
            Assert.Equal(list[..count], taken[..count].Select(task => task.Slot));
            list.RemoveRange(0, count);
        }

        private void Remove(int detail)
        {
            var slot = (uint)(detail % Slots);
            var wasThere = ListOf(slot).Remove(slot);
            Assert.Equal(wasThere, _arena.Heap.Remove(slot, _arena.Tasks.Read(slot)));
        }

        private void GiveBack(int detail)
        {
            var batch = SlotsIn(TaskState.Assigned).Take(1 + (detail % 3))
                .Select(slot => new TakenTask(slot, _arena.Tasks.Read(slot))).ToArray();
            Assert.Equal(batch.Length, _arena.Heap.Push(detail % 2 == 0 ? Role.Scheduler : Role.Plm, batch));
            Array.ForEach(batch, task => ListOf(task.Slot).Add(task.Slot));
        }

        private void EndAndFree(int detail)
        {
            foreach (var slot in SlotsIn(TaskState.Assigned).Concat(SlotsIn(TaskState.Done)).Take(detail % 8).ToArray())
            {
                _arena.Free(slot);
            }
        }

        private void Retry(int detail)
        {
            foreach (var slot in SlotsIn(TaskState.Assigned).Take(detail % 3).ToArray())
            {
                var word = _arena.Tasks.Read(slot);
                var reported = word.With(TaskState.Reported);
                Assert.True(_arena.Tasks.TryStep(Role.Register, slot, word, reported));
                _arena.Tasks[slot].ReadyUs = detail;
                Assert.Equal(1, _arena.Heap.Push(Role.Plm, [new TakenTask(slot, reported), new TakenTask(slot, word)]));
                ListOf(slot).Add(slot);
            }
        }

        // A holder dies with the links of some slots in disorder; what is found then is the order of submission.
        private void Die(int detail)
        {
            _arena.DieHolding(_arena.HeapLock, () =>
            {
                for (var slot = (uint)(detail % 3); slot < Slots; slot += 3)
                {
                    _arena.Tasks[slot].HeapNext = (uint)detail;
                    _arena.Tasks[slot].HeapPrevious = slot;
                }
            });
            for (var number = 0; number < _lists.Length; number++)
            {
                _lists[number] =
                    [.. _lists[number].OrderBy(slot => _arena.Tasks[slot].SubmittedUnixUs).ThenBy(slot => slot)];
            }
        }

        private void CheckReadyClasses()
        {
            var ready = new ReadyClass[4];
            var count = _arena.Heap.ReadyClasses(ready);
            var expected = Enumerable.Range(0, 4).Where(number => _lists[number].Count > 0)
                .OrderByDescending(number => number / 2).ThenBy(number => OrderOf(_lists[number][0]))
                .Select(number => (_lists[number].Count, OrderOf(_lists[number][0])));
            Assert.Equal(expected, ready[..count].Select(one => ((int)one.Count, one.HeadReadyOrder)));
        }

        private ulong OrderOf(uint slot) =>
            (ulong)(_arena.Tasks[slot].SubmittedUnixUs + (long)_arena.Tasks[slot].ReadyUs);

        private List<uint> ListOf(uint slot) => _lists[Array.IndexOf(_classes, _arena.Tasks[slot].Class)];

        private IEnumerable<uint> SlotsIn(TaskState state) =>
            Enumerable.Range(0, Slots).Select(slot => (uint)slot).Where(slot => _arena.Tasks.Read(slot).State == state);
    }
}
