// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;

namespace Muster.Wire;

/// <summary>
/// Measures ways to serve HTTP/2, each by the same echo in a process of its own and by the same client: Kestrel as it
/// comes, Kestrel tuned, our HTTP/2 above Kestrel's connections, our HTTP/2 on sockets. The last line is JSON.
/// </summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        if (args is ["serve", var way, var path])
        {
            await EchoServer.RunAsync(way, path);
            return 0;
        }

        var rounds = args is ["--rounds", var count] ? int.Parse(count, null) : 3;
        await Comparison.RunAsync(rounds);
        return 0;
    }
}
