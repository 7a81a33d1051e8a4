// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Muster.Cli.Output;

namespace Muster.Cli;

internal static class Program
{
    // The runtime reads it when the first socket is used.
    private const string InlineSockets = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    public static async Task<int> Main(string[] args)
    {
        // What a socket brings is worked on by the thread that heard of it, without waking another: a lone task takes
        // two fifths less time (docs/decisions/0014-http2-of-our-own.md). Nothing in this program blocks there.
        if (Environment.GetEnvironmentVariable(InlineSockets) is null)
        {
            Environment.SetEnvironmentVariable(InlineSockets, "1");
        }

        using var terminal = Terminal.OfProcess();
        return await CommandLine.RunAsync(args, terminal);
    }
}
