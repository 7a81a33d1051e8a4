// SPDX-License-Identifier: Apache-2.0
using Muster.Transport.Http2;
using static Muster.Unit.Http2.FrameBytes;

namespace Muster.Unit.Http2;

/// <summary>RFC 9113 section 3.4: the preface.</summary>
internal static class PrefaceCases
{
    private static readonly Verdict s_protocolError = Verdict.Connection(Http2ErrorCode.ProtocolError);

    public static readonly ConformanceCase[] All =
    [
        new("preface: another protocol", s_protocolError, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray())
        {
            IsBare = true,
        },
        new("preface: damaged at its end", s_protocolError, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r"u8.ToArray())
        {
            IsBare = true,
        },
        new("preface: not followed by settings", s_protocolError, Preface, Of(Ping, 0, 0, new byte[8]))
        {
            IsBare = true,
        },
        new("preface: followed by an answer to settings", s_protocolError, Preface, Of(Settings, Ack, 0))
        {
            IsBare = true,
        },
        new("preface: followed by a request", s_protocolError, Preface, Request(1, ConformanceServer.Unary, true))
        {
            IsBare = true,
        },
        new("preface: with empty settings", Verdict.Alive, Preface, SettingsOf()) { IsBare = true },
        new("preface: and a request at once", Verdict.Answered(1), Preface, SettingsOf(),
            Request(1, ConformanceServer.Unary, false), DataOf(1, Message(3), true))
        {
            IsBare = true,
        },
    ];
}
