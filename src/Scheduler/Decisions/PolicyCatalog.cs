// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Scheduler.Decisions.Orders;

namespace Muster.Scheduler.Decisions;

/// <summary>Every policy by the name that a person gives.</summary>
internal static class PolicyCatalog
{
    public const string Default = "adaptive";

    private static readonly Dictionary<string, Func<TaskOrder>> s_orders = new(StringComparer.Ordinal)
    {
        ["adaptive"] = () => new AdaptiveOrder(),
        ["fifo"] = () => new FifoOrder(),
        ["fair"] = () => new FairOrder(),
        ["blevel"] = () => new BLevelOrder(),
        ["shortest"] = () => new ShortestOrder(),
        ["edf"] = () => new DeadlineOrder(),
        ["backfill"] = () => new BackfillOrder(),
        ["easy"] = () => new EasyOrder(),
    };

    /// <summary>All names, the default first and the baselines last.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_orders.Keys, "random", "roundrobin"];

    /// <summary>A fresh policy; null when there is none of this name.</summary>
    public static ISchedulingPolicy? Create(
        string name, Placement placement, bool copies, ClassModels? models = null, ulong seed = 1) => name switch
        {
            "random" => new DealtPolicy(isRandom: true, seed),
            "roundrobin" => new DealtPolicy(isRandom: false),
            _ => s_orders.TryGetValue(name, out var order)
                ? new CentralPolicy(order(), placement, copies, models)
                : null,
        };

    /// <summary>Placements by name.</summary>
    public static bool TryPlacement(string name, out Placement placement) =>
        Enum.TryParse(name, ignoreCase: true, out placement) && !name.Any(char.IsDigit);
}
