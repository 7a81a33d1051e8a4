// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using Muster.Transport.Http2;

namespace Muster.Server.Http2;

/// <summary>
/// What keeps a peer from living on frames that bring nothing forward: each PING, SETTINGS, PRIORITY, RST_STREAM,
/// WINDOW_UPDATE, empty or unknown frame and each refused request costs, and honest traffic earns. Who has spent
/// everything is told to be calm and cut. An honest peer cannot get there: 2,000 frames at once and 1,000 a second come
/// for nothing, and every DATA frame either way and every finished call pays for the updates that belong to it. Who
/// cancels a call pays for a frame, and nothing when the call has run for a moment: so many at once are its streams,
/// and no faster can they be cancelled.
/// Spending belongs to the receive loop; any thread may earn.
/// </summary>
internal sealed class FrameBudget(long ticksPerSecond)
{
    public const int FramesMax = 2_000;
    public const int FramesPerSecond = 1_000;

    /// <summary>What is refused costs more than a frame: a request that is malformed or one too many.</summary>
    public const int OfReset = 3;

    /// <summary>A call that was cancelled as soon as it had begun.</summary>
    public const int OfCancel = 1;

    /// <summary>For a DATA frame sent: two updates may answer it, and a PING that measures.</summary>
    public const int ForDataSent = 3;

    private int _left = FramesMax;
    private long _earned;
    private long _filledAt = long.MinValue;

    public void Earn(int frames) => Interlocked.Add(ref _earned, frames);

    /// <summary>Pays for a frame; throws when nothing is left.</summary>
    public void Spend(int frames, long now)
    {
        if (_filledAt == long.MinValue)
        {
            _filledAt = now;
        }

        _left -= frames;
        if (_left < 0 && !TryRefill(now))
        {
            throw new Http2Exception(
                Http2ErrorCode.EnhanceYourCalm, "the peer sends too many frames that bring nothing forward");
        }
    }

    private bool TryRefill(long now)
    {
        var more = Interlocked.Exchange(ref _earned, 0);
        var elapsed = now - _filledAt;
        more += elapsed >= 10 * ticksPerSecond
            ? FramesMax
            : elapsed * FramesPerSecond / ticksPerSecond;
        _filledAt = now;
        _left = (int)long.Min(_left + more, FramesMax);
        return _left >= 0;
    }
}
