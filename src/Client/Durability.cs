// SPDX-License-Identifier: Apache-2.0
namespace Muster;

/// <summary>
/// What a task that the cell has accepted survives, and its result with it. Nothing survives the loss of the disk.
/// </summary>
public enum Durability
{
    /// <summary>The cell's own level: <see cref="Durable"/>, unless the cell keeps no journal or was told
    /// otherwise.</summary>
    CellDefault = 0,

    /// <summary>
    /// The death of any or all Muster processes while the host stays up. The fastest; the journal is not touched.
    /// </summary>
    Memory = 1,

    /// <summary>The same, and a power loss but for what was accepted in the last 10 ms.</summary>
    Relaxed = 2,

    /// <summary>A power loss at any instant: the disk has confirmed it before the submission is.</summary>
    Durable = 3,
}
