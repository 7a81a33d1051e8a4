// SPDX-License-Identifier: Apache-2.0
using Muster.Transport.Http2;

namespace Muster.Unit.Transport;

/// <summary>One frame as a <see cref="FakeConnection"/> read it.</summary>
internal sealed record FakeFrame(FrameType Type, FrameFlags Flags, int StreamId, byte[] Payload)
{
    public bool Has(FrameFlags flag) => (Flags & flag) != 0;
}
