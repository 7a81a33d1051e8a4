// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>A process that this one starts, watches and ends by its pid.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int Interrupt = 2;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(10);

    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    /// <summary>Starts one whose output nobody reads; what it complains about is kept in the folder.</summary>
    public static ChildProcess Start(IReadOnlyList<string> words, string folder, string log)
    {
        // Servers live where only root's PATH leads.
        var system = Path.Combine("/usr/sbin", words[0]);
        var process = Process.Start(new ProcessStartInfo(File.Exists(system) ? system : words[0], words.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        })!;
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        _ = KeepAsync(process, Path.Combine(folder, log));
        return new(process);
    }

    /// <summary>Runs one to its end and gives the last line of its output.</summary>
    public static async Task<string> LastLineAsync(
        IReadOnlyList<string> words, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(words[0], words.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var complaints = process.StandardError.ReadToEndAsync();
        var last = "";
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            last = line;
        }

        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? last
            : throw new InvalidOperationException($"{string.Join(' ', words)} failed: {last}\n{await complaints}");
    }

    /// <summary>Runs one to its end; its exit code and all that it wrote.</summary>
    public static async Task<(int ExitCode, string Text)> RunAsync(params IReadOnlyList<string> words)
    {
        using var process = Process.Start(new ProcessStartInfo(words[0], words.Skip(1))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var text = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, text[0] + text[1]);
    }

    /// <summary>A port of the loopback that was free a moment ago.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits until somebody listens there.</summary>
    public static async Task ListensAsync(int port)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var probe = new PeerSocket(port);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(start) < s_patience)
            {
                // The server is still starting.
                await Task.Delay(20);
            }
        }
    }

    /// <summary>Asks it to end, as a user at its terminal does, and kills it when it has not.</summary>
    public async ValueTask DisposeAsync()
    {
        _ = kill(_process.Id, Interrupt);
        try
        {
            await _process.WaitForExitAsync().WaitAsync(s_farewell);
        }
        catch (TimeoutException)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static async Task KeepAsync(Process process, string path)
    {
        await using var file = File.Create(path);
        await process.StandardError.BaseStream.CopyToAsync(file);
    }

    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int pid, int signal);
}
