// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.CrashDummy;

/// <summary>
/// Lives the whole life of tasks over and over, as all three roles at once: accepts, pushes, takes, ends and frees
/// slots in small batches, so that it spends its time inside the task heap. Begins with what its killed predecessor
/// left.
/// </summary>
internal sealed class HeapHammer
{
    public const uint Slots = 512;

    private const int Batch = 16;
    private const int Priorities = 4;

    private readonly ArenaMap _map;
    private readonly ushort[] _classes = new ushort[Priorities];
    private readonly uint[] _free = new uint[Slots];
    private readonly TakenTask[] _batch = new TakenTask[Batch];
    private int _freeCount;
    private long _moment;

    public HeapHammer(ArenaMap map)
    {
        _map = map;
        map.Tasks.HighWater = Slots;
        for (byte priority = 0; priority < Priorities; priority++)
        {
            Invariant.That(map.Ready.TryIntern(new TaskClass(priority, 0), out _classes[priority]));
        }
    }

    public void Run()
    {
        Recover();
        Turn();
        Program.Say("ready");
        while (true)
        {
            Turn();
        }
    }

    private void Recover()
    {
        for (var slot = 0u; slot < Slots; slot++)
        {
            var word = _map.Tasks.Read(slot);
            switch (word.State)
            {
                case TaskState.Free:
                    _free[_freeCount++] = slot;
                    break;
                case TaskState.Accepted:
                    Invariant.That(_map.Ready.Push(Role.Plm, [new(slot, word)]) == 1);
                    break;
                case TaskState.Ready:
                    break;
                default:
                    End(slot, word);
                    break;
            }
        }
    }

    private void Turn()
    {
        var accepted = 0;
        while (accepted < Batch && _freeCount > 0)
        {
            var slot = _free[--_freeCount];
            _batch[accepted++] = new(slot, Accept(slot));
        }

        Invariant.That(_map.Ready.Push(Role.Plm, _batch.AsSpan(0, accepted)) == accepted);

        // Leaves some of each class in the heap, so that there are lists to break.
        foreach (var id in _classes)
        {
            var taken = _map.Ready.Take(id, 0, _map.Epoch, _moment, _batch.AsSpan(0, (Batch / Priorities) + 1));
            for (var i = 0; i < taken; i++)
            {
                End(_batch[i].Slot, _batch[i].Word);
            }
        }
    }

    private StateWord Accept(uint index)
    {
        ref var slot = ref _map.Tasks[index];
        var generation = TaskId.NextGeneration(slot.Generation, _map.Epoch);
        Invariant.That(generation != 0);
        slot.Generation = generation;
        slot.Class = _classes[generation % Priorities];
        slot.SubmittedUnixUs = ++_moment;
        var word = new StateWord(TaskState.Accepted, Attempt.None, (uint)generation);
        Invariant.That(_map.Tasks.TryStep(Role.Plm, index, _map.Tasks.Read(index), word));
        return word;
    }

    private void End(uint index, StateWord word)
    {
        if (word.State == TaskState.Assigned)
        {
            word = Step(Role.Register, index, word, TaskState.Reported);
        }

        if (word.State == TaskState.Reported)
        {
            word = Step(Role.Plm, index, word, TaskState.Done);
        }

        Step(Role.Plm, index, word, TaskState.Free);
        _free[_freeCount++] = index;
    }

    private StateWord Step(Role role, uint index, StateWord word, TaskState state)
    {
        Invariant.That(_map.Tasks.TryStep(role, index, word, word.With(state)));
        return word.With(state);
    }
}
