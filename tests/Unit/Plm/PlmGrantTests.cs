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
    public void Grant_OfARelaxedTask_WaitsForTheFlushAllTheSame()
    {
        var journal = new FakeJournal();
        using var cell = NewCell(journal, 1);
        var ids = SubmitOnce(cell, PlmLimits.GrantsMax + 1, DurabilityLevel.Relaxed);
        Write();

        // Accepted and granted in one record, so lost together if at all.
        Assert.Equal((uint)PlmLimits.GrantsMax, cell.Arena.Ready.Count);
        cell.Sync();
        cell.Report(cell.Assign(1)[0]);
        cell.Turn();
        Write();
        Assert.Equal(TaskState.Accepted, cell.StateOf(ids[^1]));
        cell.Sync();
        Assert.Equal(TaskState.Ready, cell.StateOf(ids[^1]));

        void Write() => cell.Turn(core => core.JournalReached(journal.LastSequence, journal.Synced));
    }

    [Fact]
    public void Submit_LargePayloads_GrantsStandInTheRecordsThatAcceptTheirTasks()
    {
        var journal = new FakeJournal();
        ulong[] ids;
        using (var cell = NewCell(journal, 1))
        {
            var before = journal.LastSequence;
            var payload = new string('p', PlmLimits.RecordBytesAim);
            ids = cell.Submit(null, null, Once(cell, DurabilityLevel.Durable), payload, payload).Ids;

            // The first of two records; then the power fails.
            journal.Synced = before + 2;
            Assert.True(journal.Synced < journal.LastSequence);
            cell.Turn(core => core.JournalReached(journal.Synced, journal.Synced));
            Assert.Equal(TaskState.Ready, cell.StateOf(ids[0]));
        }

        journal.LosePower();
        using var next = NewCell(journal, 2);
        Assert.Equal((ushort)FaultCode.WorkerLost, next.SlotOf(ids[0]).EndFault);
        Assert.Equal(TaskState.Free, next.StateOf(ids[1]));
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

    private static TaskSpec Once(PlmCell cell, byte durability) => cell.Spec((ref TaskOptionsView view) =>
    {
        view.Durability = durability;
        view.AttemptsMax = 1;
    });

    private static ulong[] SubmitOnce(PlmCell cell, int count, byte durability = DurabilityLevel.Durable)
    {
        var spec = Once(cell, durability);
        return
        [
            .. Enumerable.Range(0, count)
                .Chunk(TaskLimits.BatchItemsMax)
                .SelectMany(chunk => cell.Submit(null, null, spec, [.. chunk.Select(n => $"{n}")]).Ids),
        ];
    }
}
