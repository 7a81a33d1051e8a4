// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Grpc.Core;
using Xunit;

namespace Muster.Interop.Serving;

/// <summary>Every case of a client that others wrote against our server; each peer runs them all.</summary>
public abstract partial class PeerCallsUs(ServedPeer served)
{
    private const int MessageBytesMax = 4 * 1024 * 1024;

    // Tag and length of a bytes field of about 4 MiB.
    private const int BodyOverhead = 5;

    public static TheoryData<int> EveryCode() => [.. Enumerable.Range(0, 17)];

    [Fact]
    public async Task Unary_Message_ComesBack()
    {
        var answer = await RunAsync("unary", Ask(("body", "aGVsbG8=")));
        AssertEnded(StatusCode.OK, answer);
        Assert.Equal("aGVsbG8=", Text(answer, "body"));
    }

    [Fact]
    public async Task Unary_EmptyMessage_ComesBack()
    {
        var answer = await RunAsync("unary", Ask());
        AssertEnded(StatusCode.OK, answer);
        Assert.Equal(0, Number(answer, "bodyBytes"));
    }

    [Fact]
    public async Task ServerStream_Answers_ArriveInOrder()
    {
        var answer = await RunAsync("pour", Ask(("count", 50), ("answer_bytes", 10)));
        AssertEnded(StatusCode.OK, answer);
        AssertReceived(50, answer);
    }

    [Fact]
    public async Task ServerStream_WithoutAnswers_EndsWell()
    {
        var answer = await RunAsync("pour", Ask(("count", 0)));
        AssertEnded(StatusCode.OK, answer);
        AssertReceived(0, answer);
    }

    [Fact]
    public async Task ServerStream_SlowAnswers_ArriveOneByOne()
    {
        var answer = await RunAsync("pour", Ask(("count", 5), ("delay_ms", 20)));
        AssertEnded(StatusCode.OK, answer);
        AssertReceived(5, answer);
    }

    [Fact]
    public async Task ClientStream_Messages_AreAllSeen()
    {
        var answer = await RunAsync("collect", Ask(("body_bytes", 1000)), ("send", 40));
        AssertEnded(StatusCode.OK, answer);
        Assert.Equal(40, Number(answer, "count"));
        Assert.Equal(40_000, Number(answer, "bytes"));
    }

    [Fact]
    public async Task ClientStream_WithoutMessages_IsAnswered()
    {
        var answer = await RunAsync("collect", Ask(), ("send", 0));
        AssertEnded(StatusCode.OK, answer);
        Assert.Equal(0, Number(answer, "count"));
    }

    [Fact]
    public async Task ClientStream_ServerEndsEarly_StatusArrives()
    {
        var answer = await RunAsync("collect", Ask(("status", 9), ("message", "enough")), ("send", 3));
        AssertEnded(StatusCode.FailedPrecondition, answer);
        Assert.Equal("enough", Text(answer, "message"));
    }

    [Fact]
    public async Task Duplex_PingPong_AnswersEachBeforeTheNext()
    {
        var answer = await RunAsync("converse", Ask(("body_bytes", 8)), ("send", 100), ("in_flight", 1));
        AssertEnded(StatusCode.OK, answer);
        AssertReceived(100, answer);
    }

    [Fact]
    public async Task Duplex_HalfClose_LastAnswerComesAfter()
    {
        var answer = await RunAsync("converse", Ask(), ("send", 10));
        AssertEnded(StatusCode.OK, answer);
        AssertReceived(10, answer);
        Assert.Equal(11, Number(answer, "total"));
    }

    [Fact]
    public async Task Duplex_ServerEndsEarly_StatusArrives()
    {
        var answer = await RunAsync("converse", Ask(("status", 10), ("message", "taken over")), ("send", 1));
        AssertEnded(StatusCode.Aborted, answer);
    }

    [Theory]
    [MemberData(nameof(EveryCode))]
    public async Task Status_OfHandler_ReachesPeer(int code)
    {
        var answer = await RunAsync("unary", Ask(("status", code), ("message", code == 0 ? "" : $"code {code}")));
        AssertEnded((StatusCode)code, answer);
        Assert.Equal(code == 0 ? "" : $"code {code}", Text(answer, "message"));
    }

    [Fact]
    public async Task Status_AfterMessages_ReachesPeer()
    {
        var answer = await RunAsync("pour", Ask(("count", 3), ("status", 15), ("message", "half of it is gone")));
        AssertEnded(StatusCode.DataLoss, answer);
        AssertReceived(3, answer);
        Assert.Equal("half of it is gone", Text(answer, "message"));
    }

    [Theory]
    [InlineData("zwölf Kühe für 5 €")]
    [InlineData("100% of %41 and %")]
    [InlineData("first line\nsecond\tline\r\n")]
    [InlineData("日本語のメッセージ")]
    public async Task Status_Message_SurvivesPercentEncoding(string message)
    {
        var answer = await RunAsync("unary", Ask(("status", 3), ("message", message)));
        AssertEnded(StatusCode.InvalidArgument, answer);
        Assert.Equal(message, Text(answer, "message"));
    }

    private Task<JsonObject> RunAsync(string operation, JsonObject ask, params (string Key, JsonNode Value)[] more) =>
        served.Peer.RunAsync(operation, served.Target, Order(ask, more));

    private static JsonObject Order(JsonObject ask, params (string Key, JsonNode Value)[] more)
    {
        var order = new JsonObject { ["ask"] = ask };
        foreach (var (key, value) in more)
        {
            order[key] = value;
        }

        return order;
    }

    private static JsonObject Ask(params (string Key, JsonNode Value)[] fields)
    {
        var ask = new JsonObject();
        foreach (var (key, value) in fields)
        {
            ask[key] = value;
        }

        return ask;
    }

    private static string Text(JsonObject answer, string field) => answer[field]!.GetValue<string>();

    private static long Number(JsonObject answer, string field) => answer[field]!.GetValue<long>();

    private static void AssertEnded(StatusCode code, JsonObject answer) =>
        Assert.True((int)code == Number(answer, "code"), $"expected {code}: {answer.ToJsonString()}");

    private static void AssertReceived(int count, JsonObject answer)
    {
        Assert.Equal(count, Number(answer, "received"));
        Assert.True(answer["ordered"]!.GetValue<bool>());
    }

    private static string[] Values(JsonObject answer, string part, string key) =>
        [.. answer[part]!.AsArray().Where(pair => pair![0]!.GetValue<string>() == key)
            .Select(pair => pair![1]!.GetValue<string>())];
}
