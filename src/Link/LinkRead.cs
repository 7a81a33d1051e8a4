// SPDX-License-Identifier: Apache-2.0
namespace Muster.Link;

/// <summary>What a read of a link found.</summary>
internal enum LinkRead
{
    /// <summary>Nothing yet.</summary>
    None,

    /// <summary>A message; take it by <see cref="LinkEnd.TakeFound"/>.</summary>
    Message,

    /// <summary>The other side says that nothing more comes; its trailers are taken by
    /// <see cref="LinkEnd.TakeFound"/>.</summary>
    End,

    /// <summary>The other side is gone, or sent what it must not.</summary>
    Gone,

    /// <summary>This side has ended its reading by <see cref="LinkEnd.Interrupt"/>.</summary>
    Interrupted,
}
