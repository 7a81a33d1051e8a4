// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Tables;

/// <summary>What an attempt said about its progress.</summary>
/// <param name="Details">For people.</param>
/// <param name="UnixUs">When, microseconds since 1970 by the server's clock.</param>
internal readonly record struct ProgressNote(string Details, long UnixUs);
