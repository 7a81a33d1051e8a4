// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using Muster.Core;

namespace Muster;

/// <summary>
/// A kind of task: the name of its handler and how its input and output become bytes. Clients and workers share one
/// object per kind, usually a static field made by <see cref="TaskType"/>.
/// </summary>
/// <remarks>Immutable and safe for use by many threads at once.</remarks>
/// <typeparam name="TIn">What the handler gets.</typeparam>
/// <typeparam name="TOut">What the handler returns.</typeparam>
public sealed class TaskType<TIn, TOut>
{
    private readonly TaskValueWriter<TIn> _writeInput;
    private readonly TaskValueReader<TIn> _readInput;
    private readonly TaskValueWriter<TOut> _writeOutput;
    private readonly TaskValueReader<TOut> _readOutput;
    private readonly Func<ReadOnlyMemory<byte>, TIn>? _keepInput;
    private readonly Func<ReadOnlyMemory<byte>, TOut>? _keepOutput;

    internal TaskType(
        string name,
        TaskValueWriter<TIn> writeInput,
        TaskValueReader<TIn> readInput,
        TaskValueWriter<TOut> writeOutput,
        TaskValueReader<TOut> readOutput,
        Func<ReadOnlyMemory<byte>, TIn>? keepInput = null,
        Func<ReadOnlyMemory<byte>, TOut>? keepOutput = null)
    {
        if (TaskTypeName.Problem(name) is { } problem)
        {
            throw new ArgumentException(problem, nameof(name));
        }

        Name = name;
        _writeInput = writeInput;
        _readInput = readInput;
        _writeOutput = writeOutput;
        _readOutput = readOutput;
        _keepInput = keepInput;
        _keepOutput = keepOutput;
    }

    /// <summary>
    /// The name under which workers offer the handler: 1 to 128 bytes of printable characters without white space.
    /// </summary>
    public string Name { get; }

    /// <summary>Writes an input as the bytes of a task's payload.</summary>
    internal void WriteInput(TIn value, IBufferWriter<byte> output) => _writeInput(value, output);

    /// <summary>Reads what <see cref="WriteInput"/> wrote; keeps no reference to <paramref name="bytes"/>.</summary>
    internal TIn ReadInput(ReadOnlySpan<byte> bytes) => _readInput(bytes);

    /// <summary>The same, of bytes that never change: the value may be they themselves.</summary>
    internal TIn ReadInput(ReadOnlyMemory<byte> bytes) => _keepInput is { } keep ? keep(bytes) : _readInput(bytes.Span);

    /// <summary>Writes an output as the bytes of a result.</summary>
    internal void WriteOutput(TOut value, IBufferWriter<byte> output) => _writeOutput(value, output);

    /// <summary>Reads what <see cref="WriteOutput"/> wrote; keeps no reference to <paramref name="bytes"/>.</summary>
    internal TOut ReadOutput(ReadOnlySpan<byte> bytes) => _readOutput(bytes);

    /// <summary>The same, of bytes that never change: the value may be they themselves.</summary>
    internal TOut ReadOutput(ReadOnlyMemory<byte> bytes) =>
        _keepOutput is { } keep ? keep(bytes) : _readOutput(bytes.Span);

    /// <summary>The name.</summary>
    /// <returns><see cref="Name"/>.</returns>
    public override string ToString() => Name;
}
