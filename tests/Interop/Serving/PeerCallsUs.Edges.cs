// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text.Json.Nodes;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Xunit;

namespace Muster.Interop.Serving;

/// <content>Metadata, deadlines, sizes, ends of connections, and what is refused.</content>
public abstract partial class PeerCallsUs
{
    private const int Serving = 1;
    private const int NotServing = 2;
    private const string ServiceName = "muster.interop.v1.InteropService";

    [Fact]
    public async Task Metadata_Ascii_GoesBothWays()
    {
        var metadata = new JsonArray(new JsonArray("x-echo-a", "one"), new JsonArray("x-echo-b", "two, three ~ !"));
        var answer = await RunAsync("unary", Ask(), ("metadata", metadata));
        AssertEnded(StatusCode.OK, answer);
        Assert.Equal(["one"], Values(answer, "headers", "x-echo-a"));
        Assert.Equal(["two, three ~ !"], Values(answer, "headers", "x-echo-b"));
        Assert.Equal(["one"], Values(answer, "trailers", "x-trail-a"));
    }

    [Fact]
    public async Task Metadata_Binary_GoesBothWays()
    {
        var metadata = new JsonArray(
            new JsonArray("x-echo-a-bin", "00ff10807f0a"), new JsonArray("x-echo-b-bin", "01"));
        var answer = await RunAsync("pour", Ask(("count", 1)), ("metadata", metadata));
        AssertEnded(StatusCode.OK, answer);
        Assert.Equal(["00ff10807f0a"], Values(answer, "headers", "x-echo-a-bin"));
        Assert.Equal(["01"], Values(answer, "headers", "x-echo-b-bin"));
        Assert.Equal(["00ff10807f0a"], Values(answer, "trailers", "x-trail-a-bin"));
    }

    [Fact]
    public async Task Metadata_WithFailure_TrailersArrive()
    {
        var metadata = new JsonArray(new JsonArray("x-echo-a", "one"));
        var answer = await RunAsync("unary", Ask(("status", 5), ("message", "no")), ("metadata", metadata));
        AssertEnded(StatusCode.NotFound, answer);
        Assert.Equal(["one"], Values(answer, "trailers", "x-trail-a"));
    }

    [Fact]
    public async Task Metadata_Large_IsRefused()
    {
        var half = new string('a', 4500);
        var metadata = new JsonArray(new JsonArray("x-big-a", half), new JsonArray("x-big-b", half));
        var answer = await RunAsync("unary", Ask(), ("metadata", metadata));
        AssertEnded(StatusCode.ResourceExhausted, answer);
    }

    [Fact]
    public async Task Metadata_WithinLimit_IsTaken()
    {
        var metadata = new JsonArray(new JsonArray("x-big", new string('a', 7000)));
        AssertEnded(StatusCode.OK, await RunAsync("unary", Ask(), ("metadata", metadata)));
    }

    [Fact]
    public async Task Deadline_Passed_EndsCallAndHandler()
    {
        var key = NewKey();
        var answer = await RunAsync("unary", Ask(("delay_ms", 20_000), ("key", key)), ("timeout_ms", 250));
        AssertEnded(StatusCode.DeadlineExceeded, answer);
        var observed = await served.Service.ObservedAsync(key);
        Assert.True(observed.Cancelled);
        Assert.InRange(observed.TimeoutMs, 1u, 1_250u);
    }

    [Fact]
    public async Task Deadline_PassedInStream_EndsCallAndHandler()
    {
        var key = NewKey();
        var answer = await RunAsync(
            "pour", Ask(("count", 10_000), ("delay_ms", 20), ("key", key)), ("timeout_ms", 250));
        AssertEnded(StatusCode.DeadlineExceeded, answer);
        Assert.True((await served.Service.ObservedAsync(key)).Cancelled);
    }

    [Fact]
    public async Task Deadline_FarAway_IsSeenByHandler()
    {
        var key = NewKey();
        AssertEnded(StatusCode.OK, await RunAsync("unary", Ask(("key", key)), ("timeout_ms", 30_000)));
        var observed = await served.Service.ObservedAsync(key);
        Assert.False(observed.Cancelled);
        Assert.InRange(observed.TimeoutMs, 20_000u, 31_000u);
    }

    [Fact]
    public async Task Cancel_MidStream_EndsHandler()
    {
        var key = NewKey();
        var answer = await RunAsync(
            "pour", Ask(("count", 10_000), ("delay_ms", 10), ("key", key)), ("cancel_after", 3));
        AssertEnded(StatusCode.Cancelled, answer);
        Assert.True((await served.Service.ObservedAsync(key)).Cancelled);
    }

