// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using Muster.Arena.Native;
using Muster.Identity.Joining;
using Muster.Transport;

namespace Muster.Worker.Runtime;

/// <summary>
/// Finds out where the worker's cell listens: an option, the environment, or this user's default cell.
/// </summary>
internal static class WorkerAddress
{
    private const string Variable = "MUSTER_ADDRESS";
    private const string UnixPrefix = "unix:";

    public static string Resolve(MusterWorkerOptions options)
    {
        if (LineOf(options.Join) is { } line)
        {
            return line.Address;
        }

        if (!string.IsNullOrEmpty(options.Address))
        {
            return options.Address;
        }

        if (options.ContextFile is not null)
        {
            return ContextFile.Load(options.ContextFile).Address;
        }

        var variable = Environment.GetEnvironmentVariable(Variable);
        return string.IsNullOrEmpty(variable) ? DefaultSocket() : variable;
    }

    /// <summary>Null: none was given. Throws <see cref="ArgumentException"/> when it is none.</summary>
    public static JoinLine? LineOf(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        return JoinLine.TryParse(text, out var line)
            ? line
            : throw new ArgumentException(
                "the join line is not TOKEN@host:port as 'muster auth issue --role work' prints it", nameof(text));
    }

    /// <summary>Throws when it is no address, whether or not anybody listens there.</summary>
    public static void Check(string address)
    {
        if (!ChannelAddress.TryParse(address, out _))
        {
            throw new ArgumentException(
                $"'{address}' is no address; write unix:/path/to.sock, http://127.0.0.1:port or https://host:port",
                nameof(address));
        }
    }

    private static string DefaultSocket()
    {
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        var folder = string.IsNullOrEmpty(runtime) || !Path.IsPathFullyQualified(runtime)
            ? string.Create(CultureInfo.InvariantCulture, $"/tmp/muster-{User.Id}")
            : Path.Combine(runtime, "muster");
        return $"{UnixPrefix}{folder}/default/register.sock";
    }
}
