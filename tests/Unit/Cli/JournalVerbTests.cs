// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Muster.Cli;
using Muster.Cli.Output;
using Muster.Server.Journal;
using Xunit;

namespace Muster.Unit.Cli;

public sealed class JournalVerbTests : IDisposable
{
    private const int Records = 20;

    private readonly string _state = Directory.CreateTempSubdirectory("muster-verb-").FullName;

    private string Segment => Path.Combine(CellJournal.FolderOf(_state), "000000000001.segment");

    [Fact]
    public async Task Verify_CleanJournal_CountsAndSays()
    {
        Write();
        var (exit, output, error) = await RunAsync("verify");
        Assert.Equal((0, ""), (exit, error));
        Assert.Contains($"{Records} records of", output, StringComparison.Ordinal);
        Assert.Contains("closed cleanly", output, StringComparison.Ordinal);

        (_, output, _) = await RunAsync("verify", "-o", "json");
        using var json = JsonDocument.Parse(output);
        Assert.Equal(Records, json.RootElement.GetProperty("records").GetInt32());
        Assert.False(json.RootElement.GetProperty("in_use").GetBoolean());
    }

    [Fact]
    public async Task Verify_BesideAWriter_Works()
    {
        Assert.True(CellJournal.TryOpen(_state, CellJournal.DefaultOptions, out var journal).IsNone);
        using (journal)
        {
            journal!.Log.Append(1, "half"u8);
            journal.Log.Commit(sync: false);
            var (exit, output, _) = await RunAsync("verify");
            Assert.Equal(0, exit);
            Assert.Contains("in use by a running process", output, StringComparison.Ordinal);

            // Repairing under a writer's feet is refused.
            var (refused, _, error) = await RunAsync("repair");
            Assert.Equal(65, refused);
            Assert.StartsWith("muster: JOURNAL_IN_USE: ", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Cat_FromAndKind_ChooseRecords()
    {
        Write();
        var (exit, all, _) = await RunAsync("cat");
        Assert.Equal(0, exit);
        Assert.True(Lines(all).Length >= Records + 2);
        Assert.Contains("opened", Lines(all)[0], StringComparison.Ordinal);
        Assert.Contains(Lines(all), line => line.EndsWith("closed", StringComparison.Ordinal));

        var (_, some, _) = await RunAsync("cat", "--from", "12", "--kind", "900", "-o", "json");
        var sequences = Lines(some)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Select(record => (record.GetProperty("sequence").GetUInt64(), record.GetProperty("kind").GetInt32()));
        Assert.Equal(Enumerable.Range(12, Records - 10).Select(sequence => ((ulong)sequence, 900)), sequences);
    }

    [Fact]
    public async Task Repair_DamagedJournal_SaysFirstAndThenDoes()
    {
        Write();
        Damage();
        var (exit, _, error) = await RunAsync("verify");
        Assert.Equal(65, exit);
        Assert.StartsWith($"muster: JOURNAL_DAMAGED: {Segment} at offset ", error, StringComparison.Ordinal);

        var (dry, plan, _) = await RunAsync("repair", "--dry-run");
        Assert.Equal(0, dry);
        Assert.Contains("would be kept: 000000000001.segment up to offset", plan, StringComparison.Ordinal);
        Assert.Matches("would be lost: [0-9]+ whole records between [0-9]+ and 2[0-9], which tell of 0 tasks", plan);
        Assert.Equal(65, (await RunAsync("verify")).Exit);

        var (done, text, _) = await RunAsync("repair");
        Assert.Equal(0, done);
        Assert.Contains("set aside: ", text, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("verify")).Exit);
        Assert.Single(Directory.GetFiles(CellJournal.FolderOf(_state), "cut-*"));
        Assert.Contains("nothing to repair", (await RunAsync("repair")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_DamagedJournalForPrograms_SaysWhereInJson()
    {
        Write();
        Damage();
        var (exit, output, error) = await RunAsync("verify", "-o", "json");
        Assert.Equal((65, ""), (exit, error));
        using var json = JsonDocument.Parse(output);
        Assert.False(json.RootElement.GetProperty("ok").GetBoolean());
        Assert.Equal("JOURNAL_DAMAGED", json.RootElement.GetProperty("code").GetString());
        Assert.Equal("000000000001.segment", json.RootElement.GetProperty("file").GetString());
        Assert.InRange(json.RootElement.GetProperty("offset").GetInt64(), 8_192, 8_192 + 400);
        Assert.InRange(json.RootElement.GetProperty("records").GetInt32(), 1, Records - 1);
    }

    [Fact]
    public async Task Verify_DamagedHeaderForPrograms_IsJsonToo()
    {
        Write();
        using (var file = File.Open(Segment, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = 20;
            file.WriteByte(0x55);
        }

        var (exit, output, _) = await RunAsync("verify", "-o", "json");
        Assert.Equal(65, exit);
        using var json = JsonDocument.Parse(output);
        Assert.Equal("JOURNAL_DAMAGED", json.RootElement.GetProperty("code").GetString());
        Assert.False(json.RootElement.TryGetProperty("file", out _));
    }

    [Theory]
    [InlineData("cat")]
    [InlineData("verify")]
    [InlineData("repair")]
    public async Task Verbs_NoJournal_SaySoAndMakeNone(string verb)
    {
        var (exit, _, error) = await RunAsync(verb);
        Assert.Equal(65, exit);
        Assert.StartsWith("muster: JOURNAL_UNUSABLE: there is no journal in ", error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_state));
    }

    public void Dispose() => Directory.Delete(_state, recursive: true);

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private void Write()
    {
        Assert.True(CellJournal.TryOpen(_state, CellJournal.DefaultOptions, out var journal).IsNone);
        using (journal)
        {
            for (var record = 0; record < Records; record++)
            {
                journal!.Log.Append(900, Encoding.ASCII.GetBytes($"body {record}"));
            }

            journal!.Log.Commit(sync: true);
            journal.Log.Close();
        }
    }

    private void Damage()
    {
        using var file = File.Open(Segment, FileMode.Open, FileAccess.ReadWrite);
        file.Position = 8192 + 400;
        var value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 0x40));
    }

    private async Task<(int Exit, string Output, string Error)> RunAsync(string verb, params string[] more)
    {
        var output = new MemoryStream();
        var error = new StringWriter();
        using var terminal = new Terminal(output, error, false, false);
        var exit = await CommandLine.RunAsync(["journal", verb, "--state", _state, .. more], terminal);
        terminal.Flush();
        return (exit, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
