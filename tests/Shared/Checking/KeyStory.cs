// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking;

/// <summary>What the lines so far say of one submission.</summary>
internal sealed class KeyStory
{
    public ulong Key;
    public long SentUs;
    public long AckedUs = -1;
    public bool IsRefused;
    public HistoryLevel Level;
    public ulong Payload;
    public SubmitFacts Facts;

    /// <summary>The task that it became; 0 while nobody has said so.</summary>
    public ulong Task;

    /// <summary>When the first result arrived; -1: none has.</summary>
    public long EndedUs = -1;

    /// <summary>The client was told that the cell does not know it any more.</summary>
    public bool IsForgotten;
}
