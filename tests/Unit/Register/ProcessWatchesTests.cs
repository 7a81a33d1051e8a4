// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Threading.Tasks;
using Muster.Arena.Native;
using Muster.Server.RegisterHosting;
using Xunit;

namespace Muster.Unit.Register;

/// <summary>Real processes, and what is told of their ends.</summary>
public sealed class ProcessWatchesTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource<(uint Row, uint Epoch)> _exited =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly TaskCompletionSource<(uint Row, uint Epoch)> _unknown =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly ProcessWatches _watches;

    public ProcessWatchesTests()
    {
        _watches = new(
            rows: 8,
            (row, epoch) => _exited.TrySetResult((row, epoch)),
            (row, epoch) => _unknown.TrySetResult((row, epoch)));
        _watches.Start();
    }

    public void Dispose() => _watches.Dispose();

    [Fact]
    public async Task Process_Killed_IsToldWithRowAndEpoch()
    {
        using var process = Process.Start("sleep", ["600"]);
        _watches.Watch(3, 9, (uint)process.Id, StartOf(process));

        // Requests are taken in their order: once this one is answered, the first is watched.
        _watches.Watch(4, 1, uint.MaxValue, 1);
        Assert.Equal((4u, 1u), await _unknown.Task.WaitAsync(s_patience));
        Assert.False(_exited.Task.IsCompleted);
        process.Kill();
        Assert.Equal((3u, 9u), await _exited.Task.WaitAsync(s_patience));
    }

    [Fact]
    public async Task Process_OfAnotherStartTime_IsUnknown()
    {
        using var process = Process.Start("sleep", ["600"]);
        _watches.Watch(5, 2, (uint)process.Id, StartOf(process) + 1);
        Assert.Equal((5u, 2u), await _unknown.Task.WaitAsync(s_patience));
        process.Kill();
        Assert.False(_exited.Task.IsCompleted);
    }

    private static ulong StartOf(Process process)
    {
        Assert.True(ProcStat.TryRead((uint)process.Id, out var stat));
        return stat.Start;
    }
}
