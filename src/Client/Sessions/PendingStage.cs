// SPDX-License-Identifier: Apache-2.0
namespace Muster.Client.Sessions;

/// <summary>How far a submission has come.</summary>
internal enum PendingStage
{
    /// <summary>Not sent, or sent and known not to have been taken.</summary>
    Queued,

    /// <summary>Sent under a ref; whether the cell took it is not known.</summary>
    Sent,

    /// <summary>The cell has it and has named it.</summary>
    Accepted,

    /// <summary>It has an outcome or a refusal; nothing about it changes any more.</summary>
    Ended,
}
