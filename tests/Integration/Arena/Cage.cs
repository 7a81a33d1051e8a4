// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using Muster.Arena.Native;
using Xunit;

namespace Muster.Integration.Arena;

/// <summary>
/// Runs a shell script in a mount namespace of its own, where /dev/shm is a fresh tmpfs of a given size. Needs root;
/// says so where it has not got it, for a proof that is left out is none.
/// </summary>
internal static class Cage
{
    /// <summary>
    /// The script's output; a session of its own keeps its signals to itself. It may use $DUMMY, the crash dummy's
    /// path, and $UID_SHM, this user's folder.
    /// </summary>
    public static string[] Run(string size, string script)
    {
        Assert.True(User.Id == 0, "this test mounts a small /dev/shm for itself and must run as root (CI does)");
        var start = new ProcessStartInfo("setsid")
        {
            ArgumentList =
            {
                "--wait", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-euc",
                $"mount -t tmpfs -o size={size} tmpfs /dev/shm\n{script}",
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DUMMY"] = Dummy.Program;
        start.Environment["UID_SHM"] = $"/dev/shm/muster-{User.Id}";

        // The tracing sockets of .NET are of no use in there.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        using var process = Process.Start(start) ?? throw new InvalidOperationException("unshare did not start");
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode is 0 or 1, $"exit {process.ExitCode}: {output} {errors.GetAwaiter().GetResult()}");
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
