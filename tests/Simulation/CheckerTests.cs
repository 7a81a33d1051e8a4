// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Checking;
using Xunit;

namespace Muster.Simulation;

/// <summary>
/// The checker's teeth: a history in which all is well, and the same history with one promise broken, once for each.
/// </summary>
public sealed class CheckerTests
{
    // Two tasks of handler 1: 2a succeeds by its second attempt after a worker was lost, 2b fails twice and is dead.
    private static readonly string[] s_good =
    [
        "0 w1 WorkerUp - - - - Unknown - 2",
        "0 w2 WorkerUp - - - - Unknown - 1",
        "10 c1 Submit - a - Durable Unknown 77 403",
        "10 c1 Submit - b - Durable Unknown 78 402",
        "10 c1 Submit - c - Memory Unknown 79 701",
        "20 c1 Submit - c - Memory Refused - 701",
        "21 c1 Submit 2a a - Durable Ok - 403",
        "22 c1 Submit 2b b - Durable Ok - 402",
        "30 Plm Ready 2a a - - Unknown - 104",
        "30 Plm Ready 2b b - - Unknown - 104",
        "40 Scheduler Dispatch 2a a 1 - Unknown 104 100000001",
        "41 w1 Start 2a a 1 - Unknown 77 100000001",
        "50 Register Fence - - - - Unknown - 100000001",
        "51 w1 WorkerDown - - - - Unknown - -",
        "52 Plm Ready 2a a - - Unknown - 104",
        "60 Scheduler Dispatch 2a a 2 - Unknown 104 100000002",
        "61 w2 Start 2a a 2 - Unknown 77 100000002",
        "70 w2 Ran 2a - 2 - Unknown aa 1",
        "70 w2 Stop 2a - 2 - Unknown - -",
        "71 Register Accept 2a a 2 - Ok aa 100000002",
        "72 Plm Done 2a a 2 - Unknown - -",
        "80 c1 Result 2a a 2 - Ok aa 1",
        "81 Scheduler Dispatch 2b b 1 - Unknown 104 100000002",
        "82 w2 Start 2b b 1 - Unknown 78 100000002",
        "83 w2 Ran 2b - 1 - Unknown b1 2",
        "83 w2 Stop 2b - 1 - Unknown - -",
        "84 Register Accept 2b b 1 - Refused b1 100000002",
        "85 Plm TimerSet 2b b - - Unknown 60 -",
        "100 Plm TimerFired 2b b - - Unknown - -",
        "100 Plm Ready 2b b - - Unknown - 104",
        "101 Scheduler Dispatch 2b b 2 - Unknown 104 100000002",
        "102 w2 Start 2b b 2 - Unknown 78 100000002",
        "103 w2 Ran 2b - 2 - Unknown b2 2",
        "103 w2 Stop 2b - 2 - Unknown - -",
        "104 Register Accept 2b b 2 - Refused b2 100000002",
        "105 Plm Done 2b b 2 - Unknown - -",
        "106 host PowerLoss - - - - Unknown 2710 -",
        "107 reader InJournal 2a - - - Unknown - 3",
        "107 reader InJournal 2b - - - Unknown - 3",
        "107 reader JournalRead - - - - Unknown - -",
        "108 host Healed - - - - Unknown 3e8 -",
        "110 c1 Result 2a a 2 - Ok aa 1",
        "111 c1 Result 2b b 2 - Ok b2 2",
        "112 slots Sum 3 5 - - Unknown 8 -",
        "113 memory Bound - - - - Unknown 10 20",
        "120 world Drained - - - - Ok - -",
    ];

