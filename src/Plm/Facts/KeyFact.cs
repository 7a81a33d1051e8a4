// SPDX-License-Identifier: Apache-2.0

namespace Muster.Plm.Facts;

/// <summary>
/// One fact of kind KeyKnown: an idempotency key whose task has ended, and which counts until a moment. Keys of other
/// tasks stand in the facts of kind Submitted.
/// </summary>
internal struct KeyFact
{
    public TaskKey Key;
    public ulong TaskId;

    /// <summary>Wall clock ms since 1970.</summary>
    public ulong ExpiresUnixMs;

    public readonly void Write(FactWriter writer)
    {
        WriteKey(writer, Key);
        writer.Fixed64(TaskId);
        writer.Varint(ExpiresUnixMs);
    }

    public static KeyFact Read(ref FactReader reader) => new()
    {
        Key = ReadKey(ref reader),
        TaskId = reader.Fixed64(),
        ExpiresUnixMs = reader.Varint(),
    };

    public static void WriteKey(FactWriter writer, in TaskKey key)
    {
        writer.Fixed64(key.High);
        writer.Fixed64(key.Low);
        writer.Fixed64(key.Fingerprint);
    }

    public static TaskKey ReadKey(ref FactReader reader) => new(reader.Fixed64(), reader.Fixed64(), reader.Fixed64());
}
