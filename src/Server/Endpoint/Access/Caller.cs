// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using Grpc.Core;
using Muster.Core;
using Muster.Identity.Credentials;

namespace Muster.Server.Endpoint.Access;

/// <summary>
/// Who makes a call, and what it may do. Immutable; one for each identity and book, so that a call costs none.
/// </summary>
internal sealed class Caller
{
    /// <summary>A process of this user on this host, for which the kernel vouches: it may do everything.</summary>
    public static readonly Caller Local = new("local", Grants.Everything);

    /// <summary>Who connects without TLS to a cell that listens on loopback and asks for nothing.</summary>
    public static readonly Caller Loopback = new("loopback", Grants.Everything);

    /// <summary>Nobody in particular, who may call what is open to all.</summary>
    public static readonly Caller Anyone = new("anyone", Grants.None);

    private readonly Grants _grants;

    public Caller(Credential credential)
        : this(credential.Name, credential.Grants)
    {
        Credential = credential;
        Owner = credential.Number;
    }

    private Caller(string name, Grants grants)
    {
        Name = name;
        _grants = grants;
        Rights = grants.On(Grant.DefaultScope);
        RightsAnywhere = grants.Anywhere();
    }

    /// <summary>Of the identity, for people.</summary>
    public string Name { get; }

    /// <summary>Marks what the caller owns; 0: the cell's own user.</summary>
    public ushort Owner { get; }

    /// <summary>Null: the peer needs none.</summary>
    public Credential? Credential { get; }

    /// <summary>On the queue and pool that a cell has today: every task and worker is of it.</summary>
    public Rights Rights { get; }

    /// <summary>On any queue or pool: enough to be heard, not yet to be served.</summary>
    public Rights RightsAnywhere { get; }

    /// <summary>That of the call.</summary>
    public static Caller Of(ServerCallContext context) => ((IOutboxCall)context).Caller;

    /// <summary>Whose tasks the caller may touch: null for everybody's, when it has one of the rights.</summary>
    public ushort? LimitUnless(Rights everybodys) => (Rights & everybodys) != 0 ? null : Owner;

    /// <summary>Whether it may submit to the queue of this name; empty: the default one.</summary>
    public Fault CheckQueue(ReadOnlySpan<byte> queueUtf8)
    {
        if (queueUtf8.IsEmpty || queueUtf8.SequenceEqual("default"u8))
        {
            return (Rights & Rights.Submit) != 0 ? Fault.None : Refuse(Rights.Submit, Grant.DefaultScope);
        }

        var queue = Encoding.UTF8.GetString(queueUtf8[..Math.Min(queueUtf8.Length, Grants.NameCharsMax)]);
        return _grants.Allows(Rights.Submit, queue) ? Fault.None : Refuse(Rights.Submit, ShownText.Name(queue));
    }

    /// <summary>Whether it may work for the cell's pool.</summary>
    public Fault CheckPool() =>
        (Rights & Rights.Work) != 0 ? Fault.None : Refuse(Rights.Work, Grant.DefaultScope);

    /// <summary>The answer to who has not got a right.</summary>
    public Fault Refuse(Rights right, string scope) => new(
        FaultCode.PermissionDenied,
        $"identity '{Name}' has not got the right '{Grants.NameOf(right)}' on '{scope}'; an administrator issues "
        + "credentials with 'muster auth issue'");
}