    /// <summary>
    /// What is taken out of the good history (a part of the lines), and what is put in behind another.
    /// </summary>
    public static TheoryData<string, string, string, string[]> Plants => new()
    {
        { "I1", "Result 2b", "", [] },
        { "I1", "", "110 c1", ["110 c1 Forgotten 2b b - Durable Unknown - -"] },
        { "I2", "", "22 c1", ["25 w2 Start 2f f 1 - Unknown 70 100000002", "26 w2 Stop 2f - 1 - Unknown - -"] },
        { "I2", "", "22 c1", ["25 w2 Start 2c c 1 - Unknown 79 100000002", "26 w2 Stop 2c - 1 - Unknown - -"] },
        { "I2", "82 w2 Start", "81 Sch", ["82 w2 Start 2b b 1 - Unknown 99 100000002"] },
        { "I3", "", "72 Plm", ["73 Plm Done 2a a 2 - Unknown - -"] },
        { "I3", "110 c1 Result", "108 host", ["110 c1 Result 2a a 2 - Ok aa 2"] },
        { "I4", "", "71 Reg", ["71 Register Accept 2a a 2 - Ok aa 100000002"] },
        { "I4", "84 Register", "83 w2 Stop", ["84 Register Accept 2b b 1 - Refused b9 100000002"] },
        { "I4", "101 Sch", "100 Plm Ready", ["101 Scheduler Dispatch 2b b 3 - Unknown 104 100000002"] },
        { "I5", "60 Sch", "52 Plm", ["60 Scheduler Dispatch 2a a 1 - Unknown 104 100000002"] },
        { "I6", "110 c1 Result", "108 host", ["110 c1 Result 2a a 2 - Ok ab 1"] },
        { "I7", "InJournal 2b", "", [] },
        { "I8", "", "102 w2", ["102 w2 Stop 2b - 2 - Unknown - -", "102 w2 Start 2d b 1 - Unknown 78 100000002"] },
        { "I8", "22 c1", "21 c1", ["22 c1 Submit 2a b - Durable Ok - 402"] },
        { "I9", "10 c1 Submit - b", "0 w2", ["10 c1 Submit - b - Durable Unknown 78 401"] },
        { "I9", "10 c1 Submit - b", "0 w2", ["10 c1 Submit - b - Durable Unknown 78 403"] },
        { "I10", "61 w2 Start", "60 Sch", ["61 w2 Start 2a a 1 - Unknown 77 100000002"] },
        { "I11", "71 Register", "70 w2 Stop", ["71 Register Accept 2a a 2 - Ok aa 100000001"] },
        { "I11", "", "70 w2 Stop", ["70 Register Fence - - - - Unknown - 100000002"] },
        { "I12", "70 w2 Stop", "", [] },
        { "I12", "103 w2 Stop", "", [] },
        { "I13", "112 slots", "111 c1", ["112 slots Sum 3 4 - - Unknown 8 -"] },
        { "I14", "", "30 Plm Ready 2a", ["-200000 Plm Ready 2e - - - Unknown - 107"] },
        { "I15", "", "30 Plm Ready 2a", ["30 Plm DependsOn 2a 2b - - Unknown - -"] },
        { "I16", "100 Plm TimerFired", "85 Plm", ["90 Plm TimerFired 2b b - - Unknown - -"] },
        { "I17", "", "70 w2 Stop", ["70 c1 Cancel 2a a - - Ok - -"] },
        { "I17", "", "110 c1", ["110 c1 Cancel 2a a - - Ok - -"] },
        { "I18", "113 mem", "112 slots", ["113 memory Bound - - - - Unknown 21 20"] },
        { "I19", "111 c1", "110 c1", ["9999 c1 Result 2b b 2 - Ok b2 2"] },
        { "I19", "120 world", "113 mem", ["120 world Drained - - - - Refused - -"] },
    };

    [Fact]
    public void Good_History_HasNoViolation() => Assert.Empty(HistoryChecker.Check(HistoryText.ParseAll(s_good)));

    [Theory]
    [MemberData(nameof(Plants))]
    public void Planted_Violation_IsCaughtByItsInvariant(string invariant, string taken, string behind, string[] put)
    {
        var lines = s_good.Where(line => taken.Length == 0 || !line.Contains(taken, StringComparison.Ordinal)).ToList();
        Assert.Equal(taken.Length > 0, lines.Count < s_good.Length);
        if (put.Length > 0)
        {
            var at = lines.FindIndex(line => line.StartsWith(behind, StringComparison.Ordinal));
            Assert.NotEqual(-1, at);
            lines.InsertRange(at + 1, put);
        }

        var violations = HistoryChecker.Check(HistoryText.ParseAll(lines));
        Assert.Contains(violations, violation => violation.Invariant == invariant);
    }

    [Fact]
    public void Plants_Together_CoverEveryInvariant()
    {
        var planted = Plants.Select(row => (string)row[0]).ToHashSet(StringComparer.Ordinal);
        Assert.All(HistoryChecker.Checks(), check => Assert.Contains(check.Name, planted));
        Assert.Equal(19, HistoryChecker.Checks().Length);
    }

    [Fact]
    public void Lines_WrittenAndReadAgain_AreTheSame()
    {
        List<HistoryEntry> entries = HistoryText.ParseAll(s_good);
        Assert.Equal(entries, HistoryText.ParseAll(entries.Select(entry => HistoryText.Format(entry))));
    }

    [Theory]
    [InlineData("Memory", 1)]
    [InlineData("Relaxed", 5_000)]
    public void Lost_WithinWhatTheLevelPermits_IsNoViolation(string level, long beforeUs)
    {
        var lines = new[]
        {
            $"10 c1 Submit - a - {level} Unknown 77 403",
            $"100 c1 Submit 2a a - {level} Ok - 403",
            $"{100 + beforeUs} host PowerLoss - - - - Unknown 2710 -",
            "99999 world Drained - - - - Ok - -",
        };
        Assert.Empty(HistoryChecker.Check(HistoryText.ParseAll(lines)));
    }

    [Theory]
    [InlineData("Relaxed", 15_000)]
    [InlineData("Durable", 1)]
    public void Lost_BeyondWhatTheLevelPermits_IsAViolation(string level, long beforeUs)
    {
        var lines = new[]
        {
            $"10 c1 Submit - a - {level} Unknown 77 403",
            $"100 c1 Submit 2a a - {level} Ok - 403",
            $"{100 + beforeUs} host PowerLoss - - - - Unknown 2710 -",
            "99999 world Drained - - - - Ok - -",
        };
        var violation = Assert.Single(HistoryChecker.Check(HistoryText.ParseAll(lines)));
        Assert.Equal("I1", violation.Invariant);
    }
}
