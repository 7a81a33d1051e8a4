// SPDX-License-Identifier: Apache-2.0
namespace Muster.Server.Endpoint;

/// <summary>What became of a message given to a <see cref="StreamOutbox"/>.</summary>
internal enum AppendOutcome
{
    /// <summary>It goes out with the next flush.</summary>
    Appended,

    /// <summary>The peer reads too slowly: nothing was taken. Ask again after the outbox said that there is
    /// room.</summary>
    Full,

    /// <summary>The call has ended or is ending: nothing was taken and nothing will be.</summary>
    Closed,
}
