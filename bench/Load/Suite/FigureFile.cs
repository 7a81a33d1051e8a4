// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Muster.Load.Suite;

/// <summary>
/// Figures in a file of JSON lines: the stamp of the machine first, then the last line of each workload.
/// </summary>
internal static class FigureFile
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public static void Write(string path, MachineStamp stamp, IEnumerable<JsonObject> figures) => File.WriteAllLines(
        path,
        figures.Select(static each => each.ToJsonString()).Prepend(JsonSerializer.Serialize(stamp, s_options)));

    /// <summary>The figures of each workload and level, by name: nested ones with dots between the names.</summary>
    public static (MachineStamp Stamp, Dictionary<string, Dictionary<string, double>> Figures) Read(string path)
    {
        var lines = File.ReadLines(path).Where(static line => line.Length > 0).ToList();
        var stamp = JsonSerializer.Deserialize<MachineStamp>(lines[0], s_options)
            ?? throw new InvalidDataException($"{path} does not begin with the stamp of a machine");
        return (stamp, lines.Skip(1).Select(static line => JsonNode.Parse(line)!.AsObject())
            .ToDictionary(NameOf, static each => Flat(each, "").ToDictionary()));
    }

    /// <summary>Workload and level of durability.</summary>
    public static string NameOf(JsonObject figures) => $"{figures["workload"]} {figures["durability"]}";

    private static IEnumerable<KeyValuePair<string, double>> Flat(JsonNode? node, string name) => node switch
    {
        JsonObject nested => nested.SelectMany(pair =>
            Flat(pair.Value, name.Length == 0 ? pair.Key : $"{name}.{pair.Key}")),
        JsonArray list => list.SelectMany((each, index) =>
            Flat(each, string.Create(CultureInfo.InvariantCulture, $"{name}.{index}"))),
        JsonValue value when value.GetValueKind() == JsonValueKind.Number => [new(name, value.GetValue<double>())],
        _ => [],
    };
}
