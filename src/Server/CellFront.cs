// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.NetworkInformation;
using System.Text;
using Microsoft.Extensions.Logging;
using Muster.Arena.Native;
using Muster.Core;
using Muster.Identity.Credentials;
using Muster.Server.Endpoint.Access;

namespace Muster.Server;

/// <summary>
/// The side of a cell's process that others see: the gate that asks them who they are, TLS, and the addresses by which
/// they are told to come. Made before anything listens. Owner: the cell's host.
/// </summary>
internal sealed class CellFront : IDisposable
{
    private const string Wildcard = "*";

    private CellFront(AccessGate gate, AuthorityTlsFront? tls, string? published)
    {
        Gate = gate;
        Tls = tls;
        Published = published;
    }

    public AccessGate Gate { get; }

    public AuthorityTlsFront? Tls { get; }

    /// <summary>The address beside the socket that others are told; its host is "*" when it listens on every address
    /// and none was advertised: whoever asks then takes the host by which it asked. Null: none.</summary>
    public string? Published { get; }

    /// <summary>Makes what the options ask for; the identities too when the cell has none yet.</summary>
    public static Fault TryOpen(CellOptions options, out CellFront? front)
    {
        front = null;
        AuditLog? audit = null;
        try
        {
            var folder = options.StateFolder is { } state ? CredentialStore.FolderOf(state) : null;
            audit = folder is null
                ? null
                : new AuditLog(folder, ProcessOf(options), options.Time, options.Logs.CreateLogger("Muster.Audit"));
            var mode = options.Auth ?? BindRules.DefaultFor(options.Tls);
            var store = mode == AuthMode.None ? null : StoreOf(options, folder!);
            AuthorityTlsFront? tls = null;
            if (options.Tls)
            {
                tls = new AuthorityTlsFront(
                    store!.LoadAuthority(),
                    options.Cell,
                    HostsOf(options),
                    mode == AuthMode.Certificates,
                    options.Time.GetUtcNow());
            }

            var published = PublishedOf(options);
            if (store is not null && published is not null && options.Has(Role.Register))
            {
                Tell(store, published);
            }

            front = new(
                new AccessGate(new AccessGateOptions
                {
                    Store = store, Mode = mode, Tls = tls, Audit = audit, Time = options.Time, Logs = options.Logs,
                }),
                tls,
                published);
            return Fault.None;
        }
        catch (Exception problem) when (problem is CredentialsUnusableException or IOException
            or UnauthorizedAccessException)
        {
            audit?.Dispose();
            return new(FaultCode.CredentialsUnusable, problem.Message);
        }
    }

    /// <summary>The store in a cell's folder, whose changes survive a power loss.</summary>
    public static CredentialStore StoreIn(string folder) => new(folder, FlushFolder);

    /// <summary>
    /// What a caller is told of a role's addresses: on this host all of them, the socket first; elsewhere those that
    /// can be reached, by the host that the caller itself used where the role listens on every address.
    /// </summary>
    public static string[] ReachableBy(IEnumerable<string> addresses, Caller caller, string authority)
    {
        if (caller.Credential is null)
        {
            return [.. addresses.Where(each => !each.Contains($"//{Wildcard}:", StringComparison.Ordinal))];
        }

        var colon = authority.LastIndexOf(':');
        var host = colon > authority.LastIndexOf(']') ? authority[..colon] : authority;
        return [.. addresses
            .Where(each => each.StartsWith("http", StringComparison.Ordinal))
            .Select(each => each.Replace($"//{Wildcard}:", $"//{host}:", StringComparison.Ordinal))];
    }

    public void Dispose() => Gate.Dispose();

    private static CredentialStore StoreOf(CellOptions options, string folder)
    {
        var store = StoreIn(folder);
        if (store.Init(options.Cell, options.Time.GetUtcNow().ToUnixTimeMilliseconds()))
        {
            options.Note?.Invoke($"the first administrator's token is in {store.AdminTokenPath}");
        }

        var book = store.Load();
        return book.Cell == options.Cell
            ? store
            : throw new CredentialsUnusableException(
                $"the identities in {folder} are those of cell '{book.Cell}', not of '{options.Cell}'");
    }

    // What cannot be flushed is a fault of the disk, of which its next user hears.
    private static void FlushFolder(string folder)
    {
        using var opened = Open.File(folder, Open.O_RDONLY | Open.O_DIRECTORY, 0, out var errno);
        if (errno == 0)
        {
            Fsync.Flush(opened);
        }
    }

    private static string ProcessOf(CellOptions options) =>
        options.Roles.Count > 1 ? "cell" : options.Roles[0].ToString().ToLowerInvariant();

    private static string? PublishedOf(CellOptions options)
    {
        if (options.Bind is not { } bind)
        {
            return null;
        }

        var scheme = options.Tls ? "https" : "http";
        if (options.Advertise is { } advertised)
        {
            return advertised.LastIndexOf(':') > advertised.LastIndexOf(']')
                ? $"{scheme}://{advertised}"
                : $"{scheme}://{advertised}:{bind.Port}";
        }

        return IsWildcard(bind.Address) ? $"{scheme}://{Wildcard}:{bind.Port}" : $"{scheme}://{bind}";
    }

    private static bool IsWildcard(IPAddress address) =>
        address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    // For 'muster auth issue', which prints where to join.
    private static void Tell(CredentialStore store, string published)
    {
        var place = published[(published.IndexOf("//", StringComparison.Ordinal) + 2)..];
        SecretFile.Replace(
            store.AddressesPath,
            Encoding.UTF8.GetBytes(place.Replace($"{Wildcard}:", $"{Dns.GetHostName()}:", StringComparison.Ordinal)));
    }

    // Clients of ours know the server by its authority; those of others compare one of these.
    private static List<string> HostsOf(CellOptions options)
    {
        var hosts = new List<string> { "localhost", "127.0.0.1", "::1", Dns.GetHostName() };
        if (options.Advertise is { } advertised)
        {
            var colon = advertised.LastIndexOf(':');
            hosts.Add((colon > advertised.LastIndexOf(']') ? advertised[..colon] : advertised).Trim('[', ']'));
        }

        if (options.Bind is { } bind && IsWildcard(bind.Address))
        {
            hosts.AddRange(NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(each => each.GetIPProperties().UnicastAddresses)
                .Where(each => !each.Address.IsIPv6LinkLocal)
                .Select(each => each.Address.ToString()));
        }
        else if (options.Bind is { } one)
        {
            hosts.Add(one.Address.ToString());
        }

        return [.. hosts.Distinct(StringComparer.OrdinalIgnoreCase)];
    }
}
