// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Muster.Client;

namespace Muster.Unit.Client;

/// <summary>A client over a <see cref="FakeConnector"/> that a loop serves with a <see cref="PlmModel"/>.</summary>
internal sealed class FakePlmServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly FakeConnector _connector = new();
    private readonly Task _loop;

    public FakePlmServer(PlmModel plm, Func<PlmModel, V1.SessionResponse>? finish = null)
    {
        Client = new(new CellConnection("unix:/fake", "test"), _connector, new());
        _loop = Task.Run(() => ServeAsync(plm, finish ?? (model => model.Finish(int.MaxValue))));
    }

    public MusterClient Client { get; }

    public FakeConnector Connector => _connector;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await Client.DisposeAsync();
        _stop.Dispose();
    }

    private async Task ServeAsync(PlmModel plm, Func<PlmModel, V1.SessionResponse> finish)
    {
        try
        {
            var (stream, _) = await _connector.AcceptAsync(plm).WaitAsync(_stop.Token);
            while (true)
            {
                var request = await stream.NextAsync().WaitAsync(_stop.Token);
                stream.Send(plm.Take(request));
                stream.Send(finish(plm));
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
        catch (TimeoutException)
        {
            // Nothing came for long; the test's own deadline says so better.
        }
    }
}
