// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking;

/// <summary>The Detail of a Submit line.</summary>
/// <param name="AttemptsMax">As asked for.</param>
/// <param name="Priority">0 to 7.</param>
/// <param name="Handler">A number for the handler.</param>
internal readonly record struct SubmitFacts(byte AttemptsMax, byte Priority, ushort Handler)
{
    public static SubmitFacts Of(ulong detail) => new((byte)detail, (byte)(detail >> 8), (ushort)(detail >> 16));

    public ulong Detail => AttemptsMax | ((ulong)Priority << 8) | ((ulong)Handler << 16);
}
