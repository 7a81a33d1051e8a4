// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text;
using Muster.Core;

namespace Muster.Worker.Handlers;

/// <summary>The handlers of one worker by name. Filled before the worker starts, then only read.</summary>
internal sealed class HandlerTable
{
    private readonly Dictionary<string, HandlerEntry> _entries = new(StringComparer.Ordinal);
    private KeyValuePair<byte[], HandlerEntry>[] _byBytes = [];

    /// <summary>Whether the worker shall run commands too; it adds the handler itself.</summary>
    public bool OffersCommands { get; set; }

    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <summary>Adds a handler.</summary>
    /// <exception cref="ArgumentException">Its name is taken, or there are 1,024 already.</exception>
    public void Add(HandlerEntry entry)
    {
        if (_entries.Count == TaskLimits.HandlersPerWorkerMax)
        {
            throw new ArgumentException($"a worker offers at most {TaskLimits.HandlersPerWorkerMax} handlers");
        }

        if (!_entries.TryAdd(entry.Name, entry))
        {
            throw new ArgumentException($"the handler '{entry.Name}' was added twice");
        }

        _byBytes = [.. _byBytes, new(Encoding.UTF8.GetBytes(entry.Name), entry)];
    }

    /// <summary>The handler of a name as it stands in a message; null when this worker does not offer it.</summary>
    public HandlerEntry? Find(ReadOnlySpan<byte> name)
    {
        // Few handlers and many groups of the same one: comparing bytes costs less than making a string.
        var entries = _byBytes;
        if (entries.Length > 16)
        {
            return _entries.GetValueOrDefault(Encoding.UTF8.GetString(name));
        }

        foreach (var (bytes, entry) in entries)
        {
            if (name.SequenceEqual(bytes))
            {
                return entry;
            }
        }

        return null;
    }
}
