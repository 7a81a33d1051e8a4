// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Http2;

/// <summary>What the server asks of us. Every SETTINGS frame is applied as a whole and then confirmed.</summary>
internal sealed partial class Http2Connection
{
    private void OnSettings(FrameHeader frame, ReadOnlySpan<byte> payload)
    {
        if (!PeerSettings.IsRequest(frame))
        {
            return;
        }

        lock (_gate)
        {
            var change = _peer.Apply(payload);
            if (change != 0)
            {
                foreach (var stream in _streams.Values)
                {
                    stream.SendWindow = PeerSettings.Resize(stream.SendWindow, change);
                }
            }

            _outbox.SettingsAck();
            PumpBlocked();
        }

        _roomChanged = true;
        if (!_settingsSeen)
        {
            _settingsSeen = true;
            _settled.TrySetResult();
        }
    }
}
