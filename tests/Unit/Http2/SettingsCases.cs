// SPDX-License-Identifier: Apache-2.0
using Muster.Transport.Http2;
using static Muster.Unit.Http2.FrameBytes;

namespace Muster.Unit.Http2;

/// <summary>RFC 9113 section 6.5: SETTINGS.</summary>
internal static class SettingsCases
{
    private static readonly Verdict s_protocolError = Verdict.Connection(Http2ErrorCode.ProtocolError);
    private static readonly Verdict s_sizeError = Verdict.Connection(Http2ErrorCode.FrameSizeError);

    public static readonly ConformanceCase[] All =
    [
        new("SETTINGS: on a stream", s_protocolError, Of(Settings, 0, 1, Setting(3, 1))),
        new("SETTINGS: of 5 bytes", s_sizeError, Of(Settings, 0, 0, new byte[5])),
        new("SETTINGS: of 7 bytes", s_sizeError, Of(Settings, 0, 0, new byte[7])),
        new("SETTINGS: an answer with a payload", s_sizeError, Of(Settings, Ack, 0, Setting(3, 1))),
        new("SETTINGS: an answer", Verdict.Alive, Of(Settings, Ack, 0)),
        new("SETTINGS: push of 0", Verdict.Alive, SettingsOf((2, 0))),
        new("SETTINGS: push of 1", Verdict.Alive, SettingsOf((2, 1))),
        new("SETTINGS: push of 2", s_protocolError, SettingsOf((2, 2))),
        new("SETTINGS: a window of 2^31 - 1", Verdict.Alive, SettingsOf((4, int.MaxValue))),
        new("SETTINGS: a window of 2^31", Verdict.Connection(Http2ErrorCode.FlowControlError),
            SettingsOf((4, 0x8000_0000))),
        new("SETTINGS: a frame of 16,383", s_protocolError, SettingsOf((5, 16_383))),
        new("SETTINGS: a frame of 16,384", Verdict.Alive, SettingsOf((5, 16_384))),
        new("SETTINGS: a frame of 2^24 - 1", Verdict.Alive, SettingsOf((5, 0xff_ffff))),
        new("SETTINGS: a frame of 2^24", s_protocolError, SettingsOf((5, 0x100_0000))),
        new("SETTINGS: an unknown one", Verdict.Alive, SettingsOf((0xff, 7))),
        new("SETTINGS: the same twice, the last counts", Verdict.Answered(1), SettingsOf((4, 0), (4, 1_000)),
            Request(1, ConformanceServer.Unary, false), DataOf(1, Message(100), true)),
        new("SETTINGS: no header table", Verdict.Answered(1), SettingsOf((1, 0)),
            Request(1, ConformanceServer.Unary, false), DataOf(1, Message(1), true)),
        new("SETTINGS: a header list of 0 is advice", Verdict.Answered(1), SettingsOf((6, 0)),
            Request(1, ConformanceServer.Unary, false), DataOf(1, Message(1), true)),
    ];
}
