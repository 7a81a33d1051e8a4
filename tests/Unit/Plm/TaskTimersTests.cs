// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

public sealed class TaskTimersTests
{
    [Fact]
    public void SetRemovePop_AnySequence_AgreesWithASortedModel()
    {
        // Each step: what to do, for which slot, due when.
        var steps = ArbMap.Default.ArbFor<(byte Kind, byte Slot, byte Due)[]>();
        Prop.ForAll(steps, sequence =>
        {
            var index = new SlotIndex();
            var timers = new TaskTimers(index);
            var model = new Dictionary<uint, long>();
            foreach (var (kind, slot, due) in sequence)
            {
                switch (kind % 4)
                {
                    case 0 or 1:
                        timers.Set(slot, due);
                        model[slot] = due;
                        break;
                    case 2:
                        timers.Remove(slot);
                        model.Remove(slot);
                        break;
                    default:
                        PopDue(timers, model, due);
                        break;
                }

                timers.CheckInvariants();
                Assert.Equal(model.Count, timers.Count);
                Assert.Equal(model.Count == 0 ? long.MaxValue : model.Values.Min(), timers.NextDueMs);
            }
        }).QuickCheckThrowOnFailure();
    }

    private static void PopDue(TaskTimers timers, Dictionary<uint, long> model, long now)
    {
        var last = long.MinValue;
        while (timers.TryPopDue(now, out var slot))
        {
            Assert.True(model.Remove(slot, out var due) && due <= now && due >= last);
            last = due;
        }

        Assert.DoesNotContain(model.Values, due => due <= now);
    }
}
