// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Muster.Server.Journal;

namespace Muster.Load;

/// <summary>
/// Damages very many small journals, most of them in memory and some on a real disk, and counts what is noticed. Fails
/// when anything is not, or when damage costs flushed records of a journal that was closed or idle.
/// </summary>
internal static class Corrupt
{
    private const int JournalsDefault = 1_000;

    /// <summary>One in so many goes through files.</summary>
    private const int OnDiskEvery = 50;

    private const int StoriesMax = 5;

    public static bool Run(LoadOptions options)
    {
        var journals = options.Journals == 0 ? JournalsDefault : options.Journals;
        var counts = new long[CorruptDamage.Kinds, 4, 5];
        var folder = Directory.CreateTempSubdirectory("muster-corrupt-").FullName;
        var slowest = 0.0;
        var stories = 0;
        var gate = new Lock();
        var start = Stopwatch.GetTimestamp();
        Parallel.For(options.First, options.First + journals, index =>
        {
            var seed = ((ulong)options.Seed << 32) + (ulong)index;
            var trial = new CorruptTrial(seed, index % OnDiskEvery == 0 ? folder : null);
            var began = Stopwatch.GetTimestamp();
            var verdict = trial.Run();
            var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            lock (gate)
            {
                counts[trial.Kind, (int)trial.Ending, (int)verdict]++;
                slowest = Math.Max(slowest, took);
                var isSurprise = verdict is CorruptVerdict.Undetected or CorruptVerdict.Crashed
                    || (verdict == CorruptVerdict.Unproven && IsSettled(trial.Ending));
                if (isSurprise && stories++ < StoriesMax)
                {
                    Console.WriteLine(
                        $"{verdict}: {CorruptDamage.Name(trial.Kind)}, {trial.Ending}: {trial.Story}; again by "
                        + $"corrupt --seed {options.Seed} --first {index} --journals 1");
                }
            }
        });
        Directory.Delete(folder, recursive: true);
        Console.WriteLine(
            $"{journals} journals in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s, the slowest took "
            + $"{slowest:0.0} ms; one in {OnDiskEvery} on {CellJournal.FolderOf(folder)}");
        return Print(journals, counts);
    }

    private static bool IsSettled(CorruptEnding ending) => ending is CorruptEnding.Closed or CorruptEnding.Idle;

    private static bool Print(int journals, long[,,] counts)
    {
        var total = new long[5];
        long settledUnproven = 0;
        Console.WriteLine($"{"damage",-18}{"ending",-12}{"detected",10}{"harmless",10}{"unproven",10}{"undetected",12}"
            + $"{"crashed",9}");
        for (var kind = 0; kind < CorruptDamage.Kinds; kind++)
        {
            foreach (var ending in Enum.GetValues<CorruptEnding>())
            {
                var row = new long[5];
                for (var verdict = 0; verdict < row.Length; verdict++)
                {
                    row[verdict] = counts[kind, (int)ending, verdict];
                    total[verdict] += row[verdict];
                }

                settledUnproven += IsSettled(ending) ? row[(int)CorruptVerdict.Unproven] : 0;
                Console.WriteLine(
                    $"{CorruptDamage.Name(kind),-18}{ending,-12}{row[0],10}{row[1],10}{row[2],10}"
                    + $"{row[3],12}{row[4],9}");
            }
        }

        Console.WriteLine(
            $"{{\"journals\":{journals},\"detected\":{total[0]},\"harmless\":{total[1]},\"unproven\":{total[2]},"
            + $"\"undetected\":{total[3] + settledUnproven},\"crashed\":{total[4]}}}");
        return total[3] + settledUnproven + total[4] == 0;
    }
}
