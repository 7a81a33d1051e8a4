// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Muster.Shared.Faults;
using Xunit;

namespace Muster.Integration.Commands;

/// <summary>
/// What only the task may know (payloads, inputs, values of variables, secrets, outputs) is looked for in everything
/// that Muster itself says, with its log at its most talkative.
/// </summary>
public sealed class CanaryTests
{
    private const string Canary = "c4n4ry";

    private static readonly string[][] s_looks =
    [
        ["tasks"], ["tasks", "-o", "json"], ["tasks", "--state", "done"], ["workers"], ["workers", "-o", "json"],
        ["top", "--once"], ["arena", "inspect"], ["arena", "inspect", "-o", "json"], ["journal", "cat"],
        ["journal", "cat", "-o", "json"], ["journal", "verify"], ["journal", "verify", "-o", "json"],
    ];

    [Fact]
    public async Task Payloads_SecretsAndOutputs_AreInNothingThatMusterSays()
    {
        var said = new ConcurrentQueue<string>();
        var secrets = Directory.CreateTempSubdirectory("muster-secrets-").FullName;
        await File.WriteAllTextAsync(Path.Combine(secrets, "token"), $"{Canary}-secret");
        await HostCommand.RunAsync("chmod", "0400", Path.Combine(secrets, "token"));
        await using (var cell = await CellProcesses.StartAsync(new CellSetup
        {
            Environment = new Dictionary<string, Dictionary<string, string>>
            {
                [""] = new() { ["MUSTER_LOG"] = "trace", ["MUSTER_SECRET_other"] = $"{Canary}-variable" },
            },
            ErrorLine = (kind, line) => said.Enqueue($"{kind}: {line}"),
        }))
        {
            cell.StartWorker(
                CellProcesses.Executable, "worker", "--address", cell.Address, "--secrets", secrets);
            await using var client = MusterClient.Connect(cell.Address);
            await RunTasksAsync(client);
            foreach (var look in s_looks)
            {
                var (exit, output, error) = await cell.RunAsync([.. look, "--cell", cell.Name]);
                said.Enqueue($"{string.Join(' ', look)}: exit {exit}: {output} {error}");
            }
        }

        Directory.Delete(secrets, recursive: true);
        Assert.True(said.Count > s_looks.Length, "the log should have said something");
        var hits = said.Where(text => text.Contains(Canary, StringComparison.Ordinal)).ToList();
        Assert.True(hits.Count == 0, string.Join('\n', hits));
    }

    [Fact]
    public async Task Names_OfWorkersWithEscapeSequences_CannotReachATerminal()
    {
        await using var cell = await CellProcesses.StartAsync("--durability", "memory");
        cell.StartWorker(
            CellProcesses.Executable,
            "worker",
            "--address",
            cell.Address,
            "--name",
            "evil\u001b[2J\u009b31m\u202ename");
        await using var client = MusterClient.Connect(cell.Address);
        var result = await client.RunCommandAsync(new CommandSpec { Arguments = ["true"] });
        Assert.True(result.Succeeded);
        foreach (var look in (string[][])[["workers"], ["workers", "-o", "json"], ["top", "--once"]])
        {
            var (_, output, error) = await cell.RunAsync([.. look, "--cell", cell.Name]);
            Assert.Contains("evil", output, StringComparison.Ordinal);
            Assert.DoesNotContain(output + error, letter => letter is '\u001b' or '\u009b' or '\u202e');
        }
    }

    private static async Task RunTasksAsync(MusterClient client)
    {
        var once = new SubmitOptions { AttemptsMax = 1 };
        CommandSpec[] commands =
        [
            Spec("true", $"{Canary}-argument"),
            Spec("cat", $"{Canary}-argument") with { StandardInput = Encoding.UTF8.GetBytes($"{Canary}-input") },
            Spec("echo $SECRET $OTHER $VALUE; exit 3", $"{Canary}-argument") with
            {
                Environment = new Dictionary<string, string>
                {
                    ["SECRET"] = "secret:token", ["OTHER"] = "secret:other", ["VALUE"] = $"{Canary}-value",
                },
            },
            Spec("echo $0 >&2; kill -9 $$", $"{Canary}-argument"),
        ];
        var secret = await client.RunCommandAsync(commands[2], once);
        Assert.Equal(
            $"{Canary}-secret {Canary}-variable {Canary}-value\n",
            Encoding.UTF8.GetString(secret.StandardOutput.Span));
        foreach (var command in commands)
        {
            await client.RunCommandAsync(command, once);
        }

        var slow = Spec("sleep 5", $"{Canary}-argument");
        await Assert.ThrowsAsync<TaskFailedException>(
            () => client.RunCommandAsync(slow, once with { Timeout = TimeSpan.FromMilliseconds(200) }));
        var absent = Spec("true", $"{Canary}-argument") with
        {
            Environment = new Dictionary<string, string> { ["A"] = "secret:absent", ["B"] = $"{Canary}-value" },
        };
        var refused = await Assert.ThrowsAsync<TaskFailedException>(() => client.RunCommandAsync(absent, once));
        Assert.DoesNotContain(Canary, refused.ToString(), StringComparison.Ordinal);
    }

    private static CommandSpec Spec(string script, string argument) =>
        new() { Arguments = [script, argument], Shell = true };
}
