// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Attempts;

namespace Muster.Plm;

/// <content>Whether an attempt that ended badly is repeated, and after what wait.</content>
internal sealed partial class PlmCore
{
    private ErrorFields ErrorOf(in TaskSlot slot) =>
        ResultRecord.TryRead(ResultOf(in slot), out var error, out _) ? ErrorFields.Read(error) : default;

    // No attempt is left, the handler said that none will do better, the error is one of those after which the
    // submitter wants none, or the next one would begin too late.
    private bool IsLast(uint index, in TaskSlot slot, StateWord word, in ErrorFields error)
    {
        ref readonly var profile = ref ProfileOf(in slot);
        if (slot.AttemptsFailed + 1 >= profile.AttemptsMax || IsUsedUp(word) || error.IsFinal)
        {
            return true;
        }

        if (profile.FinalErrorsBytes > 0 && FinalErrorNames.Matches(profile.FinalErrors, error.Code, error.Type))
        {
            return true;
        }

        if (profile.RetryBudgetMs == 0)
        {
            return false;
        }

        var delayMs = RetryDelayMs(index, in slot, slot.AttemptsFailed + 1, error.RetryAfterMs);
        return (Since(in slot) / 1_000) + delayMs > profile.RetryBudgetMs;
    }

    // What the handler asked for, or the profile's back-off less what chance takes off. Chance is a hash of the task
    // and of how often it failed: the wait is the same whoever works it out.
    private long RetryDelayMs(uint index, in TaskSlot slot, int failed, ulong askedMs)
    {
        if (askedMs != 0)
        {
            return (long)Math.Min(askedMs, TaskLimits.RetryAfterMsMax);
        }

        ref readonly var profile = ref ProfileOf(in slot);
        var fullMs = FullDelayMs(profile, failed);
        if (fullMs == 0 || profile.RetryJitterPercent == 0)
        {
            return fullMs;
        }

        const double Steps = 1 << 20;
        var chance = Mix(_tasks.IdOf(index).Value + ((ulong)failed << 48)) >> 44;
        var offMs = (long)(fullMs * (profile.RetryJitterPercent / 100.0) * (chance / Steps));
        return Math.Max(1, fullMs - offMs);
    }

    private static long FullDelayMs(in ProfileRow profile, int failed)
    {
        double delayMs = profile.RetryDelayMs;
        var factor = profile.RetryFactorPercent / 100.0;
        for (var time = 1; time < failed && delayMs < profile.RetryDelayMaxMs && factor > 1; time++)
        {
            delayMs *= factor;
        }

        return (long)Math.Min(delayMs, profile.RetryDelayMaxMs);
    }

    // The longest that a Delayed task can have been told to wait. Its last failure may not be counted yet.
    private long LongestDelayMs(in TaskSlot slot, StateWord word) => Math.Max(
        FullDelayMs(ProfileOf(in slot), slot.AttemptsFailed + 1),
        (long)AskedDelayMs(in slot, word.Attempt));

    // All bits of the result depend on all bits of the value (the finalizer of splitmix64).
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
