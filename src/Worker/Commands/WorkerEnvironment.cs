// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections;
using System.Collections.Generic;
using System.Text;

namespace Muster.Worker.Commands;

/// <summary>
/// The environment that commands get: the worker's own as it was when this was made, encoded once, with a command's own
/// variables laid over it. Immutable.
/// </summary>
internal sealed class WorkerEnvironment
{
    private const string PathName = "PATH";

    /// <summary>Where programs are looked for when there is no PATH, as execvp(3) does.</summary>
    private const string PathDefault = "/bin:/usr/bin";

    private readonly Dictionary<string, byte[]> _entries = new(StringComparer.Ordinal);
    private readonly byte[][] _all;
    private readonly string _path;

    public WorkerEnvironment(IDictionary variables)
    {
        foreach (DictionaryEntry variable in variables)
        {
            var name = (string)variable.Key;
            _entries[name] = Entry(name, (string?)variable.Value ?? "");
        }

        _all = [.. _entries.Values];
        _path = (string?)variables[PathName] ?? PathDefault;
    }

    /// <summary>That of this process, now.</summary>
    public static WorkerEnvironment Own() => new(Environment.GetEnvironmentVariables());

    /// <summary>Every variable as NAME=value with a closing zero byte.</summary>
    /// <param name="added">Added to the worker's own, or replacing them.</param>
    /// <param name="path">PATH as the command will have it.</param>
    public byte[][] With(IDictionary<string, string> added, out string path)
    {
        path = added.TryGetValue(PathName, out var own) ? own : _path;
        if (added.Count == 0)
        {
            return _all;
        }

        var entries = new List<byte[]>(_entries.Count + added.Count);
        foreach (var (name, entry) in _entries)
        {
            if (!added.ContainsKey(name))
            {
                entries.Add(entry);
            }
        }

        foreach (var (name, value) in added)
        {
            entries.Add(Entry(name, value));
        }

        return [.. entries];
    }

    private static byte[] Entry(string name, string value) => Encoding.UTF8.GetBytes($"{name}={value}\0");
}
