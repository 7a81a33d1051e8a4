// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading.Tasks;

namespace Muster.Shared.Faults;

/// <summary>
/// A file system of its own in a file, mounted through a loop device, whose power can be cut. Needs root and a host
/// that allows mounts.
/// </summary>
internal sealed class LoopImage : IAsyncDisposable
{
    private readonly string _folder;
    private bool _isMounted;

    private LoopImage(string folder) => _folder = folder;

    /// <summary>Where it is mounted.</summary>
    public string Mount => Path.Combine(_folder, "mount");

    private string Image => Path.Combine(_folder, "image");

    /// <summary>Makes and mounts one.</summary>
    /// <param name="fileSystem">ext4 or xfs.</param>
    /// <param name="bytes">Its size; XFS wants 300 MiB at least. The file is sparse.</param>
    public static async Task<LoopImage> CreateAsync(string fileSystem, long bytes)
    {
        var image = new LoopImage(Directory.CreateTempSubdirectory("muster-image-").FullName);
        try
        {
            Directory.CreateDirectory(image.Mount);
            await using (var file = File.Create(image.Image))
            {
                file.SetLength(bytes);
            }

            string[] options = fileSystem == "ext4" ? ["-q", "-F", "-m", "0"] : ["-q", "-f"];
            await HostCommand.RunAsync($"mkfs.{fileSystem}", [.. options, image.Image]);
            await image.MountAsync();
            return image;
        }
        catch
        {
            await image.DisposeAsync();
            throw;
        }
    }

    public async Task MountAsync()
    {
        await HostCommand.RunAsync("mount", "-o", "loop", Image, Mount);
        _isMounted = true;
    }

    /// <summary>Nobody may hold a file of it open.</summary>
    public async Task UnmountAsync()
    {
        await HostCommand.RunAsync("umount", Mount);
        _isMounted = false;
    }

    /// <summary>An open file through which the power can be cut without a moment's delay.</summary>
    public FileStream OpenSwitch() =>
        new(Path.Combine(Mount, "switch"), FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite);

    public async ValueTask DisposeAsync()
    {
        if (_isMounted)
        {
            // Lazily: whoever still has files open must not keep the image on the host.
            await HostCommand.TryAsync("umount", "-l", Mount);
        }

        Directory.Delete(_folder, recursive: true);
    }
}
