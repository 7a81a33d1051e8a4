// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Linq;
using System.Text;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Worker.Commands;

/// <summary>
/// Turns "secret:NAME" in a command's environment into what it stands for on this worker, at the moment the command
/// starts: a file of the secrets folder, else the worker's variable MUSTER_SECRET_NAME. The value is in nothing that
/// leaves the worker but the command's own output. Immutable.
/// </summary>
internal sealed class SecretValues(string? folder)
{
    public const string Prefix = "secret:";
    public const string VariablePrefix = "MUSTER_SECRET_";

    private const int NameCharsMax = 64;
    private const int ValueBytesMax = 64 * 1_024;
    private const int OthersMode = 0x3F;

    /// <summary>Whether a value names a secret instead of being one.</summary>
    public static bool IsReference(string value) => value.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Finds the value. No message ever holds any of it.</summary>
    public Fault Resolve(string reference, out string value)
    {
        value = "";
        var name = reference[Prefix.Length..];
        if (!IsName(name))
        {
            return Refused(
                $"a secret's name has 1 to {NameCharsMax} characters of A-Z, a-z, 0-9, '_', '-' and '.', and does not "
                + "begin with '.'");
        }

        if (folder is not null)
        {
            var fault = Read(Path.Combine(folder, name), name, out var text);
            if (!fault.IsNone || text is not null)
            {
                value = text ?? "";
                return fault;
            }
        }

        var variable = Environment.GetEnvironmentVariable(VariablePrefix + name);
        if (variable is null)
        {
            return Refused($"this worker has no secret '{name}'; it looks "
                + $"{(folder is null ? "" : "in its secrets folder and ")}at its variable {VariablePrefix}{name}");
        }

        value = variable;
        return Fault.None;
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= NameCharsMax && name[0] != '.'
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '-' or '.');

    // No text and no fault: there is no such file.
    private static Fault Read(string path, string name, out string? text)
    {
        text = null;
        using var file = Open.File(path, Open.O_RDONLY, 0, out var errno);
        if (errno == Errno.ENOENT)
        {
            return Fault.None;
        }

        if (errno != 0 || !Statx.TryOf(file, out var facts) || !facts.IsRegular)
        {
            return Refused($"the secret '{name}' is no file that this worker may read");
        }

        if ((facts.Uid != User.Id && facts.Uid != 0) || (facts.Permissions & OthersMode) != 0)
        {
            return Refused($"the file of the secret '{name}' must be the worker's own with mode 0600 or 0400");
        }

        if (facts.Bytes > ValueBytesMax)
        {
            return Refused($"the secret '{name}' is larger than {ValueBytesMax} bytes");
        }

        var bytes = new byte[ValueBytesMax + 1];
        var length = 0;
        for (int count; length < bytes.Length && (count = SpawnPipe.Read(file, bytes.AsSpan(length))) > 0;)
        {
            length += count;
        }

        // Editors end a file with a line feed that belongs to no secret.
        length = length > 0 && bytes[length - 1] == (byte)'\n' ? length - 1 : length;
        if (bytes.AsSpan(0, length).Contains((byte)0))
        {
            return Refused($"the secret '{name}' has a zero byte in it, which no program can be given");
        }

        text = Encoding.UTF8.GetString(bytes, 0, length);
        return Fault.None;
    }

    private static Fault Refused(string message) => new(FaultCode.SecretUnavailable, message);
}
