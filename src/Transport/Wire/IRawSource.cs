// SPDX-License-Identifier: Apache-2.0
namespace Muster.Transport.Wire;

/// <summary>A received message whose rented bytes the reader may take over instead of copying them.</summary>
internal interface IRawSource
{
    /// <summary>The message; the object may be one that was disposed before.</summary>
    RawMessage Take();
}
