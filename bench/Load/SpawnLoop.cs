// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading.Tasks;

namespace Muster.Load;

/// <summary>
/// The floor under commands: processes that do nothing but posix_spawn /bin/true and wait for it, one after the other,
/// as many of them at a time as there are workers.
/// </summary>
internal static class SpawnLoop
{
    private const string Go = "go";

    /// <summary>Programs per second of so many loops together.</summary>
    public static async Task<double> MeasureAsync(int programs, int loops)
    {
        var processes = Enumerable.Range(0, loops).Select(_ => Launch(programs / loops)).ToList();
        try
        {
            // A line from each says that it is loaded and compiled.
            foreach (var process in processes)
            {
                await process.StandardOutput.ReadLineAsync();
            }

            var start = Stopwatch.GetTimestamp();
            foreach (var process in processes)
            {
                await process.StandardInput.WriteLineAsync(Go);
                await process.StandardInput.FlushAsync();
            }

            await Task.WhenAll(processes.Select(process => process.StandardOutput.ReadLineAsync()));
            return programs / loops * loops / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        finally
        {
            foreach (var process in processes)
            {
                process.Kill();
                await process.WaitForExitAsync();
                process.Dispose();
            }
        }
    }

    /// <summary>The life of one loop.</summary>
    public static void Run(int programs)
    {
        Spawn(20);
        Console.Out.WriteLine("ready");
        Console.Out.Flush();
        if (Console.In.ReadLine() == Go)
        {
            Spawn(programs);
            Console.Out.WriteLine("done");
            Console.Out.Flush();
            Console.In.ReadLine();
        }
    }

    private static Process Launch(int programs) => Process.Start(new ProcessStartInfo(
        Environment.ProcessPath!,
        ["spawn-loop", "--tasks", programs.ToString(CultureInfo.InvariantCulture)])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
    })!;

    private static void Spawn(int programs)
    {
        var arguments = new List<nint> { Marshal.StringToCoTaskMemUTF8("/bin/true"), 0 }.ToArray();
        nint[] environment = [0];
        for (var n = 0; n < programs; n++)
        {
            var error = posix_spawn(out var pid, "/bin/true", 0, 0, arguments, environment);
            if (error != 0 || waitpid(pid, out var status, 0) != pid || status != 0)
            {
                throw new InvalidOperationException($"/bin/true did not run: errno {error}");
            }
        }

        Marshal.FreeCoTaskMem(arguments[0]);
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
