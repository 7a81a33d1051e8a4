// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster;

/// <summary>
/// Turns the bytes of an input or an output of a task into its value. Called from many threads at once; an exception
/// thrown by it fails the attempt (input) or the wait for the result (output).
/// </summary>
/// <typeparam name="T">The type of the value.</typeparam>
/// <param name="bytes">
/// What a <see cref="TaskValueWriter{T}"/> wrote. Valid during the call only: copy what is kept.
/// </param>
/// <returns>The value.</returns>
public delegate T TaskValueReader<out T>(ReadOnlySpan<byte> bytes);
