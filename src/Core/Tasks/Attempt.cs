// SPDX-License-Identifier: Apache-2.0
namespace Muster.Core.Tasks;

/// <summary>
/// Fencing token of one execution of one task: the cell's epoch (15 bits) above a count of dispatches in that epoch
/// (12 bits). It grows with every dispatch of the task. A cell raises its epoch, durably, before it uses a rebuilt
/// arena, so tokens do not repeat even when counts were lost with the power.
/// </summary>
internal readonly record struct Attempt(uint Value)
{
    public const int CountBits = 12;
    public const uint CountMax = (1u << CountBits) - 1;

    /// <summary>
    /// A task that was placed so often in one epoch is not repeated any more, however many attempts it has left. What
    /// remains is for attempts that are taken back before their worker had them: those nobody can refuse.
    /// </summary>
    public const uint RepeatableCountMax = CountMax - 512;
    public const uint EpochMax = (1u << 15) - 1;

    public static readonly Attempt None = new(0);

    public uint Epoch => Value >> CountBits;

    public uint Count => Value & CountMax;

    /// <summary>The next token in <paramref name="epoch"/>, the cell's present one.</summary>
    public Attempt Next(uint epoch)
    {
        Invariant.That(epoch is > 0 and <= EpochMax && epoch >= Epoch);
        if (epoch > Epoch)
        {
            return new((epoch << CountBits) | 1);
        }

        Invariant.That(Count < CountMax);
        return new(Value + 1);
    }

    public override string ToString() => $"{Epoch}.{Count}";
}
