// SPDX-License-Identifier: Apache-2.0
using System.Buffers;

namespace Muster;

/// <summary>
/// Turns an input or an output of a task into bytes. Called from many threads at once; an exception thrown by it fails
/// the submission (input) or the attempt (output).
/// </summary>
/// <typeparam name="T">The type of the value.</typeparam>
/// <param name="value">What to write.</param>
/// <param name="output">Takes the bytes. Must not be kept after the call.</param>
public delegate void TaskValueWriter<in T>(T value, IBufferWriter<byte> output);
