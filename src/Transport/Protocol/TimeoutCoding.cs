// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;

namespace Muster.Transport.Protocol;

/// <summary>
/// The coding of grpc-timeout: at most eight digits and a unit. Times are rounded up when written, so that the server
/// never gives up before the client, and clamped to <see cref="Longest"/> both ways.
/// </summary>
internal static class TimeoutCoding
{
    /// <summary>About 100 days in seconds: longer deadlines are treated as this one.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(9_999_999);

    private const long DigitsMax = 99_999_999;

    /// <summary>Text for the time; a time that is over becomes one nanosecond, as zero is not allowed.</summary>
    public static string Encode(TimeSpan timeout)
    {
        if (timeout > Longest)
        {
            timeout = Longest;
        }

        if (timeout <= TimeSpan.Zero)
        {
            return "1n";
        }

        var ticks = timeout.Ticks;
        var (value, unit) = ticks <= DigitsMax / 100 ? (ticks * 100, 'n')
            : Up(ticks, TimeSpan.TicksPerMicrosecond) <= DigitsMax ? (Up(ticks, TimeSpan.TicksPerMicrosecond), 'u')
            : Up(ticks, TimeSpan.TicksPerMillisecond) <= DigitsMax ? (Up(ticks, TimeSpan.TicksPerMillisecond), 'm')
            : (Up(ticks, TimeSpan.TicksPerSecond), 'S');
        return string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");
    }

    /// <summary>False when the text is not a timeout.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > 9)
        {
            return false;
        }

        long value = 0;
        foreach (var digit in text[..^1])
        {
            if (!char.IsAsciiDigit(digit))
            {
                return false;
            }

            value = (value * 10) + (digit - '0');
        }

        // 99,999,999 hours are 3.6e18 ticks: the products below fit a long.
        long? ticks = text[^1] switch
        {
            'H' => value * TimeSpan.TicksPerHour,
            'M' => value * TimeSpan.TicksPerMinute,
            'S' => value * TimeSpan.TicksPerSecond,
            'm' => value * TimeSpan.TicksPerMillisecond,
            'u' => value * TimeSpan.TicksPerMicrosecond,
            'n' => Up(value, 100),
            _ => null,
        };
        if (ticks is null)
        {
            return false;
        }

        timeout = TimeSpan.FromTicks(Math.Min(ticks.Value, Longest.Ticks));
        return true;
    }

    private static long Up(long value, long unit) => (value + unit - 1) / unit;
}
