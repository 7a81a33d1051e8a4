// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Core;
using Muster.Journal;
using Muster.Shared.Journal;
using Xunit;

namespace Muster.Unit.Journal;

public class JournalRepairTests
{
    private const long NowUs = 1_800_000_000_000_000;

    [Fact]
    public void Plan_HealthyJournal_HasNothingToDo()
    {
        var test = Written(seed: 1);
        Assert.True(JournalRepair.TryPlan(test.Disk, out var plan).IsNone);
        Assert.False(plan.IsNeeded);
        Assert.True(plan.LastSequence >= test.Expected[^1].Sequence);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Repair_DamagedRecord_KeepsWhatIsBeforeIt(int segment)
    {
        var test = Written(seed: 2);
        var name = Segments(test.Disk)[segment];
        var original = (byte[])test.Disk.Content(name).Clone();
        original[JournalFormat.DataOffset + 300] ^= 1;
        test.Disk.Content(name)[JournalFormat.DataOffset + 300] ^= 1;
        var before = Picture(test.Disk);

        Assert.True(JournalRepair.TryPlan(test.Disk, out var plan).IsNone);
        Assert.Equal(FaultCode.JournalDamaged, plan.Damage.Code);
        Assert.Equal(before, Picture(test.Disk));
        Assert.Equal(name, plan.Rebuilt!.Value.Name);

        var aside = new List<string>();
        Assert.True(JournalRepair.Apply(test.Disk, plan, NowUs, aside).IsNone);
        Assert.Equal(Segments(test.Disk).Length, segment + 1);
        Assert.Equal(original, test.Disk.Content($"cut-{NowUs}-{name}"));
        Assert.Equal(4 - segment, aside.Count);

        var kept = test.Expected.Where(entry => entry.Sequence <= plan.LastSequence).ToList();
        Assert.InRange(kept.Count, (segment * 4) + 1, test.Expected.Count - 1);
        Assert.Equal(kept, Opened(test.Disk, test.Options));
    }

    [Fact]
    public void Repair_DamagedProof_KeepsEveryRecord()
    {
        var test = Written(seed: 9);
        test.Disk.Content(test.Newest())[JournalFormat.ProofOffset + 9] ^= 1;
        Assert.True(JournalRepair.TryPlan(test.Disk, out var plan).IsNone);
        Assert.True(JournalRepair.Apply(test.Disk, plan, NowUs, []).IsNone);
        Assert.Equal(test.Expected, Opened(test.Disk, test.Options));
    }

    [Fact]
    public void Repair_ThenAppending_GoesOnFromThere()
    {
        var test = Written(seed: 3);
        test.Disk.Content(Segments(test.Disk)[1])[JournalFormat.DataOffset + 300] ^= 1;
        Assert.True(JournalRepair.TryPlan(test.Disk, out var plan).IsNone);
        Assert.True(JournalRepair.Apply(test.Disk, plan, NowUs, []).IsNone);
        Assert.True(FileJournal.TryOpen(test.Disk, test.Options, out var journal).IsNone);
        var added = new List<JournalConformance.Entry>();
        for (var record = 0; record < 40; record++)
        {
            added.Add(JournalConformance.Append(journal!, 5, JournalConformance.Body(700)));
            journal!.Commit(sync: true);
        }

        journal!.Close();
        var kept = test.Expected.Where(entry => entry.Sequence <= plan.LastSequence);
        Assert.Equal(kept.Concat(added), Opened(test.Disk, test.Options));
    }

    [Fact]
    public void Repair_MissingSegment_KeepsWhatIsBeforeIt()
    {
        var test = Written(seed: 4);
        test.Disk.Delete(Segments(test.Disk)[2]);
        Assert.True(JournalRepair.TryPlan(test.Disk, out var plan).IsNone);
        Assert.True(JournalRepair.Apply(test.Disk, plan, NowUs, []).IsNone);
        Assert.Equal(2, Segments(test.Disk).Length);
        var kept = test.Expected.Where(entry => entry.Sequence <= plan.LastSequence);
        Assert.Equal(kept, Opened(test.Disk, test.Options));
    }

    [Fact]
    public void Repair_MissingNewest_KeepsEverythingElse()
    {
        var test = Written(seed: 10);
        test.Disk.Delete(Segments(test.Disk)[3]);
        Assert.True(JournalRepair.TryPlan(test.Disk, out var plan).IsNone);
        Assert.Equal(FaultCode.JournalDamaged, plan.Damage.Code);
        Assert.True(JournalRepair.Apply(test.Disk, plan, NowUs, []).IsNone);
        Assert.Equal(3, Segments(test.Disk).Length);
        var kept = test.Expected.Where(entry => entry.Sequence <= plan.LastSequence);
        Assert.Equal(kept, Opened(test.Disk, test.Options));
    }

    [Fact]
    public void Repair_MissingOldest_KeepsTheRestAndSaysThatItIsAPart()
    {
        var test = Written(seed: 5);
        test.Disk.Delete(Segments(test.Disk)[0]);
        Assert.True(JournalRepair.TryPlan(test.Disk, out var plan).IsNone);
        Assert.Equal(1UL, plan.MissingFrom);
        Assert.True(plan.FirstSequence > 1);
        Assert.True(JournalRepair.Apply(test.Disk, plan, NowUs, []).IsNone);
        var kept = test.Expected.Where(entry => entry.Sequence >= plan.FirstSequence);
        Assert.Equal(kept, Opened(test.Disk, test.Options));
    }

    [Fact]
    public void Repair_FirstHeaderDamaged_SetsEverythingAside()
    {
        var test = Written(seed: 6);
        test.Disk.Content(Segments(test.Disk)[0])[20] ^= 1;
        Assert.True(JournalRepair.TryPlan(test.Disk, out var plan).IsNone);
        Assert.True(plan.IsNeeded);
        Assert.True(JournalRepair.Apply(test.Disk, plan, NowUs, []).IsNone);
        Assert.Empty(Segments(test.Disk));
        Assert.Equal(4, test.Disk.Names.Count(name => name.StartsWith("cut-", StringComparison.Ordinal)));
        Assert.Empty(Opened(test.Disk, test.Options));
    }

    [Fact]
    public void Repair_DamageInHistoryThatNobodyNeeds_CostsNothingElse()
    {
        var test = new TestJournal(seed: 7);
        test.Options = test.Options with { RetainAge = TimeSpan.FromDays(1) };
        Write(test);
        test.Open();
        test.Forget(int.MaxValue);
        for (var round = 0; round < 4; round++)
        {
            test.Journal.Maintain();
            test.Commit(sync: true);
        }

        test.Close();
        var needed = test.Expected[^1];
        Assert.Equal(4, Segments(test.Disk).Length);
        test.Disk.Content(Segments(test.Disk)[1])[JournalFormat.DataOffset + 300] ^= 1;
        Assert.Equal([needed], Opened(test.Disk, test.Options));

        Assert.True(JournalRepair.TryPlan(test.Disk, out var plan).IsNone);
        Assert.True(plan.IsNeeded);
        Assert.True(JournalRepair.Apply(test.Disk, plan, NowUs, []).IsNone);
        Assert.Equal(2, Segments(test.Disk).Length);
        Assert.Equal([needed], Opened(test.Disk, test.Options));
        Assert.True(JournalRepair.TryPlan(test.Disk, out plan).IsNone);
        Assert.False(plan.IsNeeded);
    }

    [Fact]
    public void Repair_PowerLossAtAnyCall_CanBeRepeated()
    {
        var calls = 0;
        for (var call = 0; ; call++)
        {
            var test = Written(seed: 8);
            test.Disk.Content(Segments(test.Disk)[1])[JournalFormat.DataOffset + 300] ^= 1;
            test.Disk.Settle();
            Assert.True(JournalRepair.TryPlan(test.Disk, out var first).IsNone);
            calls = 0;
            test.Disk.Failing = (_, _) => calls++ >= call ? JournalErrno.EIO : 0;
            var fault = JournalRepair.Apply(test.Disk, first, NowUs, []);
            test.Disk.Failing = null;
            test.Disk.Crash((ulong)call);
            Assert.True(JournalRepair.TryPlan(test.Disk, out var second).IsNone);
            if (second.IsNeeded)
            {
                Assert.True(JournalRepair.Apply(test.Disk, second, NowUs + 1, []).IsNone);
            }

            var kept = test.Expected.Where(entry => entry.Sequence <= first.LastSequence);
            Assert.Equal(kept, Opened(test.Disk, test.Options));
            if (fault.IsNone)
            {
                break;
            }
        }

        Assert.True(calls > 15);
    }

    /// <summary>Four segments, cleanly closed.</summary>
    private static TestJournal Written(ulong seed)
    {
        var test = new TestJournal(seed);
        Write(test);
        Assert.Equal(4, Segments(test.Disk).Length);
        return test;
    }

    private static void Write(TestJournal test)
    {
        test.Open();
        for (var record = 0; record < 30; record++)
        {
            test.Append((ushort)record, JournalConformance.Body(100 + (record * 47)));
            test.Commit(sync: record % 3 == 0);
        }

        test.Close();
    }

    private static List<JournalConformance.Entry> Opened(MemoryDisk disk, JournalOptions options)
    {
        var fault = FileJournal.TryOpen(disk, options, out var journal);
        Assert.True(fault.IsNone, fault.Message);
        using (journal)
        {
            return JournalConformance.Replayed(journal!);
        }
    }

    private static string[] Segments(MemoryDisk disk) =>
        [.. disk.Names.Where(name => SegmentName.TryParse(name, out _))];

    private static string Picture(MemoryDisk disk) =>
        string.Join('\n', disk.Names.Select(name => $"{name} {Crc32C.Of(disk.Content(name))}"));
}
