// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using Muster.Arena;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Arena.Files;

/// <summary>
/// Random lives of a cell on real files: arenas are made, attached, lost and damaged, the state folder too, makers die
/// half-way. Whatever happens, no task id and no attempt of a task is ever given out twice.
/// </summary>
public sealed class EpochModelTests
{
    private const int LivesMax = 60;
    private const int SlotsUsed = 3;

    private enum Event
    {
        /// <summary>Opens the cell, and gives out ids for some slots.</summary>
        Use,

        /// <summary>The arena's file vanishes, as at a reboot.</summary>
        LoseArena,

        /// <summary>The arena's header is of another boot; its epoch can still be read.</summary>
        Reboot,

        /// <summary>The arena's first bytes are overwritten.</summary>
        DamageArena,

        /// <summary>The state folder vanishes while the arena lives, and comes back empty.</summary>
        LoseStateOfLiveArena,

        /// <summary>A maker recorded the next epoch and died before it made the arena.</summary>
        DieAfterRecording,
    }

    [Fact]
    public void TaskIdsAndAttempts_AnyLifeOfACell_NeverRepeat()
    {
        var lives = Gen.Elements(Enum.GetValues<Event>().Append(Event.Use).Append(Event.Use).ToArray())
            .NonEmptyListOf().ToArbitrary();
        Prop.ForAll(lives, Live).Check(Config.QuickThrowOnFailure.WithMaxTest(LivesMax).WithEndSize(24));
    }

    private static void Live(IList<Event> events)
    {
        var cell = "model-" + Guid.NewGuid().ToString("n")[..16];
        var state = Path.Combine(Path.GetTempPath(), cell);
        var seenIds = new HashSet<ulong>();
        var seenAttempts = new HashSet<(uint Slot, uint Attempt)>();
        try
        {
            foreach (var each in events)
            {
                Happen(each, cell, state, seenIds, seenAttempts);
            }
        }
        finally
        {
            Assert.True(ArenaFile.Remove(cell).IsNone);
            DeleteFolder(state);
        }
    }

    private static void Happen(
        Event happening, string cell, string state, HashSet<ulong> ids, HashSet<(uint Slot, uint Attempt)> attempts)
    {
        switch (happening)
        {
            case Event.Use:
                Use(cell, state, ids, attempts);
                break;
            case Event.LoseArena:
                File.Delete(ArenaFile.PathOf(cell));
                break;
            case Event.Reboot:
                Overwrite(cell, offset: 40, rewriteChecksum: true);
                break;
            case Event.DamageArena:
                Overwrite(cell, offset: 0, rewriteChecksum: false);
                break;
            case Event.LoseStateOfLiveArena:
                // Both lost at once is beyond what any file can remember.
                if (ArenaFile.Attach(cell, readOnly: true, out var live).IsNone)
                {
                    live!.Dispose();
                    DeleteFolder(state);
                    Use(cell, state, ids, attempts);
                }

                break;
            case Event.DieAfterRecording:
                Assert.True(CellEpoch.Advance(state, 0, out _).IsNone);
                break;
        }
    }

    private static void Use(
        string cell, string state, HashSet<ulong> ids, HashSet<(uint Slot, uint Attempt)> attempts)
    {
        var limits = new ArenaLimits
        {
            TasksMax = 1_024, WorkersMax = 16, ClientsMax = 16, PayloadBytesMax = 1 << 20, ResultBytesMax = 8 << 20,
        };
        var fault = ArenaFile.OpenOrCreate(cell, limits, state, out var map, out _);
        Assert.True(fault.IsNone, fault.Message);
        using (map)
        {
            for (var index = 0u; index < SlotsUsed; index++)
            {
                ref var slot = ref map!.Tasks[index];
                slot.Generation = TaskId.NextGeneration(slot.Generation, map.Epoch);
                var attempt = new StateWord(slot.State).Attempt.Next(map.Epoch);
                slot.State = new StateWord(TaskState.Free, attempt, 0).Value;
                Assert.True(ids.Add(new TaskId(index, slot.Generation).Value), "a task id was given out twice");
                Assert.True(attempts.Add((index, attempt.Value)), "an attempt was given out twice");
            }
        }
    }

    private static void Overwrite(string cell, int offset, bool rewriteChecksum)
    {
        var path = ArenaFile.PathOf(cell);
        if (!File.Exists(path))
        {
            return;
        }

        using var file = new FileStream(path, FileMode.Open);
        var bytes = new byte[ArenaHeader.SizeBytes];
        file.ReadExactly(bytes);
        bytes.AsSpan(offset, 8).Fill(0xEE);
        if (rewriteChecksum)
        {
            var header = MemoryMarshal.Read<ArenaHeader>(bytes);
            header.Checksum = header.ComputeChecksum();
            MemoryMarshal.Write(bytes, in header);
        }

        file.Position = 0;
        file.Write(bytes);
    }

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
