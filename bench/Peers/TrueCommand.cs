// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;

namespace Muster.Peers;

/// <summary>/bin/true by posix_spawn: the least that a worker can do to run a command.</summary>
internal static class TrueCommand
{
    private static readonly nint[] s_arguments = [Marshal.StringToCoTaskMemUTF8("/bin/true"), 0];
    private static readonly nint[] s_environment = [0];

    public static void Run()
    {
        var error = posix_spawn(out var pid, "/bin/true", 0, 0, s_arguments, s_environment);
        if (error != 0 || waitpid(pid, out var status, 0) != pid || status != 0)
        {
            throw new InvalidOperationException($"/bin/true did not run: errno {error}");
        }
    }

    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int posix_spawn(
        out int pid,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string path,
        nint actions,
        nint attributes,
        nint[] arguments,
        nint[] environment);

    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int waitpid(int pid, out int status, int options);
}
