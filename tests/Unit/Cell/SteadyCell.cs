// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Core;
using Muster.Server.PlmHosting;
using Muster.Server.RegisterHosting;
using Muster.Server.SchedulerHosting;
using Xunit;

namespace Muster.Unit.Cell;

/// <summary>The hosts of the three roles over one arena, with a client and a worker on calls without
/// connections.</summary>
internal sealed class SteadyCell : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-steady-").FullName;
    private readonly ArenaMap _arena;
    private readonly PlmHost _plm;
    private readonly SchedulerHost _scheduler;
    private readonly RegisterHost _register;
    private readonly Task[] _calls;

    public SteadyCell(Durability durability)
    {
        _arena = ArenaFile.CreatePrivate(new ArenaLimits
        {
            // Many more than are in flight: the Register gives blocks back when it gets to it.
            TasksMax = 65_536, WorkersMax = 16, ClientsMax = 16, PayloadBytesMax = 32 << 20, ResultBytesMax = 32 << 20,
        });
        _plm = new PlmHost(new PlmHostOptions
        {
            Arena = _arena, Addresses = "unix:/plm", StateFolder = durability == Durability.Memory ? null : _folder,
        });
        _scheduler = new SchedulerHost(new SchedulerHostOptions { Arena = _arena, Addresses = "unix:/s" });
        _register = new RegisterHost(new RegisterHostOptions { Arena = _arena, Addresses = "unix:/r" });
        Assert.Equal(Fault.None, _plm.Start());
        Assert.Equal(Fault.None, _scheduler.Start());
        Assert.Equal(Fault.None, _register.Start());
        Client = new SteadyClient(durability);
        var beats = new HeartbeatStream(_register, Worker.Beats, 4 << 20);
        var assignments = new DispatchStream(_scheduler, Worker.Assignments, 16 << 20);
        var session = new SessionStream(_plm, Client);
        _calls =
        [
            Serve(() => beats.ServeAsync(Worker.Beats, Worker.Beats)),
            Serve(() => assignments.ServeAsync(Worker.Assignments, Worker.Assignments)),
            Serve(() => session.ServeAsync(Client, Client)),
        ];
    }

    public SteadyClient Client { get; }

    public SteadyWorker Worker { get; } = new();

    /// <summary>Bytes that the process has allocated but for the requests' own objects.</summary>
    public long AllocatedBytes => GC.GetTotalAllocatedBytes(precise: true)
        - Client.OwnBytes - Worker.Beats.OwnBytes - Worker.Assignments.OwnBytes;

    public void Run(int tasks)
    {
        Assert.True(Client.Run(tasks), Client.Ended?.Message ?? Client.Refusal);
        Assert.Equal(0, Client.Bad);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Stop();
        Worker.Stop();
        await Task.WhenAll(_calls).WaitAsync(TimeSpan.FromSeconds(30));
        _register.Dispose();
        _scheduler.Dispose();
        _plm.Dispose();
        _arena.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static Task Serve(Func<Task> serve) => Task.Factory.StartNew(
        () => serve().GetAwaiter().GetResult(),
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);
}
