// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections;
using System.Collections.Generic;
using System.Text;
using Muster.Core;

namespace Muster.Worker.Commands;

/// <summary>
/// The environment that commands get: of the worker's own, as it was when this was made, what is on the list, encoded
/// once, with a command's own variables laid over it. Immutable.
/// </summary>
internal sealed class WorkerEnvironment
{
    /// <summary>Stands for all of the worker's variables but its secrets.</summary>
    public const string All = "*";

    private const string PathName = "PATH";

    /// <summary>Where programs are looked for when there is no PATH, as execvp(3) does.</summary>
    private const string PathDefault = "/bin:/usr/bin";

    // What programs need to find others, to speak the user's language and to know the time of day.
    private static readonly string[] s_passed =
    [
        PathName, "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TERM",
    ];

    private readonly Dictionary<string, byte[]> _entries = new(StringComparer.Ordinal);
    private readonly SecretValues _secrets;
    private readonly byte[][] _all;
    private readonly string _path;

    /// <summary>Takes from a set of variables what is on the list.</summary>
    /// <param name="variables">Those of the worker.</param>
    /// <param name="added">Further names; or NAME=value; or *.</param>
    /// <param name="secrets">Finds what variables refer to.</param>
    public WorkerEnvironment(IDictionary variables, IReadOnlyList<string> added, SecretValues secrets)
    {
        _secrets = secrets;
        foreach (var name in s_passed)
        {
            Pass(variables, name);
        }

        foreach (var entry in added)
        {
            if (entry == All)
            {
                PassAll(variables);
            }
            else if (entry.IndexOf('=', StringComparison.Ordinal) is var sign and > 0)
            {
                _entries[entry[..sign]] = Entry(entry[..sign], entry[(sign + 1)..]);
            }
            else
            {
                Pass(variables, entry);
            }
        }

        _all = [.. _entries.Values];
        _path = _entries.TryGetValue(PathName, out var path)
            ? Encoding.UTF8.GetString(path, PathName.Length + 1, path.Length - PathName.Length - 2)
            : PathDefault;
    }

    /// <summary>Of this process, now, what is passed without being asked for.</summary>
    public static WorkerEnvironment Own() =>
        new(Environment.GetEnvironmentVariables(), [], new SecretValues(folder: null));

    /// <summary>Every variable as NAME=value with a closing zero byte.</summary>
    /// <param name="added">
    /// Added to the worker's own, or replacing them; a value that names a secret is replaced by it.
    /// </param>
    /// <param name="entries">The variables.</param>
    /// <param name="path">PATH as the command will have it.</param>
    public Fault TryWith(IDictionary<string, string> added, out byte[][] entries, out string path)
    {
        path = added.TryGetValue(PathName, out var own) ? own : _path;
        entries = _all;
        if (added.Count == 0)
        {
            return Fault.None;
        }

        var together = new List<byte[]>(_entries.Count + added.Count);
        foreach (var (name, entry) in _entries)
        {
            if (!added.ContainsKey(name))
            {
                together.Add(entry);
            }
        }

        foreach (var (name, given) in added)
        {
            var value = given;
            if (SecretValues.IsReference(given))
            {
                var fault = _secrets.Resolve(given, out value);
                if (!fault.IsNone)
                {
                    return fault;
                }
            }

            together.Add(Entry(name, value));
        }

        entries = [.. together];
        return Fault.None;
    }

    private static byte[] Entry(string name, string value) => Encoding.UTF8.GetBytes($"{name}={value}\0");

    private void Pass(IDictionary variables, string name)
    {
        if (variables[name] is string value)
        {
            _entries[name] = Entry(name, value);
        }
    }

    private void PassAll(IDictionary variables)
    {
        foreach (DictionaryEntry variable in variables)
        {
            var name = (string)variable.Key;
            if (!name.StartsWith(SecretValues.VariablePrefix, StringComparison.Ordinal))
            {
                Pass(variables, name);
            }
        }
    }
}
