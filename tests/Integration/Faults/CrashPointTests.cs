// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Shared.Cells;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Faults;

/// <summary>
/// Kills a role at every place that the sources name by <c>CrashPoint.Hit</c>, one after another under load, and starts
/// it again. MUSTER_CRASH_ROUNDS sets how often each place is visited (1); later visits kill at a later passing.
/// </summary>
public sealed partial class CrashPointTests(ITestOutputHelper output)
{
    private const int Killed = 137;
    private const int PassingMax = 12;

    private static readonly TimeSpan s_reachMax = TimeSpan.FromSeconds(25);

    private static readonly string[] s_groups = ["plm.", "journal.", "register.", "scheduler."];

    public static TheoryData<string> Groups => new(s_groups);

    private static int Rounds =>
        int.TryParse(Environment.GetEnvironmentVariable("MUSTER_CRASH_ROUNDS"), CultureInfo.InvariantCulture, out var n)
            ? n
            : 1;

    [Fact]
    public void Points_Names_AreUsedOnceAndNameARole()
    {
        var points = Points().ToList();
        Assert.NotEmpty(points);
        Assert.Equal(points.Distinct(), points);
        Assert.All(
            points,
            point => Assert.Contains(s_groups, group => point.StartsWith(group, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Groups))]
    public async Task Role_KilledAtEveryPoint_NothingIsLost(string group)
    {
        var role = group == "journal." ? "plm" : group.TrimEnd('.');
        Dictionary<string, string> environment = [];
        var setup = new CellSetup
        {
            Executable = Metadata("SeamsExecutable"),
            Environment = new Dictionary<string, Dictionary<string, string>> { [role] = environment },
        };

        // As many tasks at once, and as large, that snapshots have more than one slice and segments are soon full.
        await using var run = await FaultRun.StartAsync(
            setup, workers: 2, inFlight: 1_500, Durability.Durable, payloadBytes: 1_000, failEvery: 50);
        var random = new Random(1);
        List<string> missed = [];
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var point in Points().Where(point => point.StartsWith(group, StringComparison.Ordinal)))
            {
                var passing = OnlyOnce().IsMatch(point) ? 1 : 1 + random.Next(PassingMax);
                environment["MUSTER_CRASH_AT"] = string.Create(CultureInfo.InvariantCulture, $"{point}:{passing}");
                if (!await CrashAsync(run, role, point))
                {
                    missed.Add(point);
                }

                Assert.True(IsCleanSoFar(run), $"after {point}: {string.Join('\n', run.Oracle.Findings)}");
            }
        }

        environment.Clear();
        await RestartAsync(run, role);
        await run.FlowsAsync(200);
        output.WriteLine($"{await run.EndCleanAsync()}");
        Assert.Empty(missed);
    }

    private static async Task<bool> CrashAsync(FaultRun run, string role, string point)
    {
        if (point.StartsWith("plm.restore.", StringComparison.Ordinal))
        {
            foreach (var each in CellProcesses.Roles.Where(each => !run.Cell.Role(each).HasExited))
            {
                await run.Cell.KillRoleAsync(each);
            }

            ArenaFile.Remove(run.Cell.Name);
            run.Oracle.History!.Note(Checking.HistoryOp.PowerLoss);
            await Task.WhenAll(CellProcesses.Roles.Select(each => TryStartAsync(run, each)));

            // The others wait for an arena that never came to be; whoever gave up is started with the next.
        }
        else
        {
            await RestartAsync(run, role);
        }

        if (point.StartsWith("register.fence.", StringComparison.Ordinal))
        {
            run.StartWorker();
            var worker = run.Cell.Workers[0];
            run.Cell.RemoveWorker(worker);
            worker.Kill();
        }

        var process = run.Cell.Role(role);
        try
        {
            await process.WaitForExitAsync().WaitAsync(s_reachMax);
        }
        catch (TimeoutException)
        {
            return false;
        }

        Assert.True(process.ExitCode == Killed, $"{role} ended at {point} with {process.ExitCode}");
        return true;
    }

    private static async Task RestartAsync(FaultRun run, string role)
    {
        foreach (var each in CellProcesses.Roles)
        {
            if (each == role && !run.Cell.Role(each).HasExited)
            {
                await run.Cell.KillRoleAsync(each);
            }
        }

        await Task.WhenAll(CellProcesses.Roles
            .Where(each => run.Cell.Role(each).HasExited)
            .Select(each => TryStartAsync(run, each)));
    }

    /// <summary>A role may be killed before it serves; that is what it was started for.</summary>
    private static async Task TryStartAsync(FaultRun run, string role)
    {
        try
        {
            await run.Cell.StartRoleAsync(role);
        }
        catch (InvalidOperationException)
        {
            await run.Cell.Role(role).WaitForExitAsync();
        }
    }

    private static bool IsCleanSoFar(FaultRun run) =>
        run.Oracle.Counts is { DuplicateAccepted: 0, Changed: 0, Unexpected: 0, Failed: 0 };

    private static IEnumerable<string> Points() =>
        from path in Directory.EnumerateFiles(Metadata("Sources"), "*.cs", SearchOption.AllDirectories).Order()
        from Match match in Call().Matches(File.ReadAllText(path))
        select match.Groups["name"].Value;

    private static string Metadata(string key) => typeof(CrashPointTests).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == key).Value!;

    [GeneratedRegex("""CrashPoint\.Hit\("(?<name>[a-z.-]+)"\);""")]
    private static partial Regex Call();

    /// <summary>Places that a process passes once, as it starts, or seldom.</summary>
    [GeneratedRegex(@"\.(recover|restore|open|takeover|fence|recycle|forget|spare|segment|rotate|snapshot)\.")]
    private static partial Regex OnlyOnce();
}
