// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Muster.Cli.Output;

namespace Muster.Cli.Verbs;

/// <summary>
/// Says why nothing happens: when no result has come after two seconds and no worker offers the handler, one line tells
/// it. The tasks wait for such a worker all the same.
/// </summary>
internal sealed class HandlerWatch : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly MusterClient _client;
    private readonly string _handler;
    private readonly Terminal _terminal;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private volatile bool _isSatisfied;

    public HandlerWatch(MusterClient client, string handler, Terminal terminal)
    {
        _client = client;
        _handler = handler;
        _terminal = terminal;
        _loop = WatchAsync();
    }

    /// <summary>A result came.</summary>
    public void Satisfy() => _isSatisfied = true;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            await Task.Delay(s_patience, _stop.Token);
            if (_isSatisfied)
            {
                return;
            }

            var response = await _client.Cell.CallAdminAsync(
                (admin, options) => admin.ListWorkersAsync(new(), options), _stop.Token);
            var isOffered = response.Workers.Any(
                worker => worker.Health == V1.WorkerHealth.Alive && worker.Handlers.Contains(_handler));
            if (!isOffered)
            {
                _terminal.Note(
                    $"still waiting: no worker offers '{_handler}'; start one (for commands: 'muster worker'), "
                    + "or stop here with Ctrl-C");
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or MusterException)
        {
            // Only a hint was to be given; the command itself reports what is wrong with the cell.
        }
    }
}
