// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>muster top: a cell once a second, from its shared memory.</summary>
internal static class TopVerb
{
    private const string EnterScreen = "\u001b[?1049h\u001b[?25l";
    private const string LeaveScreen = "\u001b[?25h\u001b[?1049l";
    private const string Home = "\u001b[H";
    private const string ClearBelow = "\u001b[J";
    private const string ClearRight = "\u001b[K";

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    public static Command Create(VerbContext context)
    {
        var cell = SharedOptions.Cell();
        var once = new Option<bool>("--once")
        {
            Description = "Print one picture and end; so it is without a terminal",
        };
        var verb = new Command(CommandVerbs.Top, "Show a cell live, from its shared memory; Ctrl-C ends")
        {
            cell, once,
        };
        verb.SetAction(async result =>
        {
            var name = result.GetRequiredValue(cell);
            var isLive = context.Terminal.IsOutputTerminal && !result.GetValue(once);
            return isLive ? await RunLiveAsync(context, name) : await RunOnceAsync(context, name);
        });
        return verb;
    }

    private static async Task<int> RunOnceAsync(VerbContext context, string cell)
    {
        var first = Open(cell);
        using (first)
        {
            var view = new TopView();
            view.Render(ArenaSnapshot.Read(cell, first), TimeSpan.Zero);

            // Rates need two looks.
            await Task.Delay(TimeSpan.FromMilliseconds(250), context.Ending);
            foreach (var line in view.Render(ArenaSnapshot.Read(cell, first), TimeSpan.FromMilliseconds(250)))
            {
                context.Terminal.Line(line);
            }
        }

        return ExitCodes.Success;
    }

    private static async Task<int> RunLiveAsync(VerbContext context, string cell)
    {
        var map = Open(cell);
        var view = new TopView();
        context.Terminal.Styled(EnterScreen);
        try
        {
            var since = TimeProvider.System.GetTimestamp();
            while (!context.Ending.IsCancellationRequested)
            {
                if (!map.IsStillLinked() && Reopen(cell) is { } newer)
                {
                    map.Dispose();
                    map = newer;
                    view = new();
                }

                var elapsed = TimeProvider.System.GetElapsedTime(since);
                since = TimeProvider.System.GetTimestamp();
                Draw(context.Terminal, view.Render(ArenaSnapshot.Read(cell, map), elapsed));
                await Task.Delay(s_interval, context.Ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            context.Terminal.Styled(LeaveScreen);
            map.Dispose();
        }

        return ExitCodes.Success;
    }

    private static void Draw(Terminal terminal, IEnumerable<string> lines)
    {
        // Some terminals do not know their size and say 0.
        var height = (Console.WindowHeight > 0 ? Console.WindowHeight : 24) - 1;
        var width = Console.WindowWidth > 0 ? Console.WindowWidth : 120;
        var picture = new StringBuilder(Home);
        var row = 0;
        foreach (var line in lines)
        {
            if (row++ == height)
            {
                break;
            }

            picture.Append(line.Length > width ? line[..width] : line).Append(ClearRight).Append("\r\n");
        }

        terminal.Styled(picture.Append(ClearBelow).ToString());
    }

    private static ArenaMap Open(string cell)
    {
        var fault = ArenaFile.Attach(cell, readOnly: true, out var map);
        return fault.IsNone ? map! : throw new MusterException(FaultCodes.Name(fault.Code), fault.Message);
    }

    /// <summary>The cell was made anew under the same name; until it is there, the old picture stays.</summary>
    private static ArenaMap? Reopen(string cell) =>
        ArenaFile.Attach(cell, readOnly: true, out var map).IsNone ? map : null;
}
