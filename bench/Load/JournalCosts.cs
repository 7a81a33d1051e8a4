// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using Muster.Journal;
using Muster.Server.Journal;

namespace Muster.Load;

/// <summary>
/// What the journal costs by itself: appending, group commit, replay, and what a prepared segment saves.
/// </summary>
internal static class JournalCosts
{
    private const int BodyBytes = 200;
    private const int ReplayRecords = 1_000_000;

    public static void Run(LoadOptions options)
    {
        var parent = options.Folder.Length > 0 ? options.Folder : Path.GetTempPath();
        var state = Path.Combine(parent, "muster-journal-costs-" + Environment.ProcessId);
        Console.WriteLine($"in {state}, bodies of {BodyBytes} bytes");
        var body = new byte[BodyBytes];
        Random.Shared.NextBytes(body);
        try
        {
            var appendNs = Append(state, body);
            var written = WrittenPerSecond(state, body);
            Groups(state, body);
            var (allocated, prepared, reused) = Segments(state, body);
            var replayMs = Replay(state, body);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{{\"append_ns\":{appendNs:0},\"written_per_s\":{written:0},\"flush_allocated_us\":{allocated:0},"
                + $"\"flush_prepared_us\":{prepared:0},\"flush_reused_us\":{reused:0},"
                + $"\"replay_1m_ms\":{replayMs:0}}}"));
        }
        finally
        {
            Directory.Delete(state, recursive: true);
        }
    }

    private static CellJournal Open(string state, long segmentBytes, bool isWrittenAhead = true)
    {
        var folder = CellJournal.FolderOf(state);
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        return Reopen(state, segmentBytes, isWrittenAhead);
    }

    private static CellJournal Reopen(string state, long segmentBytes, bool isWrittenAhead = true)
    {
        var options = CellJournal.DefaultOptions with
        {
            SegmentBytes = segmentBytes,
            WritesSparesAhead = isWrittenAhead,
        };
        var fault = CellJournal.TryOpen(state, options, out var journal);
        return fault.IsNone ? journal! : throw new IOException(fault.Message);
    }

    /// <summary>Nanoseconds of the appender's time, its turn, per record.</summary>
    private static double Append(string state, byte[] body)
    {
        const int Records = 20_000;
        using var journal = Open(state, 64 << 20);
        var best = double.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var record = 0; record < Records; record++)
            {
                journal.Log.Append(1, body);
            }

            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / Records);
            journal.Log.Commit(sync: false);
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"append: {best:0} ns a record (best of 20)"));
        return best;
    }

    /// <summary>Records per second that one thread can append, seal and write, without flushes.</summary>
    private static double WrittenPerSecond(string state, byte[] body)
    {
        const int Records = 1_000_000;
        using var journal = Open(state, 64 << 20);
        var start = Stopwatch.GetTimestamp();
        for (var record = 1; record <= Records; record++)
        {
            journal.Log.Append(1, body);
            if (record % 1_000 == 0)
            {
                journal.Log.ForgetBefore(journal.Log.Commit(sync: false).Written);
                journal.Log.Maintain();
            }
        }

        var rate = Records / Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"append and write, 1,000 at a time: {rate:0} records a second"));
        return rate;
    }

    private static void Groups(string state, byte[] body)
    {
        foreach (var group in new[] { 1, 10, 100, 1_000, 10_000 })
        {
            using var journal = Open(state, 64 << 20);
            Prepare(journal.Log);
            var micros = Commits(journal.Log, body, group, commits: 10_000, seconds: 2);
            var total = 0.0;
            Array.ForEach(micros, each => total += each);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"group of {group,6}: {group * micros.Length / total * 1e6,10:0} records a second, one commit "
                + $"{Percentile(micros, 10):0} us lower decile, {Percentile(micros, 50):0} us median, "
                + $"{Percentile(micros, 99):0} us p99"));
        }
    }

    /// <summary>
    /// A commit of ten records in a segment that was only reserved, pre-written, and used before. The lower decile,
    /// since on a busy machine the rest measures when the thread got a processor back.
    /// </summary>
    private static (double Allocated, double Prepared, double Reused) Segments(string state, byte[] body)
    {
        const int SegmentBytes = 8 << 20;
        double allocated;
        using (var journal = Open(state, SegmentBytes, isWrittenAhead: false))
        {
            allocated = Percentile(Commits(journal.Log, body, 10, 2_000, 5), 10);
        }

        using var prewritten = Open(state, SegmentBytes);
        var prepared = Percentile(Commits(prewritten.Log, body, 10, 2_000, 5), 10);
        for (var segment = 0; segment < 3; segment++)
        {
            NextSegment(prewritten.Log);
            prewritten.Log.ForgetBefore(prewritten.Log.Commit(sync: true).Synced);
            Prepare(prewritten.Log);
        }

        var reused = Percentile(Commits(prewritten.Log, body, 10, 2_000, 5), 10);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"commit of 10 records, lower decile: {allocated:0} us in a reserved segment, {prepared:0} us in a "
            + $"pre-written one, {reused:0} us in one used before"));
        return (allocated, prepared, reused);
    }

    private static double Replay(string state, byte[] body)
    {
        using (var journal = Open(state, 64 << 20))
        {
            for (var record = 0; record < ReplayRecords; record++)
            {
                journal.Log.Append(1, body);
                if (record % 10_000 == 0)
                {
                    journal.Log.Commit(sync: false);
                }
            }

            journal.Log.Close();
        }

        var start = Stopwatch.GetTimestamp();
        using var again = Reopen(state, 64 << 20);
        var openMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        var records = 0;
        var fault = again.Log.Replay((in JournalRecord record) => records++);
        var bothMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (!fault.IsNone || records != ReplayRecords)
        {
            throw new IOException($"{records} of {ReplayRecords} records came back; {fault.Message}");
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"1,000,000 records: opened in {openMs:0} ms, replayed in {bothMs:0} ms"));
        return bothMs;
    }

    private static double[] Commits(IJournal journal, byte[] body, int group, int commits, int seconds)
    {
        var micros = new double[commits];
        var count = 0;
        var start = Stopwatch.GetTimestamp();
        while (count < commits && Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            for (var record = 0; record < group; record++)
            {
                journal.Append(1, body);
            }

            var before = Stopwatch.GetTimestamp();
            journal.Commit(sync: true);
            micros[count++] = Stopwatch.GetElapsedTime(before).TotalMicroseconds;
            journal.Maintain();
        }

        return micros[..count];
    }

    private static void NextSegment(IJournal journal)
    {
        Prepare(journal);
        var filler = new byte[64 * 1024];
        for (var part = 0; part < 150; part++)
        {
            journal.Append(2, filler);
        }

        journal.Commit(sync: true);
        Prepare(journal);
    }

    private static void Prepare(IJournal journal)
    {
        while (journal.Maintain())
        {
            journal.Commit(sync: true);
        }
    }

    private static double Percentile(double[] values, int percent)
    {
        var sorted = (double[])values.Clone();
        Array.Sort(sorted);
        return sorted[Math.Min(sorted.Length - 1, sorted.Length * percent / 100)];
    }
}
