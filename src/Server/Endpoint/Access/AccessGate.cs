// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Threading;
using Microsoft.Extensions.Logging;
using Muster.Core;
using Muster.Identity.Credentials;

namespace Muster.Server.Endpoint.Access;

/// <summary>
/// Decides about every call: who makes it, and whether it may. Denies what no rule allows. The identities are those of
/// the store's file, which is looked at four times a second: a revoked identity's calls end within that time in every
/// process of the cell, streams among them, and new ones are refused. A file that cannot be read refuses everybody but
/// the cell's own user. Any thread.
/// </summary>
internal sealed class AccessGate : IDisposable
{
    public static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    private const string BearerWord = "Bearer ";

    private static readonly Fault s_missing = new(
        FaultCode.CredentialMissing,
        "this cell asks for a credential; run 'muster auth login TOKEN@HOST:PORT', or set MUSTER_TOKEN");

    private static readonly Fault s_invalid = new(
        FaultCode.CredentialInvalid,
        "the credential is not one of this cell; an administrator issues another with 'muster auth issue'");

    private static readonly Fault s_expired = new(
        FaultCode.CredentialExpired,
        "the credential's time is over; an administrator issues another with 'muster auth issue'");

    private static readonly Fault s_revoked = new(
        FaultCode.CredentialRevoked,
        "the credential was revoked; an administrator issues another with 'muster auth issue'");

    private readonly AccessGateOptions _options;
    private readonly ILogger _logger;
    private readonly ITimer? _watch;
    private readonly Lock _looking = new();
    private volatile Snapshot _snapshot = new(CredentialBook.Empty);
    private string? _peeked;

    public AccessGate(AccessGateOptions options)
    {
        _options = options;
        _logger = options.Logs.CreateLogger("Muster.Server.Access");
        if (options.Store is not null)
        {
            Look();
            _watch = options.Time.CreateTimer(
                static gate => ((AccessGate)gate!).Look(), this, LookInterval, LookInterval);
        }
    }

    /// <summary>Told when identities may have lost what they had.</summary>
    public Action? Changed { get; set; }

    /// <summary>Whether who comes by TCP has to prove who it is.</summary>
    public bool AsksStrangers => _options.Mode != AuthMode.None;

    private long NowUnixMs => _options.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Decides about a call.</summary>
    /// <param name="peer">Who is at the other end of the connection.</param>
    /// <param name="authorization">What the call says of itself; null: nothing.</param>
    /// <param name="method">Its full name, or what came in its place.</param>
    /// <param name="rule">The method's; null: it has none, or there is no such method.</param>
    /// <param name="caller">Who it is; meaningless when refused.</param>
    public Fault Admit(
        ConnectionPeer peer, string? authorization, ReadOnlySpan<char> method, AccessRule? rule, out Caller caller)
    {
        if (rule is { IsOpen: true })
        {
            caller = Caller.Anyone;
            return Fault.None;
        }

        var fault = Identify(peer, authorization, out caller);
        if (fault.IsNone && rule is null && caller.Credential is not null)
        {
            fault = caller.Refuse(Rights.Admin, method.ToString());
        }
        else if (fault.IsNone && rule is not null && !rule.Allows(caller))
        {
            fault = caller.Refuse(FirstOf(rule.AnyOf), Grant.DefaultScope);
        }

        if (!fault.IsNone)
        {
            Audit(method, caller, peer, fault);
        }
        else if (rule is { IsPrivileged: true })
        {
            Audit(method, caller, peer, default);
        }

        return fault;
    }

    /// <summary>Whether a caller that was admitted may still be served.</summary>
    public Fault Check(Caller caller)
    {
        if (caller.Credential is not { } known)
        {
            return Fault.None;
        }

        var current = _snapshot.Book.Find(known.Id);
        var state = current?.StateAt(NowUnixMs) ?? CredentialState.Unknown;
        return FaultOf(state);
    }

    /// <summary>Writes a line to the audit log; none: what was done is not told but where it matters.</summary>
    public void Audit(ReadOnlySpan<char> act, Caller caller, ConnectionPeer peer, Fault fault) =>
        _options.Audit?.Add(new AuditEvent(
            _options.Time.GetUtcNow(),
            ShownText.Name(act.ToString()),
            caller.Name,
            caller.Credential?.Id,
            peer.Name,
            fault.IsNone ? null : FaultCodes.Name(fault.Code)));

