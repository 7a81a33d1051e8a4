// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Server.Endpoint;

/// <summary>The limits of a server's face to the network, with the reason for each.</summary>
internal static class EndpointLimits
{
    /// <summary>Bytes of one message, the limit of the contract.</summary>
    public const int MessageBytesMax = TaskLimits.MessageBytesMax;

    /// <summary>Bytes of all metadata of one request, counted as HTTP/2 does: name + value + 32 each.</summary>
    public const int MetadataBytesMax = 8 * 1024;

    /// <summary>Calls open on one connection.</summary>
    public const int StreamsPerConnectionMax = 100;

    /// <summary>Connections at most, however many files the process may open.</summary>
    public const int ConnectionsMax = 10_000;

    /// <summary>Fewer than this are no use: a start with so few open files is refused.</summary>
    public const int ConnectionsMin = 64;

    /// <summary>Files kept for everything that is not a connection.</summary>
    public const int OtherFilesMax = 1_024;

    /// <summary>Files counted for a connection: its socket, and room while others are accepted and closed.</summary>
    public const int FilesPerConnection = 4;

    /// <summary>Bytes that an address of a Unix socket holds, without its closing zero.</summary>
    public const int SocketPathBytesMax = 107;

    /// <summary>Waiting connections that the kernel keeps for us.</summary>
    public const int AcceptBacklogMax = 512;

    /// <summary>Longer deadlines are cut to this: longer than any task may take.</summary>
    public static readonly TimeSpan DeadlineMax = TimeSpan.FromMilliseconds(TaskLimits.DurationMsMax);

    /// <summary>Links open at the same time; each has a thread and half a MiB of shared memory.</summary>
    public const int LinksMax = 64;

    /// <summary>Who have connected for a link and have not said which; more are closed at once.</summary>
    public const int LinkGreetingsMax = 64;

    /// <summary>How long who connects for a link may take to say which.</summary>
    public static readonly TimeSpan LinkGreetingTimeout = TimeSpan.FromSeconds(1);

    /// <summary>How long a server that stops waits for handlers whose links it has cut.</summary>
    public static readonly TimeSpan LinkCutTimeout = TimeSpan.FromSeconds(1);

    /// <summary>The same for handlers whose connections it has cut.</summary>
    public static readonly TimeSpan HandlersCutTimeout = LinkCutTimeout;

    /// <summary>Between two looks whether there is a descriptor for who waits to be accepted.</summary>
    public static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the end of a call waits for what its outbox still holds, when the peer does not
    /// read.</summary>
    public static readonly TimeSpan OutboxDrainTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long calls wait for the roles behind a server that has just started: longer than nearly every take-over, and
    /// shorter than clients and workers wait for an answer to their hello.
    /// </summary>
    public static readonly TimeSpan HeldCallTimeout = TimeSpan.FromSeconds(3);

    /// <summary>How long a handler may go on after its deadline before its stream is reset.</summary>
    public static readonly TimeSpan DeadlineGrace = TimeSpan.FromSeconds(1);
}