    [Fact]
    public async Task Cancel_OfDuplex_EndsHandler()
    {
        var key = NewKey();
        var answer = await RunAsync(
            "converse", Ask(("key", key), ("delay_ms", 10)), ("send", 100), ("cancel_after", 3), ("stay_open", 2000));
        AssertEnded(StatusCode.Cancelled, answer);
        Assert.True((await served.Service.ObservedAsync(key)).Cancelled);
    }

    [Theory]
    [InlineData(MessageBytesMax - 1)]
    [InlineData(MessageBytesMax)]
    public async Task Message_AtTheLimit_GoesBothWays(int messageBytes)
    {
        var answer = await RunAsync("unary", Ask(("body_bytes", messageBytes - BodyOverhead)));
        AssertEnded(StatusCode.OK, answer);
        Assert.Equal(messageBytes - BodyOverhead, Number(answer, "bodyBytes"));
    }

    [Fact]
    public async Task Request_OverTheLimit_IsRefused() => AssertEnded(
        StatusCode.ResourceExhausted, await RunAsync("unary", Ask(("body_bytes", MessageBytesMax + 1 - BodyOverhead))));

    [Fact]
    public async Task StreamedRequest_OverTheLimit_IsRefused() => AssertEnded(
        StatusCode.ResourceExhausted,
        await RunAsync("collect", Ask(("body_bytes", MessageBytesMax + 1 - BodyOverhead)), ("send", 1)));

    [Fact]
    public async Task Response_OverTheLimit_IsRefused() => AssertEnded(
        StatusCode.ResourceExhausted,
        await RunAsync("unary", Ask(("answer_bytes", MessageBytesMax + 1 - BodyOverhead))));

    [Fact]
    public async Task ServerStream_HundredThousandMessages_AllArrive()
    {
        var answer = await RunAsync("pour", Ask(("count", 100_000), ("answer_bytes", 16)));
        AssertEnded(StatusCode.OK, answer);
        AssertReceived(100_000, answer);
    }

    [Fact]
    public async Task ClientStream_HundredThousandMessages_AllArrive()
    {
        var answer = await RunAsync("collect", Ask(("body_bytes", 16)), ("send", 100_000));
        AssertEnded(StatusCode.OK, answer);
        Assert.Equal(100_000, Number(answer, "count"));
        Assert.Equal(1_600_000, Number(answer, "bytes"));
    }

    [Fact]
    public async Task Server_CutMidStream_IsUnavailable()
    {
        await using var server = await served.StartAnotherAsync();
        var target = ServedPeer.HostPort(server.Addresses[0]);
        var order = Order(Ask(("count", 10_000), ("delay_ms", 10)), ("tell_first", true));
        var (begun, answer) = served.Peer.Begin("pour", target, order);
        await begun;
        await server.StopAsync(TimeSpan.Zero);
        var ended = await answer;

        // Which code a cut connection gets is the client's own choice between these two.
        Assert.Contains(Number(ended, "code"), new long[] { (int)StatusCode.Unavailable, (int)StatusCode.Internal });
    }

    [Fact]
    public async Task Server_StoppedMidStream_SaysSo()
    {
        await using var server = await served.StartAnotherAsync();
        var target = ServedPeer.HostPort(server.Addresses[0]);
        var order = Order(Ask(("count", 10_000), ("delay_ms", 10)), ("tell_first", true));
        var (begun, answer) = served.Peer.Begin("pour", target, order);
        await begun;
        await server.StopAsync(TimeSpan.FromSeconds(5));
        var ended = await answer;
        AssertEnded(StatusCode.Unavailable, ended);
        Assert.Equal("SHUTTING_DOWN", DetailsOf(ended).Error!.Reason);
    }

    [Fact]
    public async Task Fault_OfHandler_CarriesDetails()
    {
        var answer = await RunAsync("unary", Ask(("key", "fault")));
        AssertEnded(StatusCode.ResourceExhausted, answer);
        var details = DetailsOf(answer);
        Assert.Equal("ARENA_FULL", details.Error!.Reason);
        Assert.Equal("muster", details.Error.Domain);
        Assert.Equal(TimeSpan.FromMilliseconds(1500), details.RetryAfter);
    }