    public void Dispose()
    {
        _watch?.Dispose();
        _options.Audit?.Dispose();
        _options.Tls?.Dispose();
    }

    private static Rights FirstOf(Rights rights) => rights & (Rights)(-(int)rights);

    private static Fault FaultOf(CredentialState state) => state switch
    {
        CredentialState.Valid => Fault.None,
        CredentialState.Expired => s_expired,
        CredentialState.Revoked => s_revoked,
        _ => s_invalid,
    };

    private Fault Identify(ConnectionPeer peer, string? authorization, out Caller caller)
    {
        caller = Caller.Anyone;
        if (peer.Kind == PeerKind.OwnUser)
        {
            caller = Caller.Local;
            return Fault.None;
        }

        if (_options.Mode == AuthMode.None)
        {
            caller = Caller.Loopback;
            return peer.Kind == PeerKind.Plain ? Fault.None : s_missing;
        }

        // What a connection proves counts before what a call says.
        if (peer.CredentialId is not null)
        {
            return IdentifyByCertificate(peer, peer.CredentialId, out caller);
        }

        if (_options.Mode == AuthMode.Certificates || authorization is null)
        {
            return peer.HasForeignCertificate ? s_invalid : s_missing;
        }

        return IdentifyByToken(authorization, out caller);
    }

    private Fault IdentifyByCertificate(ConnectionPeer peer, string id, out Caller caller)
    {
        var snapshot = _snapshot;
        caller = Caller.Anyone;
        if (snapshot.Book.Find(id) is not { } credential)
        {
            return s_invalid;
        }

        caller = snapshot.CallerOf(credential);
        var fault = FaultOf(credential.StateAt(NowUnixMs));
        return fault.IsNone && peer.CertificateEnds <= _options.Time.GetUtcNow() ? s_expired : fault;
    }

    private Fault IdentifyByToken(string authorization, out Caller caller)
    {
        var snapshot = _snapshot;
        caller = Caller.Anyone;
        if (!authorization.StartsWith(BearerWord, StringComparison.OrdinalIgnoreCase)
            || !TokenText.TryParse(authorization.AsSpan(BearerWord.Length), out var token))
        {
            return s_invalid;
        }

        var state = snapshot.Book.Check(token, NowUnixMs, out var credential);
        if (credential is not null)
        {
            caller = snapshot.CallerOf(credential);
        }

        return FaultOf(state);
    }

    private void Look()
    {
        lock (_looking)
        {
            var peeked = _options.Store!.Peek();
            var isChanged = peeked != _peeked || peeked is null;
            var generation = _snapshot.Book.Generation;
            if (isChanged)
            {
                Read(_options.Store);
                _peeked = peeked;
            }

            var isAsked = generation != 0 && _snapshot.Book.Generation != generation && _snapshot.Book.Generation != 0;
            if (_options.Tls?.RenewIfDue(_options.Time.GetUtcNow(), isAsked) is { } until)
            {
                AccessLog.ServerCertificate(_logger, until.UtcDateTime);
            }
        }

        // Also when nothing was written: time passes, and credentials end.
        Changed?.Invoke();
    }

    private void Read(CredentialStore store)
    {
        try
        {
            var book = store.Load();
            if (book.Serial != _snapshot.Book.Serial || _snapshot.Book.All.Count == 0)
            {
                _snapshot = new(book);
                AccessLog.BookChanged(_logger, book.All.Count, book.Serial);
            }
        }
        catch (CredentialsUnusableException problem)
        {
            if (_snapshot.Book.All.Count > 0 || _peeked is null)
            {
                AccessLog.BookUnusable(_logger, store.Folder, problem.Message);
            }

            _snapshot = new(CredentialBook.Empty);
        }
    }

    /// <summary>A book, and the callers that were met under it.</summary>
    private sealed class Snapshot(CredentialBook book)
    {
        private readonly ConcurrentDictionary<string, Caller> _callers = new(StringComparer.Ordinal);

        public CredentialBook Book => book;

        public Caller CallerOf(Credential credential) =>
            _callers.GetOrAdd(credential.Id, static (_, known) => new Caller(known), credential);
    }
}
