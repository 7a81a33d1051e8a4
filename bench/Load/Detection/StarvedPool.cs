// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Muster.Load.Detection;

/// <summary>
/// Fills the thread pool of this process with work that blocks, again and again, as a program does that waits for other
/// services in the wrong way.
/// </summary>
internal static class StarvedPool
{
    private static readonly ManualResetEventSlim s_never = new();

    public static void Start()
    {
        for (var item = 0; item < 4 * Environment.ProcessorCount; item++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(Block, null);
        }
    }

    private static void Block(object? state)
    {
        s_never.Wait(TimeSpan.FromSeconds(1));
        ThreadPool.UnsafeQueueUserWorkItem(Block, null);
    }
}
