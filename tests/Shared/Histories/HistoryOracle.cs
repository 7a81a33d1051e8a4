// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Threading;

namespace Muster.Shared.Histories;

/// <summary>
/// Judges a history while it happens: what was accepted must get one right result that never changes. Keeps a word for
/// each open task, a bit for each that has ended, and the last results in full to compare those that come again.
/// Thread-safe.
/// </summary>
internal sealed class HistoryOracle : IHistorySink
{
    private const int RecentMax = 200_000;
    private const int FindingsMax = 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Ledger> _ledgers = [];
    private readonly List<string> _findings = [];
    private HistoryCounts _counts = new();
    private readonly List<(long FromUs, long CutUs, long ToUs)> _cuts = [];
    private long _results;

    /// <summary>The whole history, for the checker; null: it is not kept.</summary>
    public RecordedHistory? History { get; init; }

    /// <summary>What it came to so far; what has no result yet counts as lost.</summary>
    public HistoryCounts Counts
    {
        get
        {
            lock (_gate)
            {
                return _counts with { Lost = _counts.Lost + _ledgers.Values.Sum(ledger => (long)ledger.Open.Count) };
            }
        }
    }

    /// <summary>Tasks that have a result.</summary>
    public long Results
    {
        get
        {
            lock (_gate)
            {
                return _results;
            }
        }
    }

    /// <summary>The first things that were wrong, for people.</summary>
    public IReadOnlyList<string> Findings
    {
        get
        {
            lock (_gate)
            {
                return [.. _findings];
            }
        }
    }

    /// <summary>The code of the last refusal.</summary>
    public string LastRefusal { get; private set; } = "";

    /// <summary>See <see cref="TellCut"/>.</summary>
    public long LostResultAgeUsMax { get; private set; }

    /// <summary>Moments of acceptance, in microseconds, of the tasks that are without a result or missing.</summary>
    public IReadOnlyList<long> LostAckedUs
    {
        get
        {
            lock (_gate)
            {
                return [.. _ledgers.Values.SelectMany(ledger => ledger.MissingUs.Concat(
                    ledger.Open.Values.Select(open => open.AckUs)))];
            }
        }
    }

    /// <summary>Takes what was lost so far as seen, so that later losses show by themselves.</summary>
    public IReadOnlyList<long> TakeMissing()
    {
        lock (_gate)
        {
            List<long> missing = [.. _ledgers.Values.SelectMany(ledger => ledger.MissingUs)];
            foreach (var ledger in _ledgers.Values)
            {
                ledger.MissingUs.Clear();
            }

            return missing;
        }
    }

    /// <summary>
    /// The power was cut at this moment. With level relaxed the cell may forget the results of the last moments before
    /// it and make others; how old the oldest such result was is kept instead of a finding. What was under way is still
    /// read until the cell's processes are dead.
    /// </summary>
    public void TellCut(long cutUs, long forgivenUs, long silentUs)
    {
        lock (_gate)
        {
            _cuts.Add((cutUs - forgivenUs, cutUs, silentUs));
        }
    }

    public void Take(in HistoryEvent happened)
    {
        lock (_gate)
        {
            History?.Add(happened);
            if (!_ledgers.TryGetValue(happened.Actor, out var ledger))
            {
                _ledgers[happened.Actor] = ledger = new();
            }

            switch (happened.Op)
            {
                case HistoryOp.Join:
                    break;
                case HistoryOp.Submit:
                    ledger.Sent.Add(happened.Key);
                    break;
                case HistoryOp.Accept:
                    TakeAccept(ledger, happened);
                    break;
                case HistoryOp.Refuse:
                case HistoryOp.Unknown:
                    ledger.Sent.Remove(happened.Key);
                    LastRefusal = happened.Outcome;
                    _counts = _counts with { Refused = _counts.Refused + 1 };
                    break;
                case HistoryOp.Missing:
                    TakeMissing(ledger, happened);
                    break;
                default:
                    TakeResult(ledger, happened);
                    break;
            }
        }
    }

    public void Flush()
    {
        // The history of this process need not outlive it.
    }

