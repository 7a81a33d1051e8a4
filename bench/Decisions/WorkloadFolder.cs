// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Muster.Simulator;
using Muster.Simulator.Formats;

namespace Muster.Decisions;

/// <summary>
/// Every workload below a folder, and what an expected.json there says of the recorded workflows. Files of unknown
/// endings are passed over; a broken one is an error.
/// </summary>
internal sealed class WorkloadFolder
{
    private readonly JsonDocument? _expected;

    public WorkloadFolder(string folder)
    {
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(IsWorkload).Order(StringComparer.Ordinal).ToList();
        foreach (var file in files)
        {
            var list = file.Contains(".swf", StringComparison.OrdinalIgnoreCase) ? Logs
                : file.Contains(".csv", StringComparison.OrdinalIgnoreCase) ? Streams : null;
            foreach (var workload in WorkloadFile.Read(file))
            {
                (list ?? (workload.TaskNames is null ? Shapes : Workflows)).Add(workload);
            }
        }

        var expected = Path.Combine(folder, "expected.json");
        _expected = File.Exists(expected) ? JsonDocument.Parse(File.ReadAllText(expected)) : null;
    }

    /// <summary>Recorded workflows.</summary>
    public List<Workload> Workflows { get; } = [];

    /// <summary>Synthetic graphs.</summary>
    public List<Workload> Shapes { get; } = [];

    /// <summary>Logs of rigid jobs.</summary>
    public List<Workload> Logs { get; } = [];

    /// <summary>Loose tasks as they came.</summary>
    public List<Workload> Streams { get; } = [];

    /// <summary>A figure that the file gives of a workflow, such as lower_bound_s of "64"; null: it has none.</summary>
    public double? Expected(string workflow, params ReadOnlySpan<string> path)
    {
        if (_expected is null || !_expected.RootElement.TryGetProperty(workflow, out var element))
        {
            return null;
        }

        foreach (var name in path)
        {
            if (!element.TryGetProperty(name, out element))
            {
                return null;
            }
        }

        return element.GetDouble();
    }

    private static bool IsWorkload(string file)
    {
        var name = Path.GetFileName(file);
        return name != "expected.json" && (
            name.EndsWith(".json", StringComparison.Ordinal) || name.EndsWith(".json.gz", StringComparison.Ordinal)
            || name.EndsWith(".swf", StringComparison.Ordinal) || name.EndsWith(".swf.gz", StringComparison.Ordinal)
            || name.EndsWith(".csv", StringComparison.Ordinal) || name.EndsWith(".csv.gz", StringComparison.Ordinal));
    }
}
