// SPDX-License-Identifier: Apache-2.0
using Muster.Transport.Wire;

namespace Muster.Worker.Commands;

/// <summary>How a command ended and what it wrote.</summary>
/// <param name="ExitCode">0 to 255; meaningless when <paramref name="Signal"/> is not 0.</param>
/// <param name="Signal">What ended it, or 0.</param>
/// <param name="WaitError">
/// Not 0: errno of the watch or the wait for it. It is gone, but how it ended is unknown.
/// </param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
internal readonly record struct CommandEnd(
    int ExitCode, int Signal, int WaitError, CapturedOutput Output, CapturedOutput Error)
{
    /// <summary>As the bytes of a muster.v1.CommandResult; by hand, because the outputs may be megabytes.</summary>
    public byte[] Encode()
    {
        using var writer = new ProtoWriter(64 + Output.Bytes.Length + Error.Bytes.Length);
        writer.WriteUInt64(1, (ulong)ExitCode);
        writer.WriteUInt64(2, (ulong)Signal);
        writer.WriteBytes(3, Output.Bytes);
        writer.WriteBytes(4, Error.Bytes);
        writer.WriteBool(5, Output.IsCut);
        writer.WriteBool(6, Error.IsCut);
        return writer.Written.ToArray();
    }
}
