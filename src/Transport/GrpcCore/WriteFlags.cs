// SPDX-License-Identifier: Apache-2.0
using System;

namespace Grpc.Core;

/// <summary>Hints for one write.</summary>
[Flags]
internal enum WriteFlags
{
    None = 0,

    /// <summary>The message may wait for the next one before it is sent.</summary>
    BufferHint = 1,

    /// <summary>Do not compress. Nothing is ever compressed here.</summary>
    NoCompress = 2,
}
