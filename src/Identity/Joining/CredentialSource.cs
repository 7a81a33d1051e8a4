// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Muster.Identity.Credentials;
using Muster.Transport;

namespace Muster.Identity.Joining;

/// <summary>
/// Where a program's credential comes from: a token, the environment, a context file, or, for the cell's own user,
/// nowhere. Asked before each channel is made, because the first answer may need the server. Any thread.
/// </summary>
internal sealed class CredentialSource : ICredentialSource
{
    public const string TokenVariable = "MUSTER_TOKEN";

    private readonly string _address;
    private readonly TokenText? _token;
    private readonly ContextFile? _context;
    private readonly SemaphoreSlim _turn = new(1);
    private volatile CellCredential? _known;

    private CredentialSource(string address, TokenText? token, ContextFile? context)
    {
        _address = address;
        _token = token;
        _context = context;
    }

    /// <summary>What goes with an address.</summary>
    /// <param name="address">A channel's; one of a Unix socket needs no credential.</param>
    /// <param name="token">Null: that of the environment, if there is one.</param>
    /// <param name="contextPath">Null: the usual one, if it is there and of this address.</param>
    /// <exception cref="CredentialsUnusableException">What was asked for is not there or damaged.</exception>
    public static CredentialSource For(string address, string? token = null, string? contextPath = null)
    {
        token ??= Environment.GetEnvironmentVariable(TokenVariable);
        TokenText? parsed = null;
        if (!string.IsNullOrEmpty(token) && !TokenText.TryParse(token.Trim(), out parsed))
        {
            throw new CredentialsUnusableException(
                $"the token does not begin with '{TokenText.Prefix}.' or is cut; take it whole as it was issued");
        }

        return new(address, parsed, ContextFor(address, contextPath));
    }

    /// <summary>The address of the usual context file; null: there is none.</summary>
    public static string? ContextAddress()
    {
        var path = ContextFile.DefaultPath;
        return File.Exists(path) ? ContextFile.Load(path).Address : null;
    }

    /// <summary>Null: the address needs none.</summary>
    public async ValueTask<CellCredential?> GetAsync(CancellationToken cancellationToken)
    {
        if (_known is { } known)
        {
            return known;
        }

        if (_token is null && _context is null)
        {
            return null;
        }

        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _known ??= await MakeAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        // The semaphore is never waited for by its handle, so there is nothing to give back.
    }

    private static ContextFile? ContextFor(string address, string? path)
    {
        if (path is not null)
        {
            return ContextFile.Load(path);
        }

        var usual = ContextFile.DefaultPath;
        return address.StartsWith("https:", StringComparison.Ordinal) && File.Exists(usual)
            && ContextFile.Load(usual) is var context && context.Address == address
                ? context
                : null;
    }

    private async Task<CellCredential> MakeAsync(CancellationToken cancellationToken)
    {
        if (_context is not null)
        {
            return new(_token is null ? _context : _context with { Token = _token.Bearer });
        }

        // Without a fingerprint the system's own trust decides, as for any other server of the web.
        return _token!.Fingerprint is null || !ChannelAddress.Parse(_address).IsSecure
            ? new(new ContextFile { Address = _address, Authority = [], Token = _token.Bearer })
            : new(await Enrolment.DiscoverAsync(new JoinLine(_token, _address), cancellationToken)
                .ConfigureAwait(false));
    }
}
