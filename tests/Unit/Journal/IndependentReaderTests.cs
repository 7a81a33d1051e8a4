// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using Muster.Journal;
using Muster.Shared.Journal;
using Xunit;

namespace Muster.Unit.Journal;

/// <summary>The format against a reader that was written from its description, in another language.</summary>
public sealed class IndependentReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-reader-").FullName;

    [Fact]
    public void Crc32C_KnownInput_GivesThePublishedValue()
    {
        Assert.Equal(0xE3069283, Crc32C.Of("123456789"u8));
        Assert.Equal(0x8A9136AAu, Crc32C.Of(new byte[32]));
        Assert.Equal(Crc32C.Of("123456789"u8), Crc32C.Of("6789"u8, seed: Crc32C.Of("12345"u8)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Records_OfManyLives_AreTheSame(ulong seed)
    {
        var test = Lived(seed);
        Assert.Equal(Ours(test.Disk), Theirs(test.Disk, expectedExit: 0));
    }

    [Fact]
    public void Damage_AtManyPlaces_IsFoundAtTheSamePlace()
    {
        var random = new SplitMix(4);
        var refused = 0;
        for (var round = 0; round < 25; round++)
        {
            var test = Lived((ulong)round + 100);
            var names = test.Disk.Names.Where(name => SegmentName.TryParse(name, out _)).ToArray();
            var name = names[random.Below(names.Length)];
            test.Disk.Content(name)[random.Below(12_000)] ^= (byte)(1 << random.Below(8));
            var ours = Ours(test.Disk);
            var isDamaged = ours[^1].StartsWith("damage", StringComparison.Ordinal);
            var theirs = Theirs(test.Disk, expectedExit: isDamaged ? 1 : 0);
            Assert.Equal(ours[^1], theirs[^1]);
            refused += ours[^1].StartsWith("damage", StringComparison.Ordinal) ? 1 : 0;
        }

        Assert.InRange(refused, 5, 24);
    }

    [Fact]
    public void NewestSegment_Lost_IsNamedByBoth()
    {
        var test = Lived(seed: 5);
        test.Disk.Delete(test.Newest());
        var ours = Ours(test.Disk);
        Assert.EndsWith(".segment 0", ours[^1], StringComparison.Ordinal);
        Assert.Equal(ours[^1], Theirs(test.Disk, expectedExit: 1)[^1]);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static TestJournal Lived(ulong seed)
    {
        var random = new SplitMix(seed);
        var test = new TestJournal(seed);
        test.Open();
        for (var step = 0; step < 60; step++)
        {
            var body = new byte[random.Below(1500)];
            random.Fill(body);
            test.Append((ushort)random.Below(100), body);
            test.Commit(sync: random.OneIn(3));
            if (step == 20)
            {
                test.Forget(5);
                test.Journal.Maintain();
                test.Commit(sync: true);
                test.Journal.Maintain();
            }

            if (random.OneIn(15))
            {
                test.Crash(seed + (ulong)step);
                test.Open();
            }
        }

        if (random.OneIn(2))
        {
            test.Close();
        }
        else
        {
            test.Kill();
        }

        return test;
    }

    private static List<string> Ours(MemoryDisk disk)
    {
        var lines = new List<string>();
        var fault = JournalLayout.TryRead(disk, out var layout);
        var tail = default(JournalTail);
        if (fault.IsNone)
        {
            fault = JournalScan.Run(disk, layout.Segments, 0, Note, out tail);
        }

        if (fault.IsNone)
        {
            lines.Add($"end {tail.Last.Sequence} {tail.LiveFrom} {tail.IsClosed} {layout.Newest.Lineage:x16}");
            return lines;
        }

        var words = fault.Message.Split(' ');
        lines.Add($"damage {Path.GetFileName(words[0])} {words[3].TrimEnd(':')}");
        return lines;

        bool Note(in ScannedRecord record)
        {
            var header = record.Header;
            lines.Add(
                $"{header.Sequence} {record.Segment} {record.Offset} {header.Kind} {header.BodyBytes} {header.Synced} "
                + header.Crc);
            return true;
        }
    }

    private static string Line(JsonElement json)
    {
        if (json.TryGetProperty("damage", out var file))
        {
            return $"damage {file} {json.GetProperty("offset")}";
        }

        return json.TryGetProperty("end", out var end)
            ? $"end {end} {json.GetProperty("live_from")} {json.GetProperty("closed")} {json.GetProperty("lineage")}"
            : string.Join(
                ' ',
                new[] { "sequence", "segment", "offset", "kind", "bytes", "synced", "crc" }
                    .Select(name => json.GetProperty(name).ToString()));
    }

    private List<string> Theirs(MemoryDisk disk, int expectedExit)
    {
        foreach (var file in Directory.GetFiles(_folder))
        {
            File.Delete(file);
        }

        foreach (var name in disk.Names)
        {
            File.WriteAllBytes(Path.Combine(_folder, name), disk.Content(name));
        }

        var start = new ProcessStartInfo("python3")
        {
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "read_journal.py"), _folder },
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(expectedExit, process.ExitCode);
        return
        [
            .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => Line(JsonDocument.Parse(line).RootElement)),
        ];
    }
}
