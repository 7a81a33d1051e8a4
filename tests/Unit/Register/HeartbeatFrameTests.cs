// SPDX-License-Identifier: Apache-2.0
using System;
using Google.Protobuf;
using Muster.Server.RegisterHosting;
using Muster.Transport.Wire;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Register;

public sealed class HeartbeatFrameTests
{
    [Fact]
    public void Read_ErrorThatIsNoTaskError_IsDamaged()
    {
        Assert.Throws<WireFormatException>(() => new HeartbeatFrame().Read(Beat([0xff, 0xff, 0xff])));
        Assert.Throws<WireFormatException>(() => new HeartbeatFrame().Read(Beat([0x0a, 0x7f, 0x41])));
    }

    [Fact]
    public void Read_TaskError_IsFoundInTheMessage()
    {
        var error = new TaskError { Code = "HANDLER_FAILED", Message = "boom" }.ToByteArray();
        var message = Beat(error);
        var frame = new HeartbeatFrame();
        frame.Read(message);
        var results = frame.Beat(message).Results;
        Assert.Equal(1, results.Length);
        Assert.Equal(error, message.AsSpan(results[0].ErrorStart, results[0].ErrorBytes).ToArray());
    }

    private static byte[] Beat(byte[] error)
    {
        using var writer = new ProtoWriter();
        var result = writer.Begin(2);
        writer.WriteUInt64(3, (ulong)Muster.Outcome.Failed);
        writer.WriteBytes(5, error);
        writer.WriteUInt64(9, 1);
        writer.End(result);
        return writer.Written.ToArray();
    }
}
