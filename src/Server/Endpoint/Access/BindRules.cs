// SPDX-License-Identifier: Apache-2.0
using System.Net;
using Muster.Core;

namespace Muster.Server.Endpoint.Access;

/// <summary>Which combinations of address, TLS and authentication may be served. Whoever may submit runs code on every
/// worker, so there is no flag that opens a cell to strangers.</summary>
internal static class BindRules
{
    /// <param name="bind">The address beside the Unix socket; null: none.</param>
    /// <param name="hasTls">--tls.</param>
    /// <param name="auth">--auth; null: not said.</param>
    public static Fault Check(IPEndPoint? bind, bool hasTls, AuthMode? auth)
    {
        if (bind is null)
        {
            return hasTls || auth is not (null or AuthMode.None)
                ? new(
                    FaultCode.InvalidArgument,
                    "--tls and --auth are for an address that --bind names; add --bind ADDRESS:PORT, or leave them out")
                : Fault.None;
        }

        if (hasTls && auth == AuthMode.None)
        {
            return new(
                FaultCode.BindRefused,
                "with TLS and without authentication everybody who can connect may run code on every worker; use "
                + "--auth tokens or --auth certificates");
        }

        if (auth == AuthMode.Certificates && !hasTls)
        {
            return new(FaultCode.BindRefused, "--auth certificates needs TLS to carry them; add --tls");
        }

        if (IPAddress.IsLoopback(bind.Address) || hasTls)
        {
            return Fault.None;
        }

        return new(
            FaultCode.BindRefused,
            $"{bind} is not a loopback address, and whoever may submit a task runs code on every worker; add --tls, "
            + "which also asks for credentials, or use 127.0.0.1:PORT, [::1]:PORT or the Unix socket");
    }

    /// <summary>What is asked for when nobody said.</summary>
    public static AuthMode DefaultFor(bool hasTls) => hasTls ? AuthMode.Tokens : AuthMode.None;
}
