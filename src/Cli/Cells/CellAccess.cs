// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Muster.Client;

namespace Muster.Cli.Cells;

/// <summary>A client of the cell that was asked for, or of one made for the time of this command.</summary>
internal sealed class CellAccess : IAsyncDisposable
{
    private static readonly MusterClientOptions s_options = new()
    {
        Name = $"muster {Environment.ProcessId}",
        ConnectTimeout = TimeSpan.FromSeconds(5),
    };

    private readonly EmbeddedCell? _embedded;

    private CellAccess(MusterClient client, EmbeddedCell? embedded)
    {
        Client = client;
        _embedded = embedded;
    }

    public MusterClient Client { get; }

    public bool IsEmbedded => _embedded is not null;

    /// <summary>A client of a running cell, which has answered.</summary>
    /// <exception cref="MusterException">UNAVAILABLE, or whatever its Register refuses.</exception>
    public static async Task<MusterClient> ConnectAsync(CellTarget target, CancellationToken cancellationToken)
    {
        var client = MusterClient.Connect(CellAddress.Resolve(target.Address, target.Cell), s_options);
        try
        {
            await client.Cell.RegisterAsync(cancellationToken);
            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>A client of a running cell, or, when none was asked for and none runs, of an embedded one.</summary>
    public static async Task<CellAccess> OpenAsync(CellTarget target, int slots, CancellationToken cancellationToken)
    {
        try
        {
            return new(await ConnectAsync(target, cancellationToken), null);
        }
        catch (MusterException failure) when (failure.IsTransient && MayEmbed(target))
        {
            var embedded = await EmbeddedCell.StartAsync(slots, cancellationToken);
            try
            {
                return new(MusterClient.Connect(embedded.Address, s_options), embedded);
            }
            catch
            {
                await embedded.DisposeAsync();
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        if (_embedded is not null)
        {
            await _embedded.DisposeAsync();
        }
    }

    private static bool MayEmbed(CellTarget target) => target.Address is null && !target.IsCellGiven;
}
