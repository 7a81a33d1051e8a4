// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Arena;
using Muster.Journal;
using Muster.Plm;
using Muster.Server.Journal;

namespace Muster.Server.PlmHosting;

/// <summary>What a <see cref="PlmHost"/> needs to know.</summary>
internal sealed record PlmHostOptions
{
    /// <summary>The cell's arena, attached for writing. It outlives the host.</summary>
    public required ArenaMap Arena { get; init; }

    /// <summary>Where clients reach the PLM, best first, joined by commas; the Register tells them.</summary>
    public required string Addresses { get; init; }

    /// <summary>The cell's name, for people. Default "default".</summary>
    public string Cell { get; init; } = "default";

    /// <summary>Version of the program, for people.</summary>
    public string Version { get; init; } = "0.1.0";

    public PlmOptions Core { get; init; } = new();

    /// <summary>
    /// Absolute folder of the cell's state, with its journal in it; null for a cell that keeps none. The journal is
    /// opened once the role is held.
    /// </summary>
    public string? StateFolder { get; init; }

    public JournalOptions Journal { get; init; } = CellJournal.DefaultOptions;

    /// <summary>
    /// Bytes that the journal grows by, at least, before the live state is told again and older records go. Default
    /// 134,217,728.
    /// </summary>
    public long SnapshotBytesMin { get; init; } = 128L << 20;

    /// <summary>How long a stop waits for the disk to take what is left of the journal. Default 10 s.</summary>
    public TimeSpan JournalPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Bytes of results that wait for one slow client, 4 KiB to 1 GiB. Default 1,048,576; more stays in the arena until
    /// the client has read. Another mebibyte is there for answers to what it submits.
    /// </summary>
    public int OutboxBytesMax { get; init; } = 1 << 20;

    /// <summary>
    /// Told once when the role has stopped because of a bug of ours or because its arena is gone. A process of its own
    /// prints the text and exits with 70; an embedded cell shows it to its user. Called on any thread, outside the
    /// turn.
    /// </summary>
    public Action<Exception>? Failed { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Logs { get; init; } = NullLoggerFactory.Instance;
}
