// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Rings;

/// <summary>
/// A counter of the other side as one side last saw it, in this process's own memory. As wide as two cache lines on
/// either side, because in a cell of one process both sides work on the same ring object.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct SeenCounter
{
    [FieldOffset(128)] public ulong Value;
}
