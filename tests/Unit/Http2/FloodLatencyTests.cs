// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Muster.Transport.Wire;
using Muster.Unit.Endpoint;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Unit.Http2;

/// <summary>
/// What an honest client feels of a peer that floods, is cut, and comes again at once, for as long as it is measured.
/// `make floods` takes long at each kind and holds the ratio to three; here every call must be answered soon.
/// </summary>
public sealed class FloodLatencyTests(ConformanceServer server, ITestOutputHelper output)
    : IClassFixture<ConformanceServer>
{
    private const double SlowMsMax = 2_000;
    private const double RatioMax = 3;

    // Below it a ratio says nothing: it is what a thread waits for a processor.
    private const double FloorMs = 1;

    private static readonly string? s_report = Environment.GetEnvironmentVariable("MUSTER_FLOODS_REPORT");
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(s_report is null ? 0.3 : 3);

    public static TheoryData<string> Names => new(FloodKinds.All.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task HonestCalls_BesideAFlood_AreAnsweredAsSoon(string name)
    {
        await using var channel = GrpcChannel.ForAddress(server.Address);
        await MeasureAsync(channel, TimeSpan.FromSeconds(0.1));
        var alone = Quantile(await MeasureAsync(channel, s_time));
        using var over = new CancellationTokenSource();
        var cuts = Task.Run(() => AttackAsync(FloodKinds.All[name], over.Token));
        var times = await MeasureAsync(channel, s_time);
        await over.CancelAsync();
        var meanwhile = Quantile(times);
        var cut = await cuts;
        var ratio = meanwhile / Math.Max(alone, FloorMs);
        var line = string.Create(
            CultureInfo.InvariantCulture, $"{name}\t{alone:F3}\t{meanwhile:F3}\t{ratio:F2}\t{cut}");
        output.WriteLine(line);
        Assert.True(times.Max() < SlowMsMax, $"a call took {times.Max():F0} ms");
        if (s_report is not null)
        {
            await File.AppendAllTextAsync(s_report, line + "\n");
            Assert.True(ratio <= RatioMax, $"the p99 of honest calls grew from {alone:F2} to {meanwhile:F2} ms");
        }
    }

    /// <returns>How often it was cut.</returns>
    private async Task<int> AttackAsync(FloodKinds.Flood flood, CancellationToken over)
    {
        var cuts = 0;
        while (!over.IsCancellationRequested)
        {
            try
            {
                using var attacker = await FrameClient.ConnectAsync(server.Port);
                var reading = flood.IsDeaf ? Task.CompletedTask : attacker.ReadGoAwayAsync();
                await FloodKinds.SendAsync(attacker, flood, over);
                await Task.WhenAny(reading, Task.Delay(Timeout.Infinite, over));
                cuts++;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                // The server was faster than the greeting.
                cuts++;
            }
        }

        return cuts;
    }

    private static async Task<List<double>> MeasureAsync(GrpcChannel channel, TimeSpan time)
    {
        var times = new List<double>();
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < time)
        {
            var start = Stopwatch.GetTimestamp();
            using var call = channel.CreateCallInvoker().AsyncUnaryCall(
                RawService.Unary, null, new CallOptions(deadline: DateTime.UtcNow + FrameClient.Patience),
                RawMessage.Copy([1, 2, 3]));
            using var answer = await call.ResponseAsync;
            Assert.Equal(3, answer.Length);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        return times;
    }

    private static double Quantile(List<double> times)
    {
        var sorted = times.Order().ToList();
        return sorted[Math.Min(sorted.Count - 1, sorted.Count * 99 / 100)];
    }
}
