// SPDX-License-Identifier: Apache-2.0
namespace Grpc.Core;

/// <summary>How to write messages.</summary>
internal sealed class WriteOptions(WriteFlags flags = WriteFlags.None)
{
    public static readonly WriteOptions Default = new();

    public WriteFlags Flags { get; } = flags;
}
