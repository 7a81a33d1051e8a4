// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using Muster.Core;
using Muster.Identity.Credentials;
using Muster.Identity.Joining;
using Muster.Transport;

namespace Muster.Client;

/// <summary>Finds out where a cell listens: an argument, the environment, or the socket of a cell on this
/// host.</summary>
internal static class CellAddress
{
    public const string Variable = "MUSTER_ADDRESS";
    public const string DefaultCell = "default";
    public const string UnixPrefix = "unix:";

    /// <summary>The address to use; refused with a sentence that says what to do when there is none.</summary>
    public static string Resolve(string? address, string cell = DefaultCell)
    {
        if (Given(address) is { } given)
        {
            return Check(given);
        }

        var socket = SocketOf(cell);
        if (!File.Exists(socket))
        {
            throw new MusterException(
                FaultCodes.Name(FaultCode.Unavailable),
                $"cell '{cell}' is not running here (no {socket}); start one with 'muster up', "
                + $"or set {Variable} to the address of another")
            { IsTransient = true };
        }

        return UnixPrefix + socket;
    }

    /// <summary>The address that was asked for by argument, environment or login; null when none was.</summary>
    public static string? Given(string? address)
    {
        if (!string.IsNullOrEmpty(address))
        {
            return address;
        }

        var variable = Environment.GetEnvironmentVariable(Variable);
        return string.IsNullOrEmpty(variable) ? OfContext() : variable;
    }

    /// <summary>The socket that a cell's Register, or a whole cell in one process, listens on.</summary>
    public static string SocketOf(string cell) => Path.Combine(RuntimeFolderOf(cell), "register.sock");

    /// <summary>The folder of a cell's sockets.</summary>
    public static string RuntimeFolderOf(string cell)
    {
        var runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        return string.IsNullOrEmpty(runtime) || !Path.IsPathFullyQualified(runtime)
            ? Path.Combine(string.Create(CultureInfo.InvariantCulture, $"/tmp/muster-{UserId()}"), cell)
            : Path.Combine(runtime, "muster", cell);
    }

    private static string Check(string address) => ChannelAddress.TryParse(address, out _)
        ? address
        : throw new MusterException(
            FaultCodes.Name(FaultCode.AddressInvalid),
            $"'{address}' is no address; write unix:/path/to.sock, http://127.0.0.1:port or https://host:port");

    private static string? OfContext()
    {
        try
        {
            return CredentialSource.ContextAddress();
        }
        catch (CredentialsUnusableException problem)
        {
            throw new MusterException(FaultCodes.Name(FaultCode.CredentialsUnusable), problem.Message);
        }
    }

    /// <summary>The kernel's word for who this process acts as.</summary>
    private static uint UserId()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith("Uid:", StringComparison.Ordinal))
            {
                // Real, effective, saved, file system: files are made under the effective one.
                var ids = line[4..].Split('\t', StringSplitOptions.RemoveEmptyEntries);
                return uint.Parse(ids[1], CultureInfo.InvariantCulture);
            }
        }

        throw new InvalidDataException("/proc/self/status has no line Uid:");
    }
}
