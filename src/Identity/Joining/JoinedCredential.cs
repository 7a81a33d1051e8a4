// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Identity.Credentials;

namespace Muster.Identity.Joining;

/// <summary>
/// The credential of a worker that joined by one line: a short-lived certificate for a key of its own, which it gets by
/// the line's token, keeps in a file of mode 0600, and has renewed when two thirds of its time are over, proved by
/// itself. The file spares a restart the token; when the certificate's time is over, the token counts again. Any
/// thread. Owner: the worker's transport.
/// </summary>
internal sealed class JoinedCredential : ICredentialSource
{
    private const double RenewAfter = 2.0 / 3;
    private const double RetryAfter = 1.0 / 20;

    private readonly JoinLine? _line;
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _ended = new();
    private volatile CellCredential? _known;

    /// <param name="line">Null: the file is all there is.</param>
    /// <param name="path">Where the certificate is kept; null: by the identity's id in the state folder.</param>
    /// <param name="time">Clock and timers.</param>
    public JoinedCredential(JoinLine? line, string? path, TimeProvider time)
    {
        _line = line;
        _path = path ?? ContextFile.JoinedPath(line!.Token.Id);
        _time = time;
    }

    /// <summary>Told when a renewal failed, with the reason; it is tried again.</summary>
    public Action<string>? RenewalFailed { get; set; }

    public async ValueTask<CellCredential?> GetAsync(CancellationToken cancellationToken)
    {
        if (_known is { } known && !IsOver(known))
        {
            return known;
        }

        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_known is { } renewed && !IsOver(renewed))
            {
                return renewed;
            }

            return await BeginAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _ended.Cancel();

    private bool IsOver(CellCredential credential) =>
        credential.ExpiresAt is { } end && end <= _time.GetUtcNow();

    private async Task<CellCredential> BeginAsync(CancellationToken cancellationToken)
    {
        var isFirst = _known is null;
        var credential = Kept() ?? new CellCredential(_line is null
            ? ContextFile.Load(_path)
            : await Enrolment.DiscoverAsync(_line, cancellationToken).ConfigureAwait(false));

        // Also a kept one is renewed at once: how much of its time is left only the server's clock knows.
        var lifetime = await RenewAsync(credential, cancellationToken).ConfigureAwait(false);
        _known = credential;
        if (isFirst)
        {
            _ = KeepRenewedAsync(credential, lifetime);
        }

        return credential;
    }

    private CellCredential? Kept()
    {
        if (!File.Exists(_path))
        {
            return null;
        }

        try
        {
            var context = ContextFile.Load(_path);
            var credential = new CellCredential(_line is null ? context : context with { Address = _line.Address });
            return IsOver(credential) ? null : credential;
        }
        catch (CredentialsUnusableException) when (_line is not null)
        {
            // The token gets another.
            return null;
        }
    }

    private async Task<TimeSpan> RenewAsync(CellCredential credential, CancellationToken cancellationToken)
    {
        var (context, lifetime) = await Enrolment.EnrollAsync(credential, cancellationToken).ConfigureAwait(false);
        context.Save(_path);
        credential.Renew(context);
        return lifetime;
    }

    private async Task KeepRenewedAsync(CellCredential credential, TimeSpan lifetime)
    {
        var wait = lifetime * RenewAfter;
        while (true)
        {
            try
            {
                await Task.Delay(wait, _time, _ended.Token).ConfigureAwait(false);
                var current = _known ?? credential;
                wait = await RenewAsync(current, _ended.Token).ConfigureAwait(false) * RenewAfter;
            }
            catch (OperationCanceledException) when (_ended.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is RpcException or IOException or UnauthorizedAccessException
                or CredentialsUnusableException)
            {
                wait = lifetime * RetryAfter;
                RenewalFailed?.Invoke(failure.Message);
            }
        }
    }
}
