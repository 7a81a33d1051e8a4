// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>Tasks that may start once only: what is granted, and what a power loss costs.</summary>
public sealed class PlmGrantTests
{
    private const int More = 100;

    [Fact]
    public void Submit_MoreThanMayBeGranted_TheOthersWaitAndSurviveAPowerLoss()
    {
        var journal = new FakeJournal();
        ulong[] ids;
        using (var cell = NewCell(journal, 1))
        {
            ids = SubmitOnce(cell, PlmLimits.GrantsMax + More);
            cell.Sync();
            Assert.Equal((uint)PlmLimits.GrantsMax, cell.Arena.Ready.Count);
            cell.Core.CheckInvariants();
        }

        journal.LosePower();
        using var next = NewCell(journal, 2);
        Assert.All(ids[..PlmLimits.GrantsMax], id => Assert.Equal(TaskState.Done, next.StateOf(id)));
        Assert.Equal((ushort)FaultCode.WorkerLost, next.SlotOf(ids[0]).EndFault);
        next.Sync();
        Assert.Equal((uint)More, next.Arena.Ready.Count);
        Assert.Equal(TaskState.Ready, next.StateOf(ids[^1]));
        next.Core.CheckInvariants();
    }

    [Fact]
    public void End_OfAGrantedTask_GrantsTheNextOnce()
    {
        using var cell = NewCell(new FakeJournal(), 1);
        var ids = SubmitOnce(cell, PlmLimits.GrantsMax + More);
        cell.Sync();
        foreach (var task in cell.Assign(10))
        {
            cell.Report(task);
        }

        cell.Turn();

        // Not before the journal says that the grants are safe.
        Assert.Equal((uint)PlmLimits.GrantsMax - 10, cell.Arena.Ready.Count);
        cell.Sync();
        Assert.Equal((uint)PlmLimits.GrantsMax, cell.Arena.Ready.Count);
        Assert.Equal(TaskState.Accepted, cell.StateOf(ids[^1]));
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Takeover_DiesBetweenTheEndOfAGrantedTaskAndItsOutcome_Starts()
    {
        using var cell = NewCell(new FakeJournal(), 1);
        var ids = SubmitOnce(cell, 1);
        cell.Sync();
        var slot = new TaskId(ids[0]).Slot;
        cell.SlotOf(ids[0]).EndFault = (ushort)FaultCode.TaskCancelled;
        Assert.True(cell.Arena.Ready.Remove(slot, cell.Arena.Tasks.Read(slot)));
        cell.Restart();
        cell.Sync();
        Assert.Equal(Outcome.Cancelled, (Outcome)cell.SlotOf(ids[0]).Outcome);
        cell.Core.CheckInvariants();
    }

    [Fact]
    public void Takeover_OfTheLivingArena_GoesOnWithGrantedAndUngrantedTasks()
    {
        var journal = new FakeJournal();
        using var cell = NewCell(journal, 1);
        var ids = SubmitOnce(cell, PlmLimits.GrantsMax + More);
        cell.Sync();
        foreach (var task in cell.Assign(10))
        {
            cell.Report(task);
        }

        cell.Turn();
        journal.LosePower();
        cell.Restart();
        cell.Turn();
        cell.Sync();
        Assert.Equal((uint)PlmLimits.GrantsMax, cell.Arena.Ready.Count);
        Assert.Equal(More - 10, ids.Count(id => cell.StateOf(id) == TaskState.Accepted));
        cell.Core.CheckInvariants();
    }

    private static PlmCell NewCell(FakeJournal journal, uint epoch)
    {
        var limits = new ArenaLimits
        {
            TasksMax = 32_768,
            WorkersMax = 16,
            ClientsMax = 16,
            PayloadBytesMax = 8 << 20,
            ResultBytesMax = 8 << 20,
        };
        var cell = new PlmCell(new PlmOptions { ReattachMs = 0 }, limits, epoch, journal);
        cell.Turn();
        return cell;
    }

    private static ulong[] SubmitOnce(PlmCell cell, int count)
    {
        var spec = cell.Spec((ref TaskOptionsView view) =>
        {
            view.Durability = DurabilityLevel.Durable;
            view.AttemptsMax = 1;
        });
        return
        [
            .. Enumerable.Range(0, count)
                .Chunk(TaskLimits.BatchItemsMax)
                .SelectMany(chunk => cell.Submit(null, null, spec, [.. chunk.Select(n => $"{n}")]).Ids),
        ];
    }
}
