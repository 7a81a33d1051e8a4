// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Client.Sessions;

namespace Muster.Unit.Client;

/// <summary>A submission that counts what it is told.</summary>
internal sealed class TestTask(EncodedTaskOptions options, byte[] payload) : PendingTask(options, payload)
{
    private static readonly EncodedTaskOptions s_options = EncodedTaskOptions.Create("test", SubmitOptions.Default);

    public int AcceptedCount { get; private set; }

    public int EndedCount { get; private set; }

    public static TestTask Make(byte value = 1, EncodedTaskOptions? options = null, string? key = null) =>
        new(options ?? s_options, [value]) { IdempotencyKey = key };

    public static List<TestTask> Many(int count)
    {
        var tasks = new List<TestTask>();
        for (var index = 0; index < count; index++)
        {
            tasks.Add(Make((byte)index));
        }

        return tasks;
    }

    public override void OnAccepted() => AcceptedCount++;

    public override void OnEnded() => EndedCount++;
}
