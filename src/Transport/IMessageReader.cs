// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics.CodeAnalysis;
using System.Threading.Tasks;
using Grpc.Core;

namespace Muster.Transport;

/// <summary>
/// What the response streams of this transport offer beyond the standard interface: reading without garbage. Cast the
/// call's ResponseStream to it. One reader at a time.
/// </summary>
internal interface IMessageReader<T> : IAsyncStreamReader<T>
{
    /// <summary>As MoveNext, without a task: await the result once and at once.</summary>
    ValueTask<bool> ReadAsync();

    /// <summary>Takes a message that is already there; false when the reader has to wait, or at the end.</summary>
    bool TryRead([MaybeNullWhen(false)] out T message);
}
