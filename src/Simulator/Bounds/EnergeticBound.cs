// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulator.Bounds;

/// <summary>
/// Energetic reasoning on equal slots. If all ended by some time C, each task would have a window: from its head to C
/// less its tail. In any span of time it then does at least what it cannot put before the span's begin or after its
/// end. If that is more for all tasks together than the slots can do in the span, C is too early. The bound is the
/// highest such C, found by bisection to one part in 10,000. Spans are tried that begin where a window or a task pushed
/// to either end of its window begins or ends: enough for a bound, since any span is.
/// </summary>
internal sealed class EnergeticBound
{
    /// <summary>Above this many tasks it is not counted: time grows with their square.</summary>
    public const int TasksMax = 20_000;

    private const double Precision = 1e-4;

    /// <summary>Most begins of spans that are tried per C, thinned out evenly above.</summary>
    private const int BeginsMax = 4_000;

    private readonly ChainTask[] _tasks;
    private readonly double _slots;

    // Orders of the tasks by times that do not depend on C, or only by a shift.
    private readonly int[] _byEnd;
    private readonly int[] _byTail;
    private readonly int[] _byLatest;
    private readonly int[] _byBoth;
    private readonly double[] _begins;

    private EnergeticBound(ChainTask[] tasks, double slots)
    {
        _tasks = tasks;
        _slots = slots;
        _byEnd = Sorted(task => task.HeadUs + task.LengthUs);
        _byTail = Sorted(task => -task.TailUs);
        _byLatest = Sorted(task => -task.TailUs - task.LengthUs);
        _byBoth = Sorted(task => task.HeadUs - task.TailUs);
        _begins = new double[tasks.Length * 3];
    }

    /// <summary>The bound, at least <paramref name="leastUs"/>.</summary>
    public static double Of(ChainTask[] tasks, double slots, double leastUs)
    {
        var bound = new EnergeticBound(tasks, slots);
        var low = leastUs;
        var high = leastUs;
        for (var step = leastUs * Precision * 4; bound.IsTooEarly(high); step *= 2)
        {
            low = high;
            high += step;
        }

        while (high - low > leastUs * Precision)
        {
            var middle = (low + high) / 2;
            (low, high) = bound.IsTooEarly(middle) ? (middle, high) : (low, middle);
        }

        return low;
    }

    private bool IsTooEarly(double endUs)
    {
        var count = 0;
        foreach (var task in _tasks)
        {
            _begins[count++] = task.HeadUs;
            _begins[count++] = task.HeadUs + task.LengthUs;
            _begins[count++] = endUs - task.TailUs - task.LengthUs;
        }

        Array.Sort(_begins);
        var distinct = 0;
        for (var at = 0; at < count; at++)
        {
            if (_begins[at] >= 0 && (distinct == 0 || _begins[at] > _begins[distinct - 1] + 0.5))
            {
                _begins[distinct++] = _begins[at];
            }
        }

        var step = Math.Max(1, distinct / BeginsMax);
        for (var at = 0; at < distinct; at += step)
        {
            if (IsOverfull(_begins[at], endUs))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether a span that begins here holds too much. What a task must do in it grows with the span's end: not at all
    /// at first, then as fast as time, then no more. So the sum is a chain of straight pieces, and only where a task
    /// stops growing can it be too much.
    /// </summary>
    private bool IsOverfull(double beginUs, double endUs)
    {
        var growing = 0.0;
        foreach (var task in _tasks)
        {
            growing += IsPressed(task, beginUs, endUs) ? task.Slots : 0;
        }

        var work = 0.0;
        var last = beginUs;
        int started = 0, pressed = 0, early = 0, late = 0;
        while (true)
        {
            var start = NextLatest(ref started, beginUs, endUs);
            var first = NextPressed(ref pressed, beginUs, endUs);
            var second = NextEarly(ref early, beginUs, endUs);
            var third = NextLate(ref late, beginUs, endUs);
            var stop = Math.Min(first, Math.Min(second, third));
            if (stop == double.MaxValue)
            {
                return false;
            }

            var now = Math.Min(start, stop);
            work += growing * (now - last);
            last = now;
            if (start <= stop)
            {
                growing += _tasks[_byLatest[started++]].Slots;
                continue;
            }

            if (work > (_slots * (now - beginUs)) + 1)
            {
                return true;
            }

            growing -= first == stop ? _tasks[_byEnd[pressed++]].Slots
                : second == stop ? _tasks[_byTail[early++]].Slots
                : _tasks[_byBoth[late++]].Slots;
        }
    }

    // Runs already where the span begins, however late it is put.
    private static bool IsPressed(in ChainTask task, double beginUs, double endUs) =>
        endUs - task.TailUs - task.LengthUs <= beginUs && task.HeadUs + task.LengthUs > beginUs;

    private double NextLatest(ref int at, double beginUs, double endUs)
    {
        for (; at < _byLatest.Length; at++)
        {
            ref readonly var task = ref _tasks[_byLatest[at]];
            var latest = endUs - task.TailUs - task.LengthUs;
            if (latest > beginUs && task.HeadUs + task.LengthUs > beginUs)
            {
                return latest;
            }
        }

        return double.MaxValue;
    }

    private double NextPressed(ref int at, double beginUs, double endUs)
    {
        for (; at < _byEnd.Length; at++)
        {
            ref readonly var task = ref _tasks[_byEnd[at]];
            if (IsPressed(task, beginUs, endUs))
            {
                return task.HeadUs + task.LengthUs;
            }
        }

        return double.MaxValue;
    }

    // Not begun before the span: all of it lies inside or after.
    private double NextEarly(ref int at, double beginUs, double endUs)
    {
        for (; at < _byTail.Length; at++)
        {
            ref readonly var task = ref _tasks[_byTail[at]];
            if (task.HeadUs >= beginUs && endUs - task.TailUs - task.LengthUs > beginUs)
            {
                return endUs - task.TailUs;
            }
        }

        return double.MaxValue;
    }

    private double NextLate(ref int at, double beginUs, double endUs)
    {
        for (; at < _byBoth.Length; at++)
        {
            ref readonly var task = ref _tasks[_byBoth[at]];
            var latest = endUs - task.TailUs - task.LengthUs;
            if (task.HeadUs < beginUs && task.HeadUs + task.LengthUs > beginUs && latest > beginUs)
            {
                return latest + task.HeadUs + task.LengthUs - beginUs;
            }
        }

        return double.MaxValue;
    }

    private int[] Sorted(Func<ChainTask, double> key)
    {
        var keys = Array.ConvertAll(_tasks, task => key(task));
        var order = new int[_tasks.Length];
        for (var task = 0; task < order.Length; task++)
        {
            order[task] = task;
        }

        Array.Sort(keys, order);
        return order;
    }
}
