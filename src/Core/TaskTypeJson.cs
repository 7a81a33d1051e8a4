// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Muster.Core;

/// <summary>
/// JSON for task values by System.Text.Json. The writer object is kept per thread, because making one costs more than
/// writing a small value; a converter that writes another task value inside finds the place empty and makes its own.
/// </summary>
internal static class TaskTypeJson
{
    [ThreadStatic]
    private static Utf8JsonWriter? t_writer;

    public static TaskValueWriter<T> Writer<T>(JsonTypeInfo<T> type) => (value, output) => Write(type, value, output);

    public static TaskValueReader<T> Reader<T>(JsonTypeInfo<T> type) =>
        bytes => JsonSerializer.Deserialize(bytes, type)!;

    private static void Write<T>(JsonTypeInfo<T> type, T value, IBufferWriter<byte> output)
    {
        var writer = t_writer;
        t_writer = null;
        if (writer is null)
        {
            // The serializer checks nothing twice: values come from it alone, never from raw tokens.
            writer = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true });
        }
        else
        {
            writer.Reset(output);
        }

        JsonSerializer.Serialize(writer, value, type);
        writer.Flush();

        // Detached from the caller's buffer, so that an idle thread holds no memory of a past value. A writer whose
        // value threw is dropped instead.
        writer.Reset(Detached.Instance);
        t_writer = writer;
    }

    /// <summary>Stands in for an output between two values; the writer never writes to it.</summary>
    private sealed class Detached : IBufferWriter<byte>
    {
        public static readonly Detached Instance = new();

        public void Advance(int count) => throw new InvalidOperationException("no value is written");

        public Memory<byte> GetMemory(int sizeHint = 0) => throw new InvalidOperationException("no value is written");

        public Span<byte> GetSpan(int sizeHint = 0) => throw new InvalidOperationException("no value is written");
    }
}
