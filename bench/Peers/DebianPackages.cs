// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>Installs what peers need from Debian when it is missing, and says so.</summary>
internal static class DebianPackages
{
    /// <summary>Null when the peer can run, else why not.</summary>
    public static async Task<string?> InstallAsync(IPeer peer)
    {
        foreach (var package in peer.Packages)
        {
            if (!await IsInstalledAsync(package) && !await InstallAsync(package))
            {
                return $"Debian's {package} could not be installed";
            }
        }

        return await peer.PrepareAsync();
    }

    private static async Task<bool> IsInstalledAsync(string package) =>
        (await ChildProcess.RunAsync("dpkg", "-s", package)).ExitCode == 0;

    private static async Task<bool> InstallAsync(string package)
    {
        Console.WriteLine($"installing from Debian: {package}");
        string[] install =
        [
            "env", "DEBIAN_FRONTEND=noninteractive",
            "apt-get", "install", "-y", "-qq", "--no-install-recommends", package,
        ];
        return await AsRootAsync(install)
            || (await AsRootAsync("apt-get", "update", "-qq") && await AsRootAsync(install));
    }

    private static async Task<bool> AsRootAsync(params string[] words)
    {
        string[] all = Environment.IsPrivilegedProcess ? words : ["sudo", .. words];
        return (await ChildProcess.RunAsync(all)).ExitCode == 0;
    }
}
