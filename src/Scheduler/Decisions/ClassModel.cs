// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// What was learned of the durations of a class, in microseconds at speed 1: 80 bytes, 17 ns per observation. It keeps
/// three ways to foretell (mean, mean of the last two, a line on the size hint) and how far off each lately was, and
/// believes the best. Old observations fade: the newest counts for at least a 32nd.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 80)]
internal struct ClassModel
{
    private const float NewestLeast = 1f / 32;
    private const float QuantileStepLeast = 0.02f;

    /// <summary>A line is believed within this factor of the mean: hints may lie far outside what was seen.</summary>
    private const float LineFactorMax = 64;

    public uint Observed;
    public float MeanUs;
    public float LastUs;
    public float BeforeUs;
    public float HintMean;
    public float HintVariance;
    public float HintCovariance;
    public float HintedMeanUs;
    public uint HintedObserved;
    public float P50Us;
    public float P90Us;
    public float P99Us;

    // Decayed means of |ln(foretold / seen)|.
    public float MeanError;
    public float LastError;
    public float LineError;

    /// <summary>How far above the foretold duration nine in ten tasks stay below, as a factor.</summary>
    public float P90Factor;

    public readonly bool IsKnown => Observed > 0;

    private readonly bool HasLine => HintedObserved >= 3 && HintVariance > 0;

    /// <summary>The duration to expect; 0 when nothing was seen.</summary>
    public readonly float Expect(float hint)
    {
        if (Observed < 3)
        {
            return HasLine && hint > 0 ? Line(hint) : MeanUs;
        }

        if (HasLine && hint > 0 && LineError < MeanError && LineError < LastError)
        {
            return Line(hint);
        }

        return LastError < MeanError * 0.9f ? (LastUs + BeforeUs) / 2 : MeanUs;
    }

    /// <summary>Learns from a task that ran this long. True when it is worth looking at all ranks again.</summary>
    public bool Observe(float us, float hint)
    {
        us = Math.Max(us, 1);
        if (Observed > 0)
        {
            NoteErrors(us, hint);
        }

        Observed++;
        var weight = Math.Max(1f / Observed, NewestLeast);
        MeanUs += (us - MeanUs) * weight;
        BeforeUs = Observed == 1 ? us : LastUs;
        LastUs = us;
        if (hint > 0)
        {
            NoteHint(us, hint);
        }

        NoteQuantiles(us);
        return (Observed & (Observed - 1)) == 0;
    }

    private readonly float Line(float hint)
    {
        var us = HintedMeanUs + ((hint - HintMean) * HintCovariance / HintVariance);
        return Math.Clamp(us, MeanUs / LineFactorMax, MeanUs * LineFactorMax);
    }

    private void NoteErrors(float us, float hint)
    {
        var weight = Math.Max(1f / Observed, NewestLeast * 2);
        var foretold = Expect(hint);
        MeanError += (Distance(MeanUs, us) - MeanError) * weight;
        LastError += (Distance((LastUs + BeforeUs) / 2, us) - LastError) * weight;
        LineError += (Distance(HasLine && hint > 0 ? Line(hint) : MeanUs, us) - LineError) * weight;

        // In logarithms, so that a step means the same at every scale.
        var step = Math.Max(2f / Observed, QuantileStepLeast);
        var above = us > foretold * P90Factor;
        P90Factor = Math.Max(1, P90Factor * MathF.Exp(above ? step * 0.9f : step * -0.1f));
    }

    private void NoteHint(float us, float hint)
    {
        HintedObserved++;
        var weight = Math.Max(1f / HintedObserved, NewestLeast);
        var hintOff = hint - HintMean;
        var usOff = us - HintedMeanUs;
        HintMean += hintOff * weight;
        HintedMeanUs += usOff * weight;
        HintVariance += ((hintOff * hintOff * (1 - weight)) - HintVariance) * weight;
        HintCovariance += ((hintOff * usOff * (1 - weight)) - HintCovariance) * weight;
    }

    private void NoteQuantiles(float us)
    {
        if (Observed == 1)
        {
            (P50Us, P90Us, P99Us, P90Factor) = (us, us, us, 1);
            return;
        }

        var step = Math.Max(2f / Observed, QuantileStepLeast);
        P50Us *= MathF.Exp(us > P50Us ? step * 0.5f : step * -0.5f);
        P90Us *= MathF.Exp(us > P90Us ? step * 0.9f : step * -0.1f);
        P99Us *= MathF.Exp(us > P99Us ? step * 0.99f : step * -0.01f);
        P90Us = Math.Max(P90Us, P50Us);
        P99Us = Math.Max(P99Us, P90Us);
    }

    private static float Distance(float foretold, float seen) => MathF.Abs(MathF.Log(MathF.Max(foretold, 1) / seen));
}
