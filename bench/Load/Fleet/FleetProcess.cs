// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Muster.Worker.Runtime;

namespace Muster.Load.Fleet;

/// <summary>The process that is a whole fleet of simulated workers; it lives until it is killed.</summary>
internal static class FleetProcess
{
    private const int StartsAtOnce = 50;

    public static async Task RunAsync(LoadOptions options)
    {
        // Workers of a fleet are on other hosts, where there is no shared memory with the cell.
        Environment.SetEnvironmentVariable("MUSTER_LINKS", "off");
        var identity = WorkerIdentity.Create("fleet", slots: 1);
        var running = new List<Task>();
        var starting = new List<Task>();
        for (var n = 0; n < options.Workers; n++)
        {
            var worker = new SimulatedWorker(options.Address, identity with
            {
                Name = string.Create(CultureInfo.InvariantCulture, $"fleet-{n}"),
                Nonce = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1,
            });
            running.Add(worker.RunAsync(CancellationToken.None));
            starting.Add(worker.Connected);
            if (starting.Count == StartsAtOnce)
            {
                // No more than fit into the backlog of a listener; it also spreads the beats over the interval.
                await await Task.WhenAny([Task.WhenAll(starting), .. running]);
                starting.Clear();
            }
        }

        await await Task.WhenAny(running);
    }
}
