// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>Numbers for needs: the same need has the same number, from 0.</summary>
internal sealed class ShapeTable
{
    private readonly Dictionary<Resources, int> _numbers = [];
    private Resources[] _needs = new Resources[16];

    public ref readonly Resources this[int shape] => ref _needs[shape];

    public int Intern(Resources need)
    {
        if (_numbers.TryGetValue(need, out var shape))
        {
            return shape;
        }

        Invariant.That(need.Slots >= 1 && need.MemoryMiB >= 0 && need.Third >= 0 && need.Fourth >= 0);
        shape = _numbers.Count;
        Invariant.That(shape < DecisionLimits.ShapesMax);
        if (shape == _needs.Length)
        {
            Array.Resize(ref _needs, shape * 2);
        }

        _needs[shape] = need;
        _numbers.Add(need, shape);
        return shape;
    }
}
