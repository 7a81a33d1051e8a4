// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Muster.Transport.Wire;

namespace Muster.Wire;

/// <summary>Runs the ways in turns, so that all of them see the same minutes, and prints the medians.</summary>
internal static class Comparison
{
    private const string InlineSockets = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
    private const int Trips = 5_000;
    private const int SmallMessages = 200_000;
    private const int SmallBytes = 100;
    private const int LargeMessages = 10_000;
    private const int LargeBytes = 16 * 1_024;

    private static readonly (string Way, string Inline)[] s_ways =
    [
        ("kestrel", "0"), ("kestrel-tuned", "0"), ("kestrel-tuned", "1"), ("connections", "0"), ("connections", "1"),
        ("sockets", "0"),
    ];

    private sealed record Cost(
        double TripUs, double TripCpuUs, double SmallPerSecond, double SmallCpuUs, double LargePerSecond,
        double LargeCpuUs);

    public static async Task RunAsync(int rounds)
    {
        var costs = s_ways.ToDictionary(each => each, _ => new List<Cost>());
        for (var round = 0; round < rounds; round++)
        {
            foreach (var way in s_ways)
            {
                costs[way].Add(await MeasureAsync(way.Way, way.Inline));
            }
        }

        var rows = s_ways.Select(way => new
        {
            way = way.Way,
            inline_sockets = way.Inline == "1",
            trip_us_p50 = Median(costs[way], cost => cost.TripUs),
            server_cpu_us_per_trip = Median(costs[way], cost => cost.TripCpuUs),
            small_per_s = Median(costs[way], cost => cost.SmallPerSecond),
            server_cpu_us_per_small = Median(costs[way], cost => cost.SmallCpuUs),
            large_per_s = Median(costs[way], cost => cost.LargePerSecond),
            server_cpu_us_per_large = Median(costs[way], cost => cost.LargeCpuUs),
        }).ToList();
        Console.WriteLine("way            inline   trip us   cpu us | 100 B/s     cpu us | 16 KiB/s   cpu us");
        foreach (var row in rows)
        {
            Console.WriteLine(
                $"{row.way,-14} {row.inline_sockets,-6} {row.trip_us_p50,9:F0} {row.server_cpu_us_per_trip,8:F0} | "
                + $"{row.small_per_s,9:N0} {row.server_cpu_us_per_small,8:F2} | "
                + $"{row.large_per_s,8:N0} {row.server_cpu_us_per_large,8:F1}");
        }

        Console.WriteLine(JsonSerializer.Serialize(new { workload = "wire", rounds, ways = rows }));
    }

    private static double Median(List<Cost> costs, Func<Cost, double> part)
    {
        var sorted = costs.Select(part).Order().ToList();
        return Math.Round(sorted[sorted.Count / 2], 2);
    }

    private static async Task<Cost> MeasureAsync(string way, string inline)
    {
        var folder = Directory.CreateTempSubdirectory("muster-wire-");
        var path = Path.Combine(folder.FullName, "a.sock");
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["serve", way, path]);
        start.Environment[InlineSockets] = inline;
        using var server = Process.Start(start)!;
        try
        {
            await using var channel = GrpcChannel.ForAddress(
                "unix:" + path, new GrpcChannelOptions { InlineCompletions = true });
            using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(
                EchoServer.Echo, null, new CallOptions().WithWaitForReady());
            await TripAsync(call, Trips / 5);
            var before = server.TotalProcessorTime;
            var tripUs = await TripAsync(call, Trips);
            server.Refresh();
            var afterTrips = server.TotalProcessorTime;
            var small = await PushAsync(call, SmallMessages, SmallBytes);
            server.Refresh();
            var afterSmall = server.TotalProcessorTime;
            var large = await PushAsync(call, LargeMessages, LargeBytes);
            server.Refresh();
            var afterLarge = server.TotalProcessorTime;
            return new(
                tripUs, (afterTrips - before).TotalMicroseconds / Trips, small,
                (afterSmall - afterTrips).TotalMicroseconds / SmallMessages, large,
                (afterLarge - afterSmall).TotalMicroseconds / LargeMessages);
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
            folder.Delete(recursive: true);
        }
    }

    // One message in flight; the median of the round trips.
    private static async Task<double> TripAsync(AsyncDuplexStreamingCall<RawMessage, RawMessage> call, int trips)
    {
        var times = new double[trips];
        var bytes = new byte[SmallBytes];
        for (var trip = 0; trip < trips; trip++)
        {
            var start = Stopwatch.GetTimestamp();
            await call.RequestStream.WriteAsync(RawMessage.Copy(bytes));
            if (!await call.ResponseStream.MoveNext(CancellationToken.None))
            {
                throw new InvalidOperationException("the server ended the stream");
            }

            call.ResponseStream.Current.Dispose();
            times[trip] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        Array.Sort(times);
        return times[trips / 2];
    }

    // As many in flight as the windows allow; messages per second.
    private static async Task<double> PushAsync(
        AsyncDuplexStreamingCall<RawMessage, RawMessage> call, int count, int length)
    {
        var start = Stopwatch.GetTimestamp();
        var writing = Task.Run(async () =>
        {
            var bytes = new byte[length];
            for (var n = 0; n < count; n++)
            {
                await call.RequestStream.WriteAsync(RawMessage.Copy(bytes));
            }
        });
        for (var n = 0; n < count; n++)
        {
            await call.ResponseStream.MoveNext(CancellationToken.None);
            call.ResponseStream.Current.Dispose();
        }

        await writing;
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
