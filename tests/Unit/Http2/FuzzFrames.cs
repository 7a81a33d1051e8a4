// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Transport.Hpack;
using Muster.Transport.Http2;
using Muster.Unit.Transport;
using Xunit;

namespace Muster.Unit.Http2;

/// <summary>Checks that whatever a server said is whole frames that a client could read.</summary>
internal static class FuzzFrames
{
    public static void Check(byte[] written)
    {
        var decoder = new HpackDecoder(4096);
        var isFirst = true;
        for (var at = 0; at < written.Length;)
        {
            Assert.True(written.Length - at >= FrameHeader.Size, "the last frame is cut");
            var header = FrameHeader.Read(written.AsSpan(at));
            at += FrameHeader.Size;
            Assert.True(written.Length - at >= header.Length, "the last frame is cut");
            Assert.True(header.Type <= FrameType.Continuation, $"a frame of type {header.Type}");
            Assert.True(!isFirst || header.Type == FrameType.Settings, "the first frame is no settings");
            if (header.Type == FrameType.Headers)
            {
                decoder.Decode(written.AsSpan(at, header.Length), new HeaderList());
            }

            isFirst = false;
            at += header.Length;
        }
    }
}
