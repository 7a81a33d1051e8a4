// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking.Promises;

/// <summary>
/// What was accepted reaches an end. What a level does not promise is not asked for: memory goes with the arena, and
/// relaxed may lose what was accepted a flush interval before the power went.
/// </summary>
internal sealed class NoneLost() : InvariantCheck("I1")
{
    public static bool MayBeLost(KeyStory key, Stories stories)
    {
        foreach (var (lostUs, windowUs) in stories.PowerLosses)
        {
            // The answer may still have been on its way when memory was lost.
            var isAfter = lostUs >= key.SentUs;
            if (isAfter && key.Level is HistoryLevel.None or HistoryLevel.Memory)
            {
                return true;
            }

            if (isAfter && key.Level == HistoryLevel.Relaxed && lostUs - key.AckedUs <= windowUs)
            {
                return true;
            }
        }

        return false;
    }

    protected override void See(in HistoryEntry entry, Stories stories)
    {
        if (entry.Op == HistoryOp.Forgotten
            && stories.Keys.TryGetValue(entry.Key, out var key)
            && key.AckedUs >= 0
            && !MayBeLost(key, stories))
        {
            Fail($"submission {Id(entry.Key)} was accepted and then not known any more");
        }
    }

    protected override void End(Stories stories)
    {
        if (!stories.IsDrained)
        {
            return;
        }

        foreach (var key in stories.Keys.Values)
        {
            if (key.AckedUs >= 0 && key.EndedUs < 0 && !key.IsForgotten && !MayBeLost(key, stories))
            {
                Fail($"submission {Id(key.Key)}, accepted as task {Id(key.Task)}, never ended");
            }
        }
    }
}
