// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Shared.Histories;

/// <summary>A task that harms the process that runs it, in the way that its payload's first byte names.</summary>
internal static class PoisonTask
{
    public const string Handler = "test.poison";

    private const int PageBytes = 4_096;
    private const int ChunkBytes = 16 << 20;

    public static byte[] Payload(Poison poison) => [(byte)poison];

    public static async ValueTask<ReadOnlyMemory<byte>> RunAsync(Poison poison, CancellationToken cancel)
    {
        switch (poison)
        {
            case Poison.Crash:
                Environment.FailFast("the task was asked to crash its process");
                break;
            case Poison.Kill:
                Process.GetCurrentProcess().Kill();
                await Task.Delay(Timeout.Infinite, CancellationToken.None);
                break;
            case Poison.StackOverflow:
                return new byte[Recurse(1)];
            case Poison.Memory:
                TakeMemory();
                break;
            case Poison.Hang:
                await Task.Delay(Timeout.Infinite, cancel);
                break;
            case Poison.GiantOutput:
                return new byte[64 << 20];
            case Poison.Forks:
                await ForkAsync();
                break;
        }

        return ReadOnlyMemory<byte>.Empty;
    }

    private static int Recurse(int depth) => depth == 0 ? 0 : Recurse(depth + 1) + depth;

    // Past the collector, which would refuse: until the kernel kills the process.
    private static void TakeMemory()
    {
        while (true)
        {
            var chunk = Marshal.AllocHGlobal(ChunkBytes);
            for (var at = 0; at < ChunkBytes; at += PageBytes)
            {
                Marshal.WriteByte(chunk, at, 1);
            }
        }
    }

    // As many processes as the group lets it have; each ends by itself.
    private static async Task ForkAsync()
    {
        using var shell = Process.Start("sh", ["-c", "while :; do sleep 3 & done"]);
        await shell.WaitForExitAsync();
        throw new InvalidOperationException($"no more processes: the shell ended with {shell.ExitCode}");
    }
}
