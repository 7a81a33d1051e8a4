// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Muster.Cli.Output;

namespace Muster.Cli;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        using var terminal = Terminal.OfProcess();
        return await CommandLine.RunAsync(args, terminal);
    }
}
