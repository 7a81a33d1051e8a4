// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Muster.Transport.Http2;
using Muster.Unit.Transport;
using Xunit;

namespace Muster.Unit.Http2;

/// <summary>
/// RFC 9113 and RFC 7541 frame by frame: what a server must answer to each way of breaking or stretching the protocol,
/// with the error code and whether it is the stream or the connection that ends.
/// </summary>
public sealed class ConformanceTests(ConformanceServer server) : IClassFixture<ConformanceServer>
{
    private static readonly Dictionary<string, ConformanceCase> s_cases = new[]
        {
            PrefaceCases.All, FrameCases.All, StreamCases.All, SettingsCases.All, FlowCases.All, HeaderCases.All,
            HpackCases.All,
        }
        .SelectMany(cases => cases).ToDictionary(each => each.Name, StringComparer.Ordinal);

    public static TheoryData<string> Names => new(s_cases.Keys);

    [Fact]
    public void Cases_AreMoreThanAHundred() => Assert.True(s_cases.Count > 100, $"{s_cases.Count} cases");

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Frames_OfCase_AreJudgedAsTheStandardSays(string name)
    {
        var sent = s_cases[name];
        using var client = sent.IsBare
            ? await FrameClient.ConnectRawAsync(server.Port)
            : await FrameClient.ConnectAsync(server.Port);
        await client.TrySendAsync(sent.Frames.SelectMany(frame => frame).ToArray());
        if (sent.Verdict.GoAway is { } code)
        {
            Assert.Equal(code, await client.ReadGoAwayAsync());
        }
        else
        {
            await AssertGoesOnAsync(client, sent.Verdict);
        }
    }

    private static async Task AssertGoesOnAsync(FrameClient client, Verdict verdict)
    {
        var marker = "is it on?"u8.ToArray()[..8];
        await client.TrySendAsync(FrameBytes.Of(FrameBytes.Ping, 0, 0, marker));
        var isOn = false;
        var isJudged = verdict.Stream == 0;
        while (!isOn || !isJudged)
        {
            var frame = await client.ReadAsync();
            Assert.NotNull(frame);
            Assert.NotEqual(FrameType.GoAway, frame.Type);
            if (frame.Type == FrameType.Ping && frame.Has(FrameFlags.Ack) && frame.Payload.SequenceEqual(marker))
            {
                isOn = true;
            }
            else if (!isJudged && frame.StreamId == verdict.Stream)
            {
                isJudged = IsJudged(client, frame, verdict);
            }
        }
    }

    private static bool IsJudged(FrameClient client, FakeFrame frame, Verdict verdict)
    {
        if (frame.Type == FrameType.RstStream)
        {
            var code = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(frame.Payload);
            Assert.Equal(verdict.Code, code);
            return true;
        }

        if (frame.Type != FrameType.Headers)
        {
            return false;
        }

        var fields = client.Decode(frame);
        if (!frame.Has(FrameFlags.EndStream) || verdict.Status is null)
        {
            return false;
        }

        Assert.Equal(verdict.Status, fields.GetValueOrDefault("grpc-status") ?? fields.GetValueOrDefault(":status"));
        return true;
    }
}