    private void TakeAccept(Ledger ledger, in HistoryEvent happened)
    {
        if (!ledger.Sent.Remove(happened.Key))
        {
            if (ledger.Open.ContainsKey(happened.Key) || ledger.IsDone(happened.Key))
            {
                // A result may overtake its acceptance; then both name one task.
                if (ledger.Recent.TryGetValue(happened.Key, out var seen) && seen.Task == happened.Task)
                {
                    return;
                }

                _counts = _counts with { DuplicateAccepted = _counts.DuplicateAccepted + 1 };
                Find("accepted twice", happened);
                return;
            }

            _counts = _counts with { Unexpected = _counts.Unexpected + 1 };
            Find("accepted, but it was not submitted or was refused before", happened);
            return;
        }

        _counts = _counts with { Acked = _counts.Acked + 1 };
        ledger.Open[happened.Key] = (happened.Task, happened.TimeUs);
    }

    private void TakeMissing(Ledger ledger, in HistoryEvent happened)
    {
        if (ledger.Open.Remove(happened.Key, out var open))
        {
            ledger.MissingUs.Add(open.AckUs);
            _counts = _counts with { Lost = _counts.Lost + 1 };
            Find("accepted, and the cell has it no more", happened);
        }
    }

    private void TakeResult(Ledger ledger, in HistoryEvent happened)
    {
        if (happened.Outcome == "wrong")
        {
            _counts = _counts with { Changed = _counts.Changed + 1 };
            Find("a result that is not its task's", happened);
        }

        if (ledger.IsDone(happened.Key))
        {
            TakeAgain(ledger, happened);
            return;
        }

        if (ledger.Open.Remove(happened.Key, out var open))
        {
            if (open.Task != happened.Task)
            {
                _counts = _counts with { Changed = _counts.Changed + 1 };
                Find($"accepted as task {open.Task:x16}", happened);
            }
        }
        else if (ledger.Sent.Remove(happened.Key))
        {
            // The result says that it was accepted before the answer does.
            _counts = _counts with { Acked = _counts.Acked + 1 };
        }
        else
        {
            _counts = _counts with { Unexpected = _counts.Unexpected + 1 };
            Find("a result of a task that was refused or never sent", happened);
        }

        _results++;
        ledger.End(happened);
        if (happened.Outcome is not ("ok" or "wrong"))
        {
            _counts = _counts with { Failed = _counts.Failed + 1 };
            Find("did not succeed", happened);
        }

        if (happened.Executions > 1)
        {
            _counts = _counts with { Reruns = _counts.Reruns + 1 };
        }
    }

    private void TakeAgain(Ledger ledger, in HistoryEvent happened)
    {
        if (!ledger.Recent.TryGetValue(happened.Key, out var first)
            || (first.Attempt == happened.Attempt && first.Value == happened.Value && first.Task == happened.Task))
        {
            _counts = _counts with { Redelivered = _counts.Redelivered + 1 };
        }
        else if (_cuts.FindLast(cut => first.TimeUs >= cut.FromUs && first.TimeUs <= cut.ToUs) is { ToUs: > 0 } cut)
        {
            LostResultAgeUsMax = Math.Max(LostResultAgeUsMax, cut.CutUs - first.TimeUs);
            ledger.Recent[happened.Key] = happened;
        }
        else if (first.Attempt != happened.Attempt || first.Task != happened.Task)
        {
            _counts = _counts with { DuplicateAccepted = _counts.DuplicateAccepted + 1 };
            Find($"a second result; the first was {first}", happened);
        }
        else
        {
            _counts = _counts with { Changed = _counts.Changed + 1 };
            Find($"the result changed; the first was {first}", happened);
        }
    }

    private void Find(string what, in HistoryEvent happened)
    {
        if (_findings.Count < FindingsMax)
        {
            _findings.Add($"{what}: {happened}");
        }
    }

    /// <summary>What is known of one client's tasks.</summary>
    private sealed class Ledger
    {
        private readonly Queue<long> _order = new();
        private readonly BitArray _done = new(1 << 16);

        public HashSet<long> Sent { get; } = [];

        public Dictionary<long, (ulong Task, long AckUs)> Open { get; } = [];

        public List<long> MissingUs { get; } = [];

        public Dictionary<long, HistoryEvent> Recent { get; } = [];

        public bool IsDone(long key) => key >= 0 && key < _done.Length && _done[(int)key];

        public void End(in HistoryEvent happened)
        {
            if (happened.Key < 0)
            {
                return;
            }

            if (happened.Key >= _done.Length)
            {
                _done.Length = (int)Math.Max(happened.Key + 1, Math.Min((long)_done.Length * 2, int.MaxValue));
            }

            _done[(int)happened.Key] = true;
            Recent[happened.Key] = happened;
            _order.Enqueue(happened.Key);
            if (_order.Count > RecentMax)
            {
                Recent.Remove(_order.Dequeue());
            }
        }
    }
}
