// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>Installs peers from Debian when they are missing, and says so.</summary>
internal static class DebianPackages
{
    /// <summary>The peers whose packages are there.</summary>
    public static async Task<List<IPeer>> InstallAsync(IEnumerable<IPeer> peers)
    {
        var installed = new List<IPeer>();
        foreach (var peer in peers)
        {
            if (await IsInstalledAsync(peer.Package) || await InstallAsync(peer.Package))
            {
                installed.Add(peer);
            }
            else
            {
                Console.WriteLine($"{peer.Name} is left out: {peer.Package} could not be installed");
            }
        }

        return installed;
    }

    private static async Task<bool> IsInstalledAsync(string package) =>
        await RunAsync("dpkg", "-s", package) == 0;

    private static async Task<bool> InstallAsync(string package)
    {
        Console.WriteLine($"installing from Debian: {package}");
        string[] install =
        [
            "env", "DEBIAN_FRONTEND=noninteractive",
            "apt-get", "install", "-y", "-qq", "--no-install-recommends", package,
        ];
        return await AsRootAsync(install) == 0
            || (await AsRootAsync("apt-get", "update", "-qq") == 0 && await AsRootAsync(install) == 0);
    }

    private static Task<int> AsRootAsync(params string[] words)
    {
        string[] all = Environment.IsPrivilegedProcess ? words : ["sudo", .. words];
        return RunAsync(all[0], [.. all.Skip(1)]);
    }

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(),
            process.StandardError.ReadToEndAsync(),
            process.WaitForExitAsync());
        return process.ExitCode;
    }
}
