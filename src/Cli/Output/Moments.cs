// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;

namespace Muster.Cli.Output;

/// <summary>Times as people read them.</summary>
internal static class Moments
{
    /// <summary>How long ago, for example "3.2 s" or "2 h 5 min"; empty for 0.</summary>
    public static string Age(long unixUs, DateTimeOffset now) =>
        unixUs == 0 ? "" : Span(now - DateTimeOffset.UnixEpoch.AddMicroseconds(unixUs));

    public static string Span(TimeSpan span) => span switch
    {
        _ when span < TimeSpan.Zero => "0 s",
        _ when span < TimeSpan.FromMinutes(1) =>
            string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.0} s"),
        _ when span < TimeSpan.FromHours(1) => $"{span.Minutes} min {span.Seconds} s",
        _ when span < TimeSpan.FromDays(1) => $"{span.Hours} h {span.Minutes} min",
        _ => $"{(int)span.TotalDays} d {span.Hours} h",
    };

    /// <summary>Each hop of a task's life that has happened, with the time since it was submitted.</summary>
    public static IEnumerable<(string Name, string Moment)> Of(V1.Timings? timings)
    {
        if (timings is null)
        {
            yield break;
        }

        var submitted = DateTimeOffset.UnixEpoch.AddMicroseconds(timings.SubmittedUnixUs).ToLocalTime();
        yield return ("submitted", submitted.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture));
        (string Name, ulong Us)[] hops =
        [
            ("durable", timings.DurableUs), ("ready", timings.ReadyUs), ("assigned", timings.AssignedUs),
            ("received", timings.ReceivedUs), ("started", timings.StartedUs), ("finished", timings.FinishedUs),
            ("reported", timings.ReportedUs), ("delivered", timings.DeliveredUs),
        ];
        foreach (var (name, us) in hops)
        {
            if (us > 0)
            {
                yield return (name, string.Create(CultureInfo.InvariantCulture, $"+{us / 1000.0:0.000} ms"));
            }
        }
    }
}
