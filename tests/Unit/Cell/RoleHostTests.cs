// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Core;
using Muster.Server.Roles;
using Xunit;

namespace Muster.Unit.Cell;

/// <summary>Turns that are asked for while a role is not there yet.</summary>
public sealed class RoleHostTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Turn_DuringTheTakeOver_IsRefusedAtOnce()
    {
        using var arena = ArenaFile.CreatePrivate(new ArenaLimits { TasksMax = 1_024, WorkersMax = 16 }, 1);
        arena.Set(CellCounter.Populated, 1);
        using var host = new SlowHost(new RoleHostOptions { Arena = arena, Addresses = "unix:/tmp/none" });
        var started = Task.Factory.StartNew(host.Start, TaskCreationOptions.LongRunning);
        await host.Begun.Task.WaitAsync(s_patience);

        // A thread that receives for many connections may ask: it must not wait for the end of the take-over.
        var asked = Task.Run(() => (host.TryRun(new NoTurn(), out var refusal), refusal));
        try
        {
            var (isRun, refusal) = await asked.WaitAsync(s_patience);
            Assert.False(isRun);
            Assert.Equal(FaultCode.Unavailable, refusal.Code);
        }
        finally
        {
            host.MayEnd.Set();
        }

        Assert.Equal(Fault.None, await started.WaitAsync(s_patience));
        Assert.True(host.TryRun(new NoTurn(), out _));
    }

    private sealed class NoTurn : IRoleTurn
    {
        public void Run(long nowMs, long nowUnixUs)
        {
        }
    }

    private sealed class SlowHost(RoleHostOptions options) : RoleHost(Role.Register, options)
    {
        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualResetEventSlim MayEnd { get; } = new();

        protected override void TakeOver(long nowMs, long nowUnixUs)
        {
            Begun.SetResult();
            Assert.True(MayEnd.Wait(s_patience * 2));
        }

        protected override int RunRole(long nowMs, long nowUnixUs) => 1_000;
    }
}
