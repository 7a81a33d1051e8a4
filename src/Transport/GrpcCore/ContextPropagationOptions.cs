// SPDX-License-Identifier: Apache-2.0
namespace Grpc.Core;

/// <summary>What of a server call goes on to the calls made for it.</summary>
internal sealed class ContextPropagationOptions(bool propagateDeadline = true, bool propagateCancellation = true)
{
    public static readonly ContextPropagationOptions Default = new();

    public bool IsPropagateDeadline { get; } = propagateDeadline;

    public bool IsPropagateCancellation { get; } = propagateCancellation;
}
