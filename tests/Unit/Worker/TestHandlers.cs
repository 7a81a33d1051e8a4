// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>What handlers of these tests do.</summary>
internal static class TestHandlers
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <summary>Ignores everything but the release.</summary>
    public static ReadOnlyMemory<byte> Block(ManualResetEventSlim release)
    {
        Assert.True(release.Wait(s_patience));
        return ReadOnlyMemory<byte>.Empty;
    }

    /// <summary>Waits for its cancellation and tells of it.</summary>
    public static async Task<ReadOnlyMemory<byte>> WaitForAsync(
        TaskCompletionSource cancelled, CancellationToken cancel)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }
        catch (OperationCanceledException)
        {
            cancelled.SetResult();
            throw;
        }

        return default;
    }
}
