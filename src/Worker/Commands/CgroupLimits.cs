// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;

namespace Muster.Worker.Commands;

/// <summary>What a control group may use, as the files and values of both versions.</summary>
/// <param name="MemoryBytes">Null: no limit.</param>
/// <param name="Cpus">Null: no limit.</param>
/// <param name="Processes">Null: no limit.</param>
internal readonly record struct CgroupLimits(long? MemoryBytes, double? Cpus, int? Processes)
{
    private const int PeriodUs = 100_000;

    /// <summary>The controllers that are needed.</summary>
    public IEnumerable<string> Controllers
    {
        get
        {
            if (MemoryBytes is not null)
            {
                yield return "memory";
            }

            if (Cpus is not null)
            {
                yield return "cpu";
            }

            if (Processes is not null)
            {
                yield return "pids";
            }
        }
    }

    /// <summary>What to write, in this order, for one controller.</summary>
    /// <param name="controller">One of <see cref="Controllers"/>.</param>
    /// <param name="isUnified">Version 2.</param>
    public (string File, string Value)[] Values(string controller, bool isUnified) => (controller, isUnified) switch
    {
        ("memory", true) => [("memory.max", Text(MemoryBytes)), ("memory.swap.max", "0"), ("memory.oom.group", "1")],
        ("memory", false) => [("memory.limit_in_bytes", Text(MemoryBytes))],
        ("cpu", true) => [("cpu.max", $"{Quota} {PeriodUs}")],
        ("cpu", false) => [("cpu.cfs_period_us", Text(PeriodUs)), ("cpu.cfs_quota_us", Quota)],
        _ => [("pids.max", Text(Processes))],
    };

    private string Quota => Text((long)(Cpus.GetValueOrDefault() * PeriodUs));

    private static string Text(long? value) => value.GetValueOrDefault().ToString(CultureInfo.InvariantCulture);
}
