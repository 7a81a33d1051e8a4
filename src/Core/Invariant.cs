// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Muster.Core;

/// <summary>
/// Checks what must hold, in Release too. A violated invariant is a bug of ours: it stops the component, which fences
/// its past self and recovers. Expected failures are values (<see cref="Fault"/>), never this.
/// </summary>
internal static class Invariant
{
    /// <summary>Throws when <paramref name="condition"/> does not hold. The text costs nothing when it does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void That(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string? text = null)
    {
        if (!condition)
        {
            Throw(text);
        }
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw(string? text) => throw new InvariantException(text ?? "unnamed invariant");
}
