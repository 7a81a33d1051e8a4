// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Threading.Tasks;
using Muster.Shared.Histories;

namespace Muster.Load.Faults;

/// <summary>
/// The client process of chaos: continues the session in the book that it reads from its input, and writes its history
/// to its output, so that nothing it has seen dies with it. A further line of input makes it finish; its last line
/// then says how many of its tasks have no result.
/// </summary>
internal static class ClientVerb
{
    public const string LastWord = "waiting ";

    private static readonly TimeSpan s_drain = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(LoadOptions options)
    {
        var book = SessionBook.Read(Console.In);
        using var output = new PipeSink();
        int waiting;
        await using (var client = new SessionClient(
            new SessionClientOptions
            {
                Address = options.Address,
                Actor = "process",
                Durability = options.Level,
                InFlightMax = options.Tasks,
            },
            book,
            output))
        {
            client.Start();
            await Task.Run(Console.In.ReadLine);
            waiting = await client.DrainAsync(s_drain);
        }

        await Console.Error.WriteLineAsync(LastWord + waiting.ToString(CultureInfo.InvariantCulture));
    }
}
