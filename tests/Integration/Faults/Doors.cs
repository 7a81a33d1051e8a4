// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Muster.Shared.Faults;

namespace Muster.Integration.Faults;

/// <summary>Proxies in front of the sockets of a cell's three roles. The roles must not restart meanwhile.</summary>
internal sealed class Doors : System.IAsyncDisposable
{
    private Doors(string folder)
    {
        Plm = FaultProxy.InFrontOf(Path.Combine(folder, "plm.sock"), 1);
        Scheduler = FaultProxy.InFrontOf(Path.Combine(folder, "scheduler.sock"), 2);
        Register = FaultProxy.InFrontOf(Path.Combine(folder, "register.sock"), 3);
    }

    public FaultProxy Plm { get; }

    public FaultProxy Scheduler { get; }

    public FaultProxy Register { get; }

    public IReadOnlyList<FaultProxy> All => [Plm, Scheduler, Register];

    public int Connections => All.Sum(door => door.Connections);

    public LinkFaults Faults
    {
        set
        {
            foreach (var door in All)
            {
                door.Faults = value;
            }
        }
    }

    /// <summary>Comes before workers and clients: connections that exist already do not pass through it.</summary>
    public static Doors Open(string folder, string cell) => new(Path.Combine(folder, "muster", cell));

    public void ResetAll()
    {
        foreach (var door in All)
        {
            door.ResetAll();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var door in All)
        {
            await door.DisposeAsync();
        }
    }
}
