// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Register;

/// <summary>
/// Results that are in the arena and not as durable yet as their tasks were promised: a worker keeps them. For each
/// heartbeat that brought some, the number of its last and the position in the ring of finished tasks below which the
/// PLM must have made everything safe. Bounded by the results that workers hold.
/// </summary>
internal sealed class UnsafeResults
{
    private readonly record struct Mark(ulong Number, ulong Position);

    private readonly Queue<Mark> _marks = new();

    public bool IsEmpty => _marks.Count == 0;

    public void Add(ulong number, ulong position) => _marks.Enqueue(new(number, position));

    /// <summary>Raises the number to the last one that is safe now; whether it rose.</summary>
    public bool TryRaise(ulong safePosition, ref ulong number)
    {
        var rose = false;
        while (_marks.TryPeek(out var mark) && mark.Position <= safePosition)
        {
            _marks.Dequeue();
            number = mark.Number;
            rose = true;
        }

        return rose;
    }

    public void Clear() => _marks.Clear();
}
