// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Nodes;

namespace Muster.Peers;

/// <summary>What one round gave. Immutable.</summary>
/// <param name="PerSecond">W1: no-op tasks per second.</param>
/// <param name="P50Us">W2: of one task in flight, in microseconds.</param>
/// <param name="P99Us">W2.</param>
/// <param name="CommandsPerSecond">W5: /bin/true per second; null: it was not measured.</param>
internal sealed record PeerFigures(double PerSecond, double P50Us, double P99Us, double? CommandsPerSecond)
{
    /// <summary>Of the line that a script prints last.</summary>
    public static PeerFigures Parse(string line)
    {
        var figures = JsonNode.Parse(line)!.AsObject();
        double Number(string name) => figures[name]!.GetValue<double>();
        return new(Number("tasks_per_s"), Number("p50_us"), Number("p99_us"), Number("commands_per_s"));
    }
}
