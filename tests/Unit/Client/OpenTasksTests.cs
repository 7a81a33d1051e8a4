// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Client.Sessions;
using Xunit;

namespace Muster.Unit.Client;

public class OpenTasksTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void OpenTasks_AnyOrderOfEnds_HoldsWhatADictionaryHolds(int seed)
    {
        var random = new Random(seed);
        var open = new OpenTasks();
        var model = new SortedDictionary<ulong, PendingTask>();
        ulong nextRef = 1;
        for (var step = 0; step < 30_000; step++)
        {
            if (model.Count == 0 || random.Next(100) < (step / 3_000 % 2 == 0 ? 60 : 40))
            {
                // Refs may skip some, as after a welcome.
                nextRef += random.Next(50) == 0 ? (ulong)random.Next(1, 1_000) : 1;
                var task = TestTask.Make();
                task.Ref = nextRef;
                open.Add(task);
                model.Add(nextRef, task);
            }
            else
            {
                // Mostly the oldest end, but some stay for long.
                var at = random.Next(10) == 0 ? random.Next(model.Count) : Math.Min(model.Count - 1, random.Next(40));
                var (itemRef, task) = model.ElementAt(at);
                Assert.True(open.TryGet(itemRef, out var found));
                Assert.Same(task, found);
                Assert.True(open.Remove(itemRef, out var removed));
                Assert.Same(task, removed);
                model.Remove(itemRef);
                Assert.False(open.TryGet(itemRef, out _));
                Assert.False(open.Remove(itemRef, out _));
            }

            Assert.Equal(model.Count, open.Count);
        }

        Assert.Equal(model.Values, open.OrderBy(task => task.Ref));
        open.Clear();
        Assert.Empty(open);
        Assert.Equal(0, open.Count);
    }
}
