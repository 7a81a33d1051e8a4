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
            var timers = new TaskTimers();
            var model = new Dictionary<uint, long>();
            long now = 0;

            // Set for a moment that had passed: they come next, in the order in which they were set.
            var late = new HashSet<uint>();
            foreach (var (kind, slot, due) in sequence)
            {
                switch (kind % 4)
                {
                    case 0 or 1:
                        timers.Set(slot, due);
                        model[slot] = due;
                        if (due <= now)
                        {
                            late.Add(slot);
                        }
                        else
                        {
                            late.Remove(slot);
                        }

                        break;
                    case 2:
                        timers.Remove(slot);
                        model.Remove(slot);
                        break;
                    default:
                        now = Math.Max(now, due);
                        PopDue(timers, model, now, late);
                        late.Clear();
                        break;
                }

                timers.CheckInvariants();
                Assert.Equal(model.Count, timers.Count);
                Assert.Equal(model.Count == 0, timers.NextDueMs == long.MaxValue);
                Assert.True(model.Count == 0 || timers.NextDueMs <= Math.Max(model.Values.Min(), now));
                Assert.All(model, each => Assert.Equal(each.Value, timers.DueMsOf(each.Key)));
            }
        }).QuickCheckThrowOnFailure();
    }

    private static void PopDue(
        TaskTimers timers, Dictionary<uint, long> model, long now, HashSet<uint> late)
    {
        var last = long.MinValue;
        while (timers.TryPopDue(now, out var slot))
        {
            Assert.True(model.Remove(slot, out var due) && due <= now && (late.Contains(slot) || due >= last));
            last = late.Contains(slot) ? last : due;
        }

        Assert.DoesNotContain(model.Values, due => due <= now);
    }

    [Fact]
    public void Pop_TimersOfAllSpans_ComeExactlyWhenTheyAreDueAndInOrder()
    {
        // Spans of each level, their borders, and a start that is not at a border.
        var timers = new TaskTimers();
        var random = new Random(17);
        long now = 123_456_789;
        Assert.False(timers.TryPopDue(now, out _));
        var model = new SortedDictionary<(long Due, uint Slot), int>();
        for (uint slot = 0; slot < 5_000; slot++)
        {
            var span = 1L << random.Next(33);
            var due = now + span + random.NextInt64(span);
            timers.Set(slot, due);
            model.Add((due, slot), 0);
        }

        timers.CheckInvariants();
        while (model.Count > 0)
        {
            var first = model.Keys.First().Due;
            Assert.InRange(timers.NextDueMs, now, first);
            Assert.False(first > now && timers.TryPopDue(first - 1, out _));
            now = first;
            Assert.True(timers.TryPopDue(now, out var slot));
            Assert.True(model.Remove((first, slot)));
        }

        Assert.Equal(long.MaxValue, timers.NextDueMs);
        timers.CheckInvariants();
    }

    [Fact]
    public void NextDue_FollowedStepByStep_LeadsToATimerOfAMonthInAFewSteps()
    {
        var timers = new TaskTimers();
        timers.Set(7, 30L * 24 * 3_600_000);
        var steps = 0;
        uint slot;
        while (!timers.TryPopDue(timers.NextDueMs, out slot))
        {
            steps++;
        }

        Assert.Equal(7u, slot);
        Assert.InRange(steps, 0, 7);
    }
}
