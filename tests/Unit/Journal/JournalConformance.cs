// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Journal;
using Xunit;

namespace Muster.Unit.Journal;

/// <summary>What every engine behind <see cref="IJournal"/> must do; an engine's test class inherits it.</summary>
public abstract class JournalConformance
{
    [Fact]
    public void Open_NothingThere_IsEmptyWithALineage()
    {
        using var journal = Open();
        Assert.NotEqual(0UL, journal.Lineage);
        Assert.Equal(0UL, journal.AppendedSequence);
        Assert.Empty(Replayed(journal));
        Assert.True(journal.Refusal.IsNone);
    }

    [Fact]
    public void Append_BeforeCommit_IsNeitherWrittenNorSynced()
    {
        using var journal = Open();
        var sequence = journal.Append(1, "a"u8);
        Assert.Equal(sequence, journal.AppendedSequence);
        Assert.True(journal.WrittenSequence < sequence);
        Assert.True(journal.PendingBytes > 0);
        Assert.True(journal.LiveBytes >= journal.PendingBytes);
    }

    [Fact]
    public void Append_Sequences_GrowAcrossReopening()
    {
        ulong last = 0;
        for (var life = 0; life < 3; life++)
        {
            using var journal = Open();
            Assert.True(journal.AppendedSequence >= last);
            for (var record = 0; record < 5; record++)
            {
                var sequence = journal.Append(1, "x"u8);
                Assert.True(sequence > last);
                last = sequence;
            }

            journal.Commit(sync: true);
        }
    }

    [Fact]
    public void Commit_WithoutSync_WritesAndDoesNotSync()
    {
        using var journal = Open();
        var sequence = journal.Append(1, "a"u8);
        var position = journal.Commit(sync: false);
        Assert.True(position.Written >= sequence);
        Assert.True(position.Synced < sequence);
        Assert.Equal(position, new(journal.WrittenSequence, journal.SyncedSequence));
        Assert.Equal(0, journal.PendingBytes);
    }

    [Fact]
    public void Commit_WithSync_CoversEverythingAppended()
    {
        using var journal = Open();
        journal.Append(1, "a"u8);
        journal.Commit(sync: false);
        var sequence = journal.Append(1, "b"u8);
        Assert.True(journal.Commit(sync: true).Synced >= sequence);
        Assert.True(journal.SyncedSequence >= sequence);
    }