    [Fact]
    public async Task Handler_ThatThrows_LeaksNothing()
    {
        var answer = await RunAsync("unary", Ask(("key", "crash")));
        AssertEnded(StatusCode.Unknown, answer);
        Assert.DoesNotContain("secret", answer.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Handler_WithBrokenInvariant_TellsTheHost()
    {
        var before = served.Violations.Count;
        AssertEnded(StatusCode.Internal, await RunAsync("unary", Ask(("key", "invariant"))));
        Assert.Equal(before + 1, served.Violations.Count);
    }

    [Fact]
    public async Task CompressedRequest_IsRefused() =>
        AssertEnded(StatusCode.Unimplemented, await RunAsync("unary", Ask(("body_bytes", 5000)), ("compress", true)));

    [Theory]
    [InlineData("/muster.interop.v1.InteropService/Missing")]
    [InlineData("/muster.interop.v1.Missing/Echo")]
    public async Task UnknownMethod_IsUnimplemented(string path) =>
        AssertEnded(StatusCode.Unimplemented, await RunAsync("unary", Ask(), ("path", path)));

    [Theory]
    [InlineData(100)]
    [InlineData(300)]
    public async Task ConcurrentCalls_OnOneConnection_AllEndWell(int calls)
    {
        var answer = await RunAsync("concurrent", Ask(("delay_ms", 100), ("body_bytes", 100)), ("send", calls));
        Assert.Equal(calls, Number(answer, "received"));
    }

    [Theory]
    [InlineData("unary")]
    [InlineData("converse")]
    public async Task UnixSocket_Call_EndsWell(string operation) => AssertEnded(
        StatusCode.OK,
        await served.Peer.RunAsync(operation, served.UnixTarget, Order(Ask(("body_bytes", 100)), ("send", 10))));

    [Theory]
    [InlineData("unary")]
    [InlineData("converse")]
    public async Task Tls_Call_EndsWell(string operation) => AssertEnded(
        StatusCode.OK,
        await served.Peer.RunAsync(
            operation, served.SecureTarget,
            Order(Ask(("body_bytes", 100_000)), ("send", 10), ("ca", served.CertificateFile))));

    [Theory]
    [InlineData("")]
    [InlineData(ServiceName)]
    public async Task Health_Check_Serves(string service)
    {
        var answer = await RunAsync("health", Ask(), ("service", service));
        AssertEnded(StatusCode.OK, answer);
        Assert.Equal(Serving, answer["statuses"]![0]!.GetValue<int>());
    }

    [Fact]
    public async Task Health_CheckOfUnknown_IsNotFound() =>
        AssertEnded(StatusCode.NotFound, await RunAsync("health", Ask(), ("service", "no.such.Service")));

    [Fact]
    public async Task Health_Watch_TellsChanges()
    {
        var service = "watched." + NewKey();
        served.Health.Set(service, serving: true);
        var (begun, answer) = served.Peer.Begin(
            "health", served.Target, Order(Ask(), ("service", service), ("watch", 2)));
        await begun;
        served.Health.Set(service, serving: false);
        var ended = await answer;
        Assert.Equal([Serving, NotServing], ended["statuses"]!.AsArray().Select(node => node!.GetValue<int>()));
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha")]
    public async Task Reflection_List_NamesEveryService(string version)
    {
        var answer = await ReflectAsync(version, "list_services", "");
        var names = answer["names"]!.AsArray().Select(node => node!.GetValue<string>()).ToArray();
        Assert.Contains(ServiceName, names);
        Assert.Contains("grpc.health.v1.Health", names);
        Assert.Contains("grpc.reflection.v1.ServerReflection", names);
    }

    [Theory]
    [InlineData("v1", "file_containing_symbol", ServiceName)]
    [InlineData("v1", "file_containing_symbol", "muster.interop.v1.Ask")]
    [InlineData("v1alpha", "file_containing_symbol", ServiceName + ".Echo")]
    [InlineData("v1alpha", "file_by_filename", "interop.proto")]
    public async Task Reflection_File_IsFound(string version, string field, string value)
    {
        var answer = await ReflectAsync(version, field, value);
        Assert.Equal("interop.proto", answer["files"]![0]!.GetValue<string>());
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1alpha")]
    public async Task Reflection_UnknownSymbol_IsNotFound(string version) => Assert.Equal(
        (int)StatusCode.NotFound, Number(await ReflectAsync(version, "file_containing_symbol", "no.Such"), "error"));

    private async Task<JsonObject> ReflectAsync(string version, string field, string value)
    {
        var request = new JsonObject { [field] = value };
        var answer = await RunAsync("reflect", Ask(), ("version", version), ("request", request));
        AssertEnded(StatusCode.OK, answer);
        return answer;
    }

    private static RichStatus DetailsOf(JsonObject answer)
    {
        var bytes = Convert.FromHexString(Values(answer, "trailers", RichStatus.TrailerName).Single());
        var trailers = new Metadata { { RichStatus.TrailerName, bytes } };
        Assert.True(RichStatus.TryRead(trailers, out var details));
        return details!;
    }

    private static string NewKey() => Guid.NewGuid().ToString("N");
}
