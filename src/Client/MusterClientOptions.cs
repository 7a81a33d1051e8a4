// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Text;

namespace Muster;

/// <summary>How a <see cref="MusterClient"/> behaves. Immutable.</summary>
public sealed record MusterClientOptions
{
    /// <summary>For people who look at the cell. Default: program and process id.</summary>
    public string Name { get; init; } = DefaultName();

    /// <summary>
    /// How long the first connection may take; after that, what was submitted fails with UNAVAILABLE. Default 10 s
    /// (ten seconds).
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a connection that broke is tried again before everything that waits fails with UNAVAILABLE. Roles that
    /// restart come back within a second; a cell's host may need minutes. Default 300 s (five minutes).
    /// </summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Tasks that wait here to be sent; more submissions wait until there is room. Default 16,384 (sixteen thousand).
    /// </summary>
    public int QueuedTasksMax { get; init; } = 16_384;

    /// <summary>Payload bytes that wait here to be sent. Default 67,108,864 (64 MiB).</summary>
    public long QueuedBytesMax { get; init; } = 64L << 20;

    /// <summary>
    /// Proof of identity for a cell on another host, as "muster auth issue" prints it, whole: its last part says which
    /// server to believe. Null, the default: the environment variable MUSTER_TOKEN, else what "muster auth login" left.
    /// Nothing is needed for a Unix socket.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>
    /// A file that "muster auth login" or "muster auth issue --context" wrote: whom to believe, and the proof of
    /// identity. Null, the default: the environment variable MUSTER_CONTEXT, else ~/.config/muster/context.json when it
    /// is of the address.
    /// </summary>
    public string? ContextFile { get; init; }

    /// <summary>Clock and timers; replaced by tests.</summary>
    internal TimeProvider Time { get; init; } = TimeProvider.System;

    // A record prints all that it holds; this one holds a secret.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append(CultureInfo.InvariantCulture, $"Name = {Name}");
        return true;
    }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Name);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ReconnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(QueuedTasksMax);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(QueuedBytesMax);
    }

    private static string DefaultName()
    {
        var program = System.IO.Path.GetFileNameWithoutExtension(Environment.ProcessPath) ?? "client";
        return string.Create(CultureInfo.InvariantCulture, $"{program} {Environment.ProcessId}");
    }
}
