// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Identity.Credentials;

/// <summary>One right on one queue, or, when it is the right to work, on one pool.</summary>
/// <param name="Right">A single right.</param>
/// <param name="Scope">Name of the queue or pool; <see cref="Everywhere"/>: all of them.</param>
internal readonly record struct Grant(Rights Right, string Scope)
{
    public const string Everywhere = "*";

    /// <summary>The queue and the pool that a cell has today.</summary>
    public const string DefaultScope = "default";

    public bool IsOn(ReadOnlySpan<char> scope) => Scope == Everywhere || scope.SequenceEqual(Scope);

    public override string ToString() => $"{Grants.NameOf(Right)}={Scope}";
}
