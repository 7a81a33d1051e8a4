// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Muster.Shared.Histories;

namespace Muster.Load.Faults;

/// <summary>
/// A client in a process of its own that may be killed at any moment: this side keeps its book and starts a successor
/// that continues the same session.
/// </summary>
internal sealed class ClientProcess : IAsyncDisposable
{
    private readonly SessionBook _book = new();
    private readonly HistoryOracle _oracle;
    private readonly string[] _arguments;
    private Process _process = null!;
    private Task _reading = Task.CompletedTask;
    private TaskCompletionSource _heard = new();

    public ClientProcess(string address, string durability, int inFlightMax, HistoryOracle oracle)
    {
        _oracle = oracle;
        _arguments =
        [
            "chaos-client", "--address", address, "--durability", durability,
            "--tasks", inFlightMax.ToString(CultureInfo.InvariantCulture),
        ];
    }

    /// <summary>Ends when the present process has told of something.</summary>
    public Task Heard => _heard.Task;

    public void Start()
    {
        _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var start = new ProcessStartInfo(Environment.ProcessPath!, _arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _book.Write(_process.StandardInput);
        _reading = ReadAsync(_process.StandardOutput, _heard);
    }

    /// <summary>Kill -9; returns when all that it had told is read.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await EndedAsync();
    }

    /// <summary>Sends the kill and waits for nothing, for kills of several at once.</summary>
    public void Strike() => _process.Kill();

    public async Task EndedAsync()
    {
        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    /// <summary>Lets it finish what is under way.</summary>
    public async Task FinishAsync()
    {
        await _process.StandardInput.WriteLineAsync("finish");
        await _process.StandardInput.FlushAsync();
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(120));
        await _reading;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader lines, TaskCompletionSource heard)
    {
        while (await lines.ReadLineAsync() is { } line)
        {
            // The last line of a killed process may be cut: its write was never finished, so nothing followed from it.
            if (!HistoryEvent.TryParse(line, out var happened))
            {
                continue;
            }

            _book.Follow(happened);
            _oracle.Take(happened);
            if (happened.Op is HistoryOp.Accept or HistoryOp.Result)
            {
                heard.TrySetResult();
            }
        }
    }
}
