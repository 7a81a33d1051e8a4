// SPDX-License-Identifier: Apache-2.0
using FsCheck;
using FsCheck.Fluent;
using Muster.Shared.Journal;
using Xunit;

namespace Muster.Unit.Journal;

/// <summary>Random lives of a journal, with power losses, against a list.</summary>
public class JournalModelTests
{
    /// <summary>
    /// Bodies are few and alike, so that records of different lives often have the same bytes at the same place: the
    /// hard case for telling them apart.
    /// </summary>
    private static readonly int[] s_lengths = [0, 8, 8, 8, 200, 472, 1000, 4056, 8000];

    [Fact]
    public void AnyLife_WithPowerLosses_GivesBackWhatWasSynced()
    {
        var steps = ArbMap.Default.ArbFor<(byte What, byte Size)[]>();
        Prop.ForAll(steps, ArbMap.Default.ArbFor<ulong>(), (sequence, seed) => Live(sequence, seed))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(100).WithEndSize(200));
    }

    [Fact]
    public void ManyLives_UnderSeeds_GiveBackWhatWasSynced()
    {
        for (ulong seed = 1; seed <= 100; seed++)
        {
            var random = new SplitMix(seed);
            var steps = new (byte, byte)[60 + random.Below(200)];
            for (var step = 0; step < steps.Length; step++)
            {
                steps[step] = ((byte)random.Next(), (byte)random.Next());
            }

            Live(steps, seed);
        }
    }

    private static void Live((byte What, byte Size)[] steps, ulong seed)
    {
        var test = new TestJournal(seed);
        test.Open();
        foreach (var (what, size) in steps)
        {
            seed++;
            Step(test, what, size, seed);
        }

        test.Crash(seed);
        test.Open();
        test.Close();
        test.Crash(seed + 1);
        test.Open();
    }

    private static void Step(TestJournal test, byte what, byte size, ulong seed)
    {
        switch (what % 16)
        {
            case < 8:
                test.Append(1, new byte[s_lengths[size % s_lengths.Length]]);
                break;
            case 8 or 9:
                test.Commit(sync: false);
                break;
            case 10 or 11:
                test.Commit(sync: true);
                break;
            case 12:
                test.Journal.Maintain();
                break;
            case 13:
                if (size % 4 == 0)
                {
                    test.Close();
                }
                else
                {
                    test.Kill();
                }

                test.Open();
                break;
            case 14:
                test.Forget(size);
                break;
            default:
                test.Crash(seed);
                test.Open();
                break;
        }
    }
}
