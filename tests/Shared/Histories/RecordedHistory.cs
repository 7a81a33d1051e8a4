// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Muster.Checking;

namespace Muster.Shared.Histories;

/// <summary>
/// What clients of real processes saw, as lines of the history that the checker of the simulation judges too. Lines are
/// about 100 bytes each, three for each task. Thread-safe.
/// </summary>
internal sealed class RecordedHistory
{
    private const int ActorShift = 48;

    private readonly Lock _gate = new();
    private readonly List<HistoryEntry> _entries = [];
    private readonly Dictionary<string, ulong> _actors = [];

    public void Add(in HistoryEvent happened)
    {
        if (Translate(happened) is not ({ } op, var outcome))
        {
            return;
        }

        lock (_gate)
        {
            if (!_actors.TryGetValue(happened.Actor, out var actor))
            {
                _actors[happened.Actor] = actor = (ulong)_actors.Count + 1;
            }

            _entries.Add(new HistoryEntry(
                happened.TimeUs,
                happened.Actor,
                op,
                happened.Task,
                (actor << ActorShift) | (ulong)happened.Key,
                happened.Attempt,
                Level(happened.Level),
                outcome,
                happened.Value,
                op == Checking.HistoryOp.Submit ? new SubmitFacts(100, 4, 1).Detail
                    : op == Checking.HistoryOp.Result ? OutcomeNumber(happened.Outcome) : 0));
        }
    }

    /// <summary>What the one who makes the faults did.</summary>
    public void Note(Checking.HistoryOp op, ulong value = 0, bool isOk = true)
    {
        lock (_gate)
        {
            _entries.Add(new HistoryEntry(
                SessionClient.NowUs(),
                "faults",
                op,
                Value: value,
                Outcome: isOk ? HistoryOutcome.Ok : HistoryOutcome.Refused));
        }
    }

    public IReadOnlyList<Violation> Check()
    {
        lock (_gate)
        {
            // Two actors' lines may have been added in another order than they happened.
            return HistoryChecker.Check([.. _entries.OrderBy(entry => entry.TimeUs)]);
        }
    }

    public void Save(string path)
    {
        lock (_gate)
        {
            File.WriteAllLines(
                path, _entries.OrderBy(entry => entry.TimeUs).Select(entry => HistoryText.Format(entry)));
        }
    }

    private static (Checking.HistoryOp? Op, HistoryOutcome Outcome) Translate(in HistoryEvent happened) =>
        happened.Op switch
        {
            HistoryOp.Submit => (Checking.HistoryOp.Submit, HistoryOutcome.Unknown),
            HistoryOp.Accept => (Checking.HistoryOp.Submit, HistoryOutcome.Ok),
            HistoryOp.Refuse => (Checking.HistoryOp.Submit, HistoryOutcome.Refused),
            HistoryOp.Unknown when happened.Outcome == "refused" =>
                (Checking.HistoryOp.Submit, HistoryOutcome.Refused),
            HistoryOp.Missing => (Checking.HistoryOp.Forgotten, HistoryOutcome.Ok),
            HistoryOp.Result => (Checking.HistoryOp.Result, HistoryOutcome.Ok),
            _ => (null, HistoryOutcome.Unknown),
        };

    private static ulong OutcomeNumber(string outcome) => outcome is "ok" or "wrong" ? 1UL : 2UL;

    private static HistoryLevel Level(string level) => level switch
    {
        "memory" => HistoryLevel.Memory,
        "relaxed" => HistoryLevel.Relaxed,
        "durable" => HistoryLevel.Durable,
        _ => HistoryLevel.None,
    };
}
