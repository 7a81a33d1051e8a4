// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;

namespace Muster.Worker.Commands;

/// <summary>
/// The pipes of one command while it is being started. Disposing closes the ends that the command was given, and this
/// process's own ends too unless they were moved to the running child.
/// </summary>
internal sealed class CommandPipes : IDisposable
{
    private SafeFileHandle? _input;
    private SafeFileHandle? _output;
    private SafeFileHandle? _error;
    private SafeFileHandle? _inputGiven;
    private SafeFileHandle? _outputGiven;
    private SafeFileHandle? _errorGiven;

    /// <summary>Null when the command gets no input.</summary>
    public SafeFileHandle? InputGiven => _inputGiven;

    public SafeFileHandle? OutputGiven => _outputGiven;

    public SafeFileHandle? ErrorGiven => _errorGiven;

    /// <summary>Makes them.</summary>
    /// <returns>0 or errno.</returns>
    public int Open(bool withInput)
    {
        var error = SpawnPipe.Create(keepRead: true, out _output, out _outputGiven);
        error = error != 0 ? error : SpawnPipe.Create(keepRead: true, out _error, out _errorGiven);
        return error == 0 && withInput ? SpawnPipe.Create(keepRead: false, out _input, out _inputGiven) : error;
    }

    /// <summary>Gives this process's ends to the child, which closes them from now on.</summary>
    public void MoveTo(ChildProcess child)
    {
        (child.InputPipe, _input) = (_input, null);
        (child.OutputPipe, _output) = (_output, null);
        (child.ErrorPipe, _error) = (_error, null);
    }

    public void Dispose()
    {
        _input?.Dispose();
        _output?.Dispose();
        _error?.Dispose();
        _inputGiven?.Dispose();
        _outputGiven?.Dispose();
        _errorGiven?.Dispose();
    }
}
