// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Muster.Server.Http2;
using Muster.Transport.Hpack;
using Muster.Transport.Http2;
using Muster.Unit.Transport;

namespace Muster.Unit.Http2;

/// <summary>
/// Feeds random input to the header decoder, or to a whole server's connection over a stream in memory. A crash is an
/// exception other than the one that says "the peer broke the protocol"; a hang is a connection that does not end
/// within seconds of the end of its input.
/// </summary>
internal static class FuzzRun
{
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(20);

    public static async Task<FuzzReport> RunAsync(string target, int seed, TimeSpan time)
    {
        var clock = Stopwatch.StartNew();
        long inputs = 0;
        long crashes = 0;
        long hangs = 0;
        string? first = null;
        while (clock.Elapsed < time)
        {
            var random = new Random(seed);
            try
            {
                if (target == "hpack")
                {
                    DecodeSome(random);
                }
                else
                {
                    await ServeAsync(random, isChunked: target == "chunks").WaitAsync(s_hang);
                }
            }
            catch (TimeoutException)
            {
                hangs++;
                first ??= $"seed {seed} hangs";
            }
            catch (Exception e)
            {
                crashes++;
                first ??= $"seed {seed}: {e}";
            }

            inputs++;
            seed++;
        }

        return new(inputs, crashes, hangs, first);
    }

    // Blocks of one connection share a table; damage ends it.
    private static void DecodeSome(Random random)
    {
        var decoder = new HpackDecoder(4096);
        var head = new RequestHead();
        try
        {
            for (var block = 0; block < 8; block++)
            {
                head.Clear(isTrailers: random.Next(4) == 0);
                decoder.Decode(FuzzBytes.Block(random), head);
                head.Finish();
            }
        }
        catch (Http2Exception)
        {
            // That is the answer to damage.
        }
    }

    private static async Task ServeAsync(Random random, bool isChunked)
    {
        using var io = new FuzzStream(FuzzBytes.Conversation(random), isChunked ? random : null);
        using var calls = new FuzzCalls();
        var connection = new ServerConnection(io, null, calls, new ServerOptions { StreamsMax = 8 });
        await connection.ServeAsync();
        FuzzFrames.Check(io.Written);
    }
}
