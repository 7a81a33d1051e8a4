// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Threading.Tasks;

namespace Muster.Shared.Faults;

/// <summary>Runs a program of the host, such as mount or ip, to its end.</summary>
internal static class HostCommand
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    /// <summary>What it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds what it said.</exception>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (exit, output, error) = await TryAsync(program, arguments);
        return exit == 0
            ? output
            : throw new InvalidOperationException(
                $"'{program} {string.Join(' ', arguments)}' ended with {exit}: {error.Trim()} {output.Trim()}");
    }

    /// <summary>The same, for commands that may fail.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> TryAsync(
        string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(s_deadline);
        return (process.ExitCode, await output, await error);
    }
}
