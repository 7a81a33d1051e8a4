// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Plm;

/// <summary>
/// The options of a batch as they came over the wire: unchecked, absent fields zero. Refers to the caller's bytes.
/// </summary>
internal ref struct TaskOptionsView
{
    public ReadOnlySpan<byte> HandlerUtf8;
    public ReadOnlySpan<byte> QueueUtf8;
    public bool HasPriority;
    public int Priority;
    public uint AttemptsMax;
    public ulong TimeoutMs;
    public ulong ExpiresAfterMs;
    public int Durability;
    public ulong RetentionMs;
    public ulong RetryDelayMs;
    public ulong KeyRetentionMs;
    public RareTaskOptions Rare;

    /// <summary>Something other than one slot was asked for.</summary>
    public bool HasOtherResources;
}