    [Fact]
    public void Commit_NothingNew_SettlesDown()
    {
        using var journal = Open();
        journal.Append(1, "a"u8);
        journal.Commit(sync: true);
        var idle = journal.Commit(sync: true);
        Assert.Equal(idle.Written, idle.Synced);
        Assert.Equal(idle, journal.Commit(sync: true));
        Assert.Equal(idle, journal.Commit(sync: false));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Replay_AfterReopening_GivesWhatWasWritten(bool isClosed)
    {
        var written = new List<Entry>();
        ulong lineage;
        using (var journal = Open())
        {
            lineage = journal.Lineage;
            foreach (var length in new[] { 0, 1, 7, 8, 9, 100, 4095, 4096, 4097, 9000, 3 })
            {
                written.Add(Append(journal, (ushort)length, Body(length)));
            }

            journal.Commit(sync: false);
            if (isClosed)
            {
                journal.Close();
            }
        }

        using var again = Open();
        Assert.Equal(lineage, again.Lineage);
        Assert.Equal(written[^1].Sequence, written.Max(entry => entry.Sequence));
        Assert.True(again.AppendedSequence >= written[^1].Sequence);
        Assert.True(again.SyncedSequence >= again.AppendedSequence);
        Assert.Equal(written, Replayed(again));
    }

    [Fact]
    public void Replay_NotWritten_IsNotThere()
    {
        Entry kept;
        using (var journal = Open())
        {
            kept = Append(journal, 1, "kept"u8);
            journal.Commit(sync: true);
            journal.Append(1, "gone"u8);
        }

        using var again = Open();
        Assert.Equal([kept], Replayed(again));
    }

    [Fact]
    public void Replay_OverManySegments_KeepsOrder()
    {
        var written = new List<Entry>();
        using (var journal = Open())
        {
            for (var record = 0; record < 400; record++)
            {
                written.Add(Append(journal, 3, Body(1000 + record)));
                if (record % 7 == 0)
                {
                    journal.Commit(sync: record % 2 == 0);
                    journal.Maintain();
                }
            }

            journal.Commit(sync: true);
        }

        using var again = Open();
        Assert.Equal(written, Replayed(again));
        Assert.True(again.LiveBytes > 400_000);
    }

    [Fact]
    public void Append_LargestBody_Survives()
    {
        Entry written;
        using (var journal = Open())
        {
            journal.Append(1, "before"u8);
            written = Append(journal, 2, Body(Options.BodyBytesMax));
            journal.Append(1, "behind"u8);
            journal.Commit(sync: true);
        }

        using var again = Open();
        Assert.Contains(written, Replayed(again));
    }

    [Fact]
    public void Append_OutOfItsLimits_IsRefused()
    {
        using var journal = Open();
        Assert.Throws<ArgumentOutOfRangeException>(
            () => journal.Append(1, new byte[Options.BodyBytesMax + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => journal.Append(JournalLimits.KindsMax, []));
    }

    [Fact]
    public void Append_FasterThanCommits_IsRefusedAndRecovers()
    {
        using var journal = Open();
        while (journal.PendingBytes < Options.PendingBytesMax)
        {
            Assert.True(journal.Refusal.IsNone);
            journal.Append(1, Body(5000));
        }

        Assert.Equal(FaultCode.JournalBehind, journal.Refusal.Code);
        Assert.True(journal.Refusal.RetryAfterMs > 0);

        // Outcomes of what was accepted are still taken.
        var sequence = journal.Append(2, "outcome"u8);
        Assert.True(journal.Commit(sync: true).Synced >= sequence);
        Assert.True(journal.Refusal.IsNone);
    }

    [Fact]
    public void ForgetBefore_OnceSynced_LeavesWhatIsNeeded()
    {
        var written = new List<Entry>();
        using (var journal = Open())
        {
            for (var record = 0; record < 300; record++)
            {
                written.Add(Append(journal, 1, Body(1000)));
            }

            journal.Commit(sync: true);
            var before = journal.LiveBytes;
            journal.ForgetBefore(written[200].Sequence);
            while (journal.Maintain())
            {
                journal.Commit(sync: true);
            }

            Assert.True(journal.LiveBytes < before / 2);
            written.Add(Append(journal, 2, "after"u8));
            journal.Commit(sync: true);
        }

        using var again = Open();
        Assert.Equal(written.Skip(200), Replayed(again));
    }

    [Fact]
    public void ForgetBefore_AgainAndAgain_KeepsTheJournalSmall()
    {
        using var journal = Open();
        long most = 0;
        for (var record = 0; record < 5_000; record++)
        {
            var sequence = journal.Append(1, Body(500));
            if (record % 50 == 0)
            {
                journal.Commit(sync: true);
                journal.ForgetBefore(sequence);
                journal.Commit(sync: true);
                journal.Maintain();
                most = Math.Max(most, journal.LiveBytes);
            }
        }

        Assert.True(most < 6 * Options.SegmentBytes, $"{most} bytes live");
    }

    [Fact]
    public async Task Append_BesideCommits_LosesNothing()
    {
        const int Records = 20_000;
        var written = new List<Entry>();
        using (var journal = Open())
        {
            using var stop = new CancellationTokenSource();
            var committer = Task.Run(() =>
            {
                while (!stop.IsCancellationRequested)
                {
                    var position = journal.Commit(sync: true);
                    Assert.True(position.Synced <= position.Written);
                    journal.Maintain();
                }
            });
            for (var record = 0; record < Records; record++)
            {
                await Until(() => journal.Refusal.IsNone, "taken");
                written.Add(Append(journal, 1, Encoding.ASCII.GetBytes($"record {record}")));
            }

            await Until(() => journal.SyncedSequence >= written[^1].Sequence, "synced");

            await stop.CancelAsync();
            await committer;
        }

        using var again = Open();
        Assert.Equal(written, Replayed(again));
    }

    /// <summary>The options that the engine was opened with: small segments, small buffers.</summary>
    internal static JournalOptions Options { get; } = new()
    {
        SegmentBytes = 64 * 1024,
        PendingBytesMax = 256 * 1024,
        UnixUs = () => 1_700_000_000_000_000,
        NextRandom = () => BitConverter.ToUInt64(Guid.NewGuid().ToByteArray()),
    };

    /// <summary>Opens the journal of this test, made by the first call; the one before is disposed.</summary>
    internal abstract IJournal Open();

    internal static List<Entry> Replayed(IJournal journal)
    {
        var entries = new List<Entry>();
        var fault = journal.Replay(
            (in JournalRecord record) => entries.Add(Entry.Of(record.Sequence, record.Kind, record.Body)));
        Assert.True(fault.IsNone, fault.Message);
        return entries;
    }

    internal static Entry Append(IJournal journal, ushort kind, ReadOnlySpan<byte> body) =>
        Entry.Of(journal.Append(kind, body), kind, body);

    internal static byte[] Body(int length)
    {
        var body = new byte[length];
        for (var index = 0; index < length; index++)
        {
            body[index] = (byte)((index * 7) + length);
        }

        return body;
    }

    private static async Task Until(Func<bool> condition, string what)
    {
        var deadline = Environment.TickCount64 + 30_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < deadline, $"not {what} in 30 s");
            await Task.Yield();
        }
    }

    /// <summary>A record with its body's digest as text, so that records compare by value.</summary>
    internal readonly record struct Entry(ulong Sequence, ushort Kind, string Body)
    {
        public static Entry Of(ulong sequence, ushort kind, ReadOnlySpan<byte> body) =>
            new(sequence, kind, $"{body.Length} {Convert.ToHexString(SHA256.HashData(body))}");
    }
}
