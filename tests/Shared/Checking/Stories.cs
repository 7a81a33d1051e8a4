// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Checking;

/// <summary>
/// What every check may want to know when a line is seen, kept once for all of them. Each line has been added when the
/// checks see it, but for the counts of its own kind, which the checks see as they were before.
/// </summary>
internal sealed class Stories
{
    public Dictionary<ulong, KeyStory> Keys { get; } = [];

    public Dictionary<ulong, TaskStory> Tasks { get; } = [];

    /// <summary>When memory was lost, and what was written so long before that may have been lost with it.</summary>
    public List<(long TimeUs, long WindowUs)> PowerLosses { get; } = [];

    /// <summary>Deaths of roles, each of which may cost a task one attempt more.</summary>
    public int RolesDied { get; private set; }

    /// <summary>When all faults ended; -1: not yet.</summary>
    public long HealedUs { get; private set; } = -1;

    /// <summary>Within how long after that everything must end.</summary>
    public long EndWithinUs { get; private set; }

    /// <summary>The history ends with a wait for everything.</summary>
    public bool IsDrained { get; private set; }

    public TaskStory Task(ulong id)
    {
        if (!Tasks.TryGetValue(id, out var story))
        {
            story = new TaskStory { Task = id };
            Tasks.Add(id, story);
        }

        return story;
    }

    /// <summary>The submission of a task, when it is known.</summary>
    public KeyStory? KeyOf(ulong task) =>
        Tasks.TryGetValue(task, out var story) && Keys.TryGetValue(story.Key, out var key) ? key : null;

    /// <summary>Takes what the checks need to find when they see the line.</summary>
    public void Before(in HistoryEntry entry)
    {
        switch (entry.Op)
        {
            case HistoryOp.Submit:
                Submit(entry);
                break;
            case HistoryOp.Start when entry.Key != 0:
                Task(entry.Task).Key = entry.Key;
                break;
            case HistoryOp.PowerLoss:
                LosePower(entry);
                break;
            case HistoryOp.RoleDown:
                RolesDied++;
                break;
            case HistoryOp.Healed:
                HealedUs = entry.TimeUs;
                EndWithinUs = (long)entry.Value;
                break;
            case HistoryOp.Drained:
                IsDrained = true;
                break;
            default:
                break;
        }
    }

    /// <summary>Takes what the checks must find as it was before the line.</summary>
    public void After(in HistoryEntry entry)
    {
        switch (entry.Op)
        {
            case HistoryOp.Dispatch:
                var story = Task(entry.Task);
                story.Attempt = entry.Attempt;
                story.Highest = System.Math.Max(story.Highest, entry.Attempt);
                story.Registration = entry.Detail;
                story.Dispatched++;
                story.Era = PowerLosses.Count;
                break;
            case HistoryOp.Attach:
                Task(entry.Task).Attempt = entry.Attempt;
                Task(entry.Task).Registration = entry.Detail;
                break;
            case HistoryOp.Accept when entry.Outcome == HistoryOutcome.Ok:
                Task(entry.Task).Succeeded++;
                break;
            case HistoryOp.Accept:
                Task(entry.Task).Failures.Add(entry.Attempt);
                Task(entry.Task).LastFailed = entry.Attempt;
                break;
            case HistoryOp.Result when Keys.TryGetValue(entry.Key, out var ended) && ended.EndedUs < 0:
                ended.EndedUs = entry.TimeUs;
                break;
            case HistoryOp.Forgotten when Keys.TryGetValue(entry.Key, out var forgotten):
                forgotten.IsForgotten = true;
                break;
            default:
                break;
        }
    }

    // A result that was taken and not journaled is gone, and another may be taken.
    private void LosePower(in HistoryEntry entry)
    {
        PowerLosses.Add((entry.TimeUs, (long)entry.Value));
        foreach (var task in Tasks.Values)
        {
            task.Succeeded = 0;
        }
    }

    private void Submit(in HistoryEntry entry)
    {
        if (!Keys.TryGetValue(entry.Key, out var story))
        {
            story = new KeyStory
            {
                Key = entry.Key,
                SentUs = entry.TimeUs,
                Level = entry.Level,
                Payload = entry.Value,
                Facts = SubmitFacts.Of(entry.Detail),
            };
            Keys.Add(entry.Key, story);
        }

        switch (entry.Outcome)
        {
            case HistoryOutcome.Ok:
                story.AckedUs = story.AckedUs < 0 ? entry.TimeUs : story.AckedUs;
                story.Task = entry.Task;
                Task(entry.Task).Key = entry.Key;
                break;
            case HistoryOutcome.Refused:
                story.IsRefused = true;
                break;
            default:
                break;
        }
    }
}
