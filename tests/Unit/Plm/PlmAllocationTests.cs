// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Heap;
using Xunit;

namespace Muster.Unit.Plm;

public sealed class PlmAllocationTests
{
    private const int Rounds = 100;
    private const int WarmRounds = 50;

    // A step that allocates does so in each of them; the runtime's own doings on this thread (its tables of casts and
    // types grow when it sees fit, and so late under load as code becomes hot) do not come four times.
    private const int Windows = 4;

    [Fact]
    public void SubmitDeliverConfirm_SteadyState_AllocatesNothing()
    {
        using var cell = new PlmCell();
        var stream = new FakeStream(cell.Arena) { CountsOnly = true };
        var session = cell.Open(7, stream);
        var spec = cell.Spec();
        var payload = new byte[64];
        var classes = new ReadyClass[4];
        var taken = new TakenTask[256];
        var worker = new SteadyWorker(cell, classes, taken);
        void Round()
        {
            var core = cell.Core;
            core.BeginTurn(cell.Now);
            core.BeginBatch(session, stream, session.DecidedRef + 1, 256, spec);
            for (var item = 0; item < 256; item++)
            {
                core.AddItem(payload);
            }

            core.EndBatch();
            core.EndTurn();
            worker.FinishAll();
            core.BeginTurn(cell.Now);
            core.DrainFinished();
            core.RunTimers();
            core.EndTurn();
            core.BeginTurn(cell.Now);
            core.Confirm(session, stream, stream.Count);
            core.EndTurn();
        }

        for (var warm = 0; warm < WarmRounds; warm++)
        {
            Round();
        }

        var least = long.MaxValue;
        var windows = 0;
        for (; windows < Windows && least > 0; windows++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var round = 0; round < Rounds; round++)
            {
                Round();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
        Assert.Equal((ulong)(WarmRounds + (windows * Rounds)) * 256, stream.Count);
        cell.Core.CheckInvariants();
    }
}
