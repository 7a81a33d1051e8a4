// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Text;
using Muster.Simulator;
using Muster.Simulator.Bounds;
using Muster.Simulator.Formats;
using Xunit;

namespace Muster.Unit.Simulator;

/// <summary>Files of recorded work: what is read, and how broken ones are refused.</summary>
public sealed class FormatTests : IDisposable
{
    private const string Workflow = """
        {
          "name": "two", "schemaVersion": "1.5",
          "workflow": {
            "specification": {
              "tasks": [
                {"name": "cut_ID0000001", "id": "a", "parents": [], "children": ["b"], "inputFiles": ["in"]},
                {"name": "join_ID0000002", "id": "b", "parents": ["a"], "children": []}
              ],
              "files": [{"id": "in", "sizeInBytes": 1000}]
            },
            "execution": {
              "tasks": [
                {"id": "a", "runtimeInSeconds": 1.5, "command": {"program": "cut"}},
                {"id": "b", "runtimeInSeconds": 0}
              ]
            }
          }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-formats").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void WfFormat_Workflow_IsRead()
    {
        var workload = Assert.Single(WorkloadFile.Read(Save("two.json", Workflow)));
        Assert.Equal("two", workload.Name);
        Assert.Equal([1_500_000, 1_000], workload.DurationUs);
        Assert.Equal(["cut", "join"], workload.HandlerNames);
        Assert.Equal([1], workload.Children);
        Assert.Equal(1_000, workload.Hint[0]);
    }

    [Fact]
    public void WorkloadFile_Packed_IsUnpacked()
    {
        var path = Path.Combine(_folder, "two.json.gz");
        using (var packed = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            packed.Write(Encoding.UTF8.GetBytes(Workflow));
        }

        Assert.Equal(2, Assert.Single(WorkloadFile.Read(path)).Count);
    }

    [Theory]
    [InlineData("\"runtimeInSeconds\": 1.5", "\"runtimeInSeconds\": -1", 13, "runtimeInSeconds")]
    [InlineData("\"runtimeInSeconds\": 1.5", "\"runtimeInSeconds\": \"x\"", 13, "runtimeInSeconds")]
    [InlineData("\"runtimeInSeconds\": 1.5, ", "", 13, "runtimeInSeconds")]
    [InlineData("\"parents\": [\"a\"]", "\"parents\": [\"c\"]", 7, "parents[0]")]
    [InlineData("\"parents\": []", "\"parents\": [\"b\"]", 6, "parents")]
    [InlineData("\"id\": \"b\", \"parents\"", "\"id\": \"a\", \"parents\"", 7, "id")]
    [InlineData("\"1.5\"", "\"1.3\"", 2, "schemaVersion")]
    [InlineData("\"specification\": {", "\"specification\": [", 5, "JSON")]
    public void WfFormat_Broken_IsRefusedWithLineAndField(string good, string bad, int line, string field)
    {
        Assert.Contains(good, Workflow, StringComparison.Ordinal);
        var path = Save("broken.json", Workflow.Replace(good, bad, StringComparison.Ordinal));
        var refused = Assert.Throws<WorkloadFormatException>(() => WorkloadFile.Read(path));
        Assert.EndsWith(field, refused.Field, StringComparison.Ordinal);
        Assert.Equal(line, refused.Line);
    }

    [Fact]
    public void Swf_Log_IsReadWithItsProcessorsAndLimits()
    {
        const string Log = """
            ; MaxProcs: 16
            1 100 0 50 4 -1 -1 4 60 -1 1 7 1 1 -1 -1 -1 -1
            2 110 0 -1 4 -1 -1 4 60 -1 0 7 1 1 -1 -1 -1 -1
            3 120 5 20 2 20.5 -1 2 -1 -1 1 8 1 1 -1 -1 -1 -1
            """;
        var workload = Assert.Single(WorkloadFile.Read(Save("log.swf", Log)));
        Assert.Equal([0, 20_000_000], workload.ArrivalUs);
        Assert.Equal([50_000_000, 20_000_000], workload.DurationUs);
        Assert.Equal([4L, 2L], Enumerable.Range(0, 2).Select(workload.SlotsOf));
        Assert.Equal([60_000_000, 0], workload.LimitUs);
        Assert.Equal(16, Assert.Single(workload.Machines).Has.Slots);
    }

    [Theory]
    [InlineData("1 100 0 x 4 -1", 1, "run time")]
    [InlineData("1 100", 1, "wait time")]
    [InlineData("; nothing\n", 1, "run time")]
    [InlineData("1 -5 0 50 4", 1, "submit time")]
    public void Swf_Broken_IsRefusedWithLineAndField(string log, int line, string field)
    {
        var refused = Assert.Throws<WorkloadFormatException>(() => WorkloadFile.Read(Save("log.swf", log)));
        Assert.Equal((line, field), (refused.Line, refused.Field));
    }

    [Fact]
    public void Estee_Graphs_AreReadWithCoresAndInputs()
    {
        const string Tasks = "[{'d': 2, 'e_d': 2, 'cpus': 1, 'outputs': [{'s': 1, 'e_s': 1}], 'inputs': []}, "
            + "{'d': 3, 'e_d': null, 'cpus': 4, 'outputs': [], 'inputs': [[0, 0]]}]";
        var graphs = """{"graph_name": {"0": "pair"}, "graph": {"0": "TASKS"}}"""
            .Replace("TASKS", Tasks.Replace("'", "\\\"", StringComparison.Ordinal), StringComparison.Ordinal);
        var workload = Assert.Single(WorkloadFile.Read(Save("pair.json", graphs)));
        Assert.Equal([1L, 4L], Enumerable.Range(0, 2).Select(workload.SlotsOf));
        Assert.Equal([1], workload.Children);
        Assert.Equal(1_048_576, workload.Hint[1]);
        var broken = Save("bad.json", graphs.Replace("[[0, 0]]", "[[0, 1]]", StringComparison.Ordinal));
        var refused = Assert.Throws<WorkloadFormatException>(() => WorkloadFile.Read(broken));
        Assert.Contains("output", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bounds_TwoRoundsOfLikeTasks_EnergeticSeesBothRounds()
    {
        var builder = new WorkloadBuilder();
        for (var each = 0; each < 5; each++)
        {
            builder.Add("alike", 10_000_000, new(1));
        }

        var bounds = LowerBounds.Of(
            builder.TryBuild("five", 1, [], out _)!, [.. Enumerable.Repeat(new WorkerShape(new(1)), 4)]);
        Assert.Equal(10_000_000, bounds.CriticalPathUs);
        Assert.Equal(12_500_000, bounds.AreaUs);
        Assert.InRange(bounds.EnergeticUs, 19_990_000, 20_000_000);
    }

    private string Save(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
