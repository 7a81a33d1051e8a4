// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Hpack;

/// <summary>Takes the headers of one block, in order.</summary>
internal interface IHeaderSink
{
    /// <param name="name">Lower case, not empty. Valid during the call.</param>
    /// <param name="value">Valid during the call.</param>
    /// <param name="field">The entry of the table, when the whole header came from it.</param>
    void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, HeaderField? field);
}
