// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Muster.Core;

namespace Muster;

/// <summary>
/// Makes <see cref="TaskType{TIn, TOut}"/> objects. All methods are safe for use by many threads at once.
/// </summary>
public static class TaskType
{
    /// <summary>
    /// A kind of task with JSON values through source-generated metadata: fast, and safe for trimming and ahead-of-time
    /// compilation. A JSON null is read as null whether or not the type allows it, as System.Text.Json does.
    /// </summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What the handler returns.</typeparam>
    /// <param name="name">
    /// The handler's name: 1 to 128 bytes of printable characters without white space.
    /// </param>
    /// <param name="input">Metadata of the input, for example <c>JobsJson.Default.Int32</c>.</param>
    /// <param name="output">Metadata of the output.</param>
    /// <returns>A new kind of task.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> breaks the rule for names.</exception>
    public static TaskType<TIn, TOut> Json<TIn, TOut>(
        string name, JsonTypeInfo<TIn> input, JsonTypeInfo<TOut> output)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        return new(
            name,
            TaskTypeJson.Writer(input),
            TaskTypeJson.Reader(input),
            TaskTypeJson.Writer(output),
            TaskTypeJson.Reader(output));
    }

    /// <summary>
    /// A kind of task with JSON values through reflection: nothing to generate, for programs that are neither trimmed
    /// nor compiled ahead of time.
    /// </summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What the handler returns.</typeparam>
    /// <param name="name">
    /// The handler's name: 1 to 128 bytes of printable characters without white space.
    /// </param>
    /// <param name="options">How values look as JSON. Null: <see cref="JsonSerializerOptions.Default"/>.</param>
    /// <returns>A new kind of task.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> breaks the rule for names.</exception>
    [RequiresUnreferencedCode("JSON by reflection needs members that trimming may remove; pass JsonTypeInfo objects.")]
    [RequiresDynamicCode("JSON by reflection may generate code at run time; pass JsonTypeInfo objects.")]
    public static TaskType<TIn, TOut> Json<TIn, TOut>(string name, JsonSerializerOptions? options = null)
    {
        options ??= JsonSerializerOptions.Default;
        if (options.TypeInfoResolver is null)
        {
            options = new JsonSerializerOptions(options) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
        }

        return Json(
            name,
            (JsonTypeInfo<TIn>)options.GetTypeInfo(typeof(TIn)),
            (JsonTypeInfo<TOut>)options.GetTypeInfo(typeof(TOut)));
    }

    /// <summary>A kind of task whose input and output are bytes that Muster does not look into.</summary>
    /// <param name="name">
    /// The handler's name: 1 to 128 bytes of printable characters without white space.
    /// </param>
    /// <returns>A new kind of task. Values that were received are copies and may be kept.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> breaks the rule for names.</exception>
    public static TaskType<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Bytes(string name) =>
        new(name, WriteBytes, ReadBytes, WriteBytes, ReadBytes, Keep, Keep);

    /// <summary>A kind of task whose values are written and read by the caller's own functions.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What the handler returns.</typeparam>
    /// <param name="name">
    /// The handler's name: 1 to 128 bytes of printable characters without white space.
    /// </param>
    /// <param name="writeInput">Writes an input at the client.</param>
    /// <param name="readInput">Reads an input at the worker.</param>
    /// <param name="writeOutput">Writes an output at the worker.</param>
    /// <param name="readOutput">Reads an output at the client.</param>
    /// <returns>A new kind of task.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> breaks the rule for names.</exception>
    public static TaskType<TIn, TOut> Create<TIn, TOut>(
        string name,
        TaskValueWriter<TIn> writeInput,
        TaskValueReader<TIn> readInput,
        TaskValueWriter<TOut> writeOutput,
        TaskValueReader<TOut> readOutput)
    {
        ArgumentNullException.ThrowIfNull(writeInput);
        ArgumentNullException.ThrowIfNull(readInput);
        ArgumentNullException.ThrowIfNull(writeOutput);
        ArgumentNullException.ThrowIfNull(readOutput);
        return new(name, writeInput, readInput, writeOutput, readOutput);
    }

    private static void WriteBytes(ReadOnlyMemory<byte> value, IBufferWriter<byte> output) => output.Write(value.Span);

    private static ReadOnlyMemory<byte> ReadBytes(ReadOnlySpan<byte> bytes) => bytes.ToArray();

    private static ReadOnlyMemory<byte> Keep(ReadOnlyMemory<byte> bytes) => bytes;
}
