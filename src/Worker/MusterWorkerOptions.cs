// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Text;
using Muster.Core;
using Muster.Identity.Joining;
using Muster.Worker;
using Muster.Worker.Runtime;

namespace Muster;

/// <summary>How a worker behaves. Immutable; checked as a whole when the worker is made.</summary>
public sealed record MusterWorkerOptions
{
    /// <summary>
    /// Where the cell's Register listens: unix:/path/to.sock, http://127.0.0.1:port or https://host:port. Null, the
    /// default: the environment variable MUSTER_ADDRESS, and without it the socket of the cell "default" of this user
    /// on this host.
    /// </summary>
    public string? Address { get; init; }

    /// <summary>
    /// The line by which "muster auth issue --role work" lets a worker join a cell on another host: TOKEN@host:port.
    /// The worker gets a short-lived certificate by it and renews it by itself. Null, the default: none. Instead of
    /// <see cref="Address"/>.
    /// </summary>
    public string? Join { get; init; }

    /// <summary>
    /// Where the certificate is kept, mode 0600. Null, the default: by the identity in the user's state folder. Without
    /// <see cref="Join"/> a file of "muster auth issue --context", which also says where the cell is.
    /// </summary>
    public string? ContextFile { get; init; }

    /// <summary>
    /// How many attempts run at once, 1 to 65,535. Default: <see cref="Environment.ProcessorCount"/>, one for each
    /// core. Asynchronous handlers that mostly wait bear many more.
    /// </summary>
    public int Slots { get; init; } = Environment.ProcessorCount;

    /// <summary>For people; at most 63 bytes of UTF-8 are kept. Null, the default: host name and process id.</summary>
    public string? Name { get; init; }

    /// <summary>
    /// How long a stopping worker lets running attempts go on before it cancels them, 0 to 30 days. Default 20 s
    /// (twenty seconds): the .NET host gives all of its services 30 s, and after the drain up to 3 s are for cancelled
    /// attempts and 5 s for the confirmation of the last results.
    /// </summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// Most that is kept of a command's standard output and of its standard error each, whatever the command asks for,
    /// 0 to 2,063,872 bytes: both fit a result of 4 MiB. Default 2,063,872.
    /// </summary>
    public int CommandOutputBytesMax { get; init; } = WorkerLimits.CommandOutputBytesMax;

    /// <summary>What commands may do and use. Default: nothing beyond what programs need.</summary>
    public MusterCommandOptions Commands { get; init; } = new();

    /// <summary>The address to use.</summary>
    internal string ResolvedAddress => WorkerAddress.Resolve(this);

    /// <summary>What proves who the worker is.</summary>
    internal ICredentialSource Credentials(TimeProvider time)
    {
        if (Join is not null || ContextFile is not null)
        {
            return new JoinedCredential(WorkerAddress.LineOf(Join), ContextFile, time);
        }

        return CredentialSource.For(ResolvedAddress);
    }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Slots, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Slots, TaskLimits.WorkerSlotsMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(DrainTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            DrainTimeout, TimeSpan.FromMilliseconds(TaskLimits.DurationMsMax), nameof(DrainTimeout));
        ArgumentOutOfRangeException.ThrowIfNegative(CommandOutputBytesMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(CommandOutputBytesMax, WorkerLimits.CommandOutputBytesMax);
        if (Join is not null && Address is not null)
        {
            throw new ArgumentException("Join says where the cell is; leave Address out", nameof(Address));
        }

        ArgumentNullException.ThrowIfNull(Commands);
        Commands.Validate();
        WorkerAddress.Check(ResolvedAddress);
    }
}
