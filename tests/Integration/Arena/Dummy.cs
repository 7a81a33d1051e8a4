// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Muster.Arena.Native;
using Xunit;

namespace Muster.Integration.Arena;

/// <summary>A crash dummy at work, killed when disposed.</summary>
internal sealed class Dummy : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private Dummy(Process process)
    {
        _process = process;
        Watch = ProcStat.TryRead(Pid, out var stat) ? PidWatch.TryOpen(Pid, stat.Start) : null;
    }

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "Muster.CrashDummy");

    public uint Pid => (uint)_process.Id;

    /// <summary>Null when it had ended before one could look.</summary>
    public PidWatch? Watch { get; }

    public static Dummy Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };

        // Less to do before the first instruction that counts.
        start.Environment["DOTNET_TieredCompilation"] = "1";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return new Dummy(Process.Start(start) ?? throw new InvalidOperationException("the dummy did not start"));
    }

    /// <summary>A dummy that has said that it is where it should be.</summary>
    public static Dummy StartReady(params string[] arguments)
    {
        var dummy = Start(arguments);
        Assert.Equal("ready", dummy.ReadLine());
        return dummy;
    }

    /// <summary>The next line of its output; null at its end.</summary>
    public string? ReadLine()
    {
        using var deadline = new CancellationTokenSource(s_patience);
        return _process.StandardOutput.ReadLineAsync(deadline.Token).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>Lets it run for a while; false when it ended by itself.</summary>
    public bool RunsFor(int milliseconds) =>
        Watch is not null && PidWatcher.PollExited([Watch], new int[1], milliseconds) == 0;

    public void Kill()
    {
        Assert.True(Watch is not null && Watch.Kill());
        _process.WaitForExit();
    }

    /// <summary>Ends it in good order.</summary>
    public void Release()
    {
        _process.StandardInput.Close();
        Assert.True(_process.WaitForExit(s_patience));
    }

    /// <summary>Stops it as Ctrl-Z does, and returns once the kernel has.</summary>
    public void Stop()
    {
        Assert.True(Signal.Send(Pid, Signal.SIGSTOP));
        var stopped = SpinWait.SpinUntil(
            () => ProcStat.TryRead(Pid, out var stat) && stat.IsStopped, s_patience);
        Assert.True(stopped);
    }

    public void Continue() => Assert.True(Signal.Send(Pid, Signal.SIGCONT));

    public bool WaitForExit() => _process.WaitForExit(s_patience);

    public void Dispose()
    {
        Watch?.Kill();
        _process.WaitForExit();
        Watch?.Dispose();
        _process.Dispose();
    }
}
