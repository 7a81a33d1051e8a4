// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Cli.Output;

/// <summary>
/// Shows how far a long command is: on a terminal one line with bar, rate and time left, from the second second on;
/// elsewhere a plain line every two seconds, if asked for.
/// </summary>
internal sealed class ProgressMeter : IAsyncDisposable
{
    private const int BarWidth = 24;
    private static readonly TimeSpan s_first = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(200);

    private readonly Terminal _terminal;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private long _done;
    private long _failed;
    private long _total = -1;

    public ProgressMeter(Terminal terminal, bool isForced, TimeProvider? time = null)
    {
        _terminal = terminal;
        _time = time ?? TimeProvider.System;
        _start = _time.GetTimestamp();
        _loop = terminal.IsErrorTerminal ? DrawAsync() : isForced ? WriteAsync() : Task.CompletedTask;
    }

    /// <summary>Known once all inputs are; until then no time left can be told.</summary>
    public void SetTotal(long total) => Volatile.Write(ref _total, total);

    public void Count(bool isFailed)
    {
        Interlocked.Increment(ref _done);
        if (isFailed)
        {
            Interlocked.Increment(ref _failed);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _terminal.EndStatus();
        _stop.Dispose();
    }

    /// <summary>The line, for example "[####    ] 512/1024 256.0/s 0:00:02 left, 1 failed".</summary>
    public static string Describe(long done, long failed, long total, TimeSpan elapsed)
    {
        var rate = done / Math.Max(elapsed.TotalSeconds, 0.001);
        var text = string.Create(CultureInfo.InvariantCulture, $"{done}{(total >= 0 ? $"/{total}" : "")} {rate:0.0}/s");
        if (total > 0)
        {
            var filled = (int)(BarWidth * Math.Min(done, total) / total);
            text = $"[{new string('#', filled)}{new string(' ', BarWidth - filled)}] {text}";
        }

        if (total > done && done > 0)
        {
            var left = TimeSpan.FromSeconds(Math.Min((total - done) / rate, TimeSpan.FromDays(99).TotalSeconds));
            text += string.Create(CultureInfo.InvariantCulture, $" {(int)left.TotalHours}:{left:mm\\:ss} left");
        }

        return failed == 0 ? text : string.Create(CultureInfo.InvariantCulture, $"{text}, {failed} failed");
    }

    private string Describe() => Describe(
        Volatile.Read(ref _done), Volatile.Read(ref _failed), Volatile.Read(ref _total), _time.GetElapsedTime(_start));

    private async Task DrawAsync()
    {
        if (!await PauseAsync(s_first))
        {
            return;
        }

        _terminal.StatusLine = Describe;
        do
        {
            _terminal.Redraw();
        }
        while (await PauseAsync(s_redraw));
    }

    private async Task WriteAsync()
    {
        while (await PauseAsync(s_first))
        {
            _terminal.Note(Describe());
        }
    }

    private async Task<bool> PauseAsync(TimeSpan pause)
    {
        await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !_stop.IsCancellationRequested;
    }
}
