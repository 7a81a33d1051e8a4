// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Muster.Cli;

/// <summary>The library's help, and after it the verb's examples.</summary>
internal sealed class ExampleHelp(HelpAction inner) : SynchronousCommandLineAction
{
    private static readonly Dictionary<string, string[]> s_examples = new(StringComparer.Ordinal)
    {
        [CommandVerbs.Map] =
        [
            "muster map 'sha256sum {}' ::: /usr/bin/*",
            "find . -name '*.png' -print0 | muster map -0 'convert {} {.}.jpg'",
            "muster map --shell -k 'gzip -c {} | wc -c' -a files.txt",
            "",
            "Places: {} input, {.} without extension, {/} last segment, {//} folder, {/.} last segment without",
            "extension, {#} number. The command is run without a shell unless --shell asks for one.",
            "Exit code: 0 all succeeded, 1-100 that many failed, 101 more; 2 wrong usage, 65 refused,",
            "69 cell not reachable, 70 a fault of Muster, 130 Ctrl-C.",
        ],
        [CommandVerbs.Submit] =
        [
            "muster submit --wait -- uname -a",
            "muster submit --handler fib --payload 30 --wait",
            "muster submit --priority 7 --timeout 60s -- ./long-job --fast",
        ],
        [CommandVerbs.Up] =
        [
            "muster up",
            "muster up --slots 8 --bind 127.0.0.1:7070",
            "muster up --bind 0.0.0.0:7070 --tls --advertise cell.example",
        ],
        [CommandVerbs.Plm] = ["muster plm", "muster plm --cell nightly --tasks-max 1000000"],
        [CommandVerbs.Scheduler] = ["muster scheduler", "muster scheduler --cell nightly"],
        [CommandVerbs.Register] = ["muster register", "muster register --bind 127.0.0.1:7070"],
        [CommandVerbs.Worker] =
        [
            "muster worker",
            "muster worker --slots 4 --name fast --address http://127.0.0.1:7070",
            "muster worker --join TOKEN@cell.example:7070",
        ],
        [CommandVerbs.Tasks] =
        [
            "muster tasks",
            "muster tasks --state ready --state running -o json",
            "muster tasks ID",
        ],
        [CommandVerbs.Workers] = ["muster workers", "muster workers -o json"],
        [CommandVerbs.Top] = ["muster top", "muster top --once --cell nightly"],
        [CommandVerbs.Retry] = ["muster tasks --quarantined", "muster retry ID", "muster retry --all"],
        [CommandVerbs.Forget] = ["muster forget ID"],
        [CommandVerbs.Cancel] = ["muster cancel ID", "muster tasks -o json | jq -r '.[].id' | xargs muster cancel"],
        [CommandVerbs.Arena] = ["muster arena inspect", "muster arena inspect --cell nightly -o json"],
        ["remove"] = ["muster arena remove --cell nightly"],
        ["inspect"] = ["muster arena inspect", "muster arena inspect --cell nightly -o json"],
        [CommandVerbs.Journal] = ["muster journal verify", "muster journal cat -o json | jq .text"],
        ["cat"] = ["muster journal cat", "muster journal cat --from 120000 -o json", "muster journal cat --kind 1"],
        ["verify"] = ["muster journal verify", "muster journal verify --cell nightly -o json"],
        ["repair"] = ["muster journal repair --dry-run", "muster journal repair --state /mnt/copy/nightly"],
        [CommandVerbs.Simulate] =
        [
            "muster simulate workflow.json --slots 64",
            "muster simulate log.swf.gz --policy backfill -o json",
            "muster simulate workflow.json --workers 16x8 --speeds 2,1,0.5 --given --gantt run.svg",
        ],
        [CommandVerbs.Version] = ["muster version", "muster version -o json"],
    };

    private static readonly Dictionary<string, string[]> s_authExamples = new(StringComparer.Ordinal)
    {
        [CommandVerbs.Auth] =
        [
            "muster auth issue rack-1 --role work",
            "muster auth issue alice --role submit,cancel --expires 90d",
            "muster auth revoke alice",
        ],
        ["init"] = ["muster auth init", "muster auth init --cell nightly"],
        ["issue"] =
        [
            "muster auth issue rack-1 --role work --address cell.example:7070",
            "muster auth issue alice --role submit,cancel --expires 90d",
            "muster auth issue ci --role submit --context ci.json",
        ],
        ["revoke"] = ["muster auth revoke alice", "muster auth revoke 5b1f0c9a7d3e2468"],
        ["list"] = ["muster auth list", "muster auth list -o json"],
        ["rotate"] = ["muster auth rotate", "muster auth rotate alice --overlap 1h"],
        ["login"] = ["muster auth login TOKEN@cell.example:7070", "muster auth login - < token.txt"],
        ["logout"] = ["muster auth logout"],
        ["whoami"] = ["muster auth whoami", "muster auth whoami -o json"],
    };

    public override int Invoke(ParseResult parseResult)
    {
        var exit = inner.Invoke(parseResult);
        var command = parseResult.CommandResult.Command;
        var isRoot = command is RootCommand;
        var name = isRoot ? CommandVerbs.Map : command.Name;
        var examples = s_examples.GetValueOrDefault(name) ?? s_authExamples.GetValueOrDefault(name);
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine(isRoot ? "The first minute:" : "Examples:");
        foreach (var line in examples ?? [])
        {
            if (isRoot && line.Length == 0)
            {
                break;
            }

            output.WriteLine("  " + line);
        }

        output.WriteLine();
        return exit;
    }
}
