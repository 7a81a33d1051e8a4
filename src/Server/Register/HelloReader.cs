// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using Google.Protobuf;
using Muster.Arena;
using Muster.Register;
using Muster.Transport.Wire;
using Muster.V1;

namespace Muster.Server.RegisterHosting;

/// <summary>Reads muster.v1.RegisterHello: once for each stream, so by the generated class.</summary>
internal static class HelloReader
{
    /// <summary>Throws <see cref="WireFormatException"/> when the bytes are damaged.</summary>
    public static RegistrationFacts Read(ReadOnlySpan<byte> bytes)
    {
        RegisterHello hello;
        try
        {
            hello = RegisterHello.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException problem)
        {
            throw new WireFormatException(problem.Message);
        }

        return new()
        {
            WireVersion = hello.WireVersion,
            WorkerId = hello.WorkerId,
            Nonce = hello.Nonce,
            Name = Printable(hello.Name),
            Slots = hello.Slots,
            Handlers = hello.Handlers,
            Host = Printable(hello.Host),
            Pid = hello.Pid,
            PidStart = hello.PidStart,
            Version = Printable(hello.Version),
            IsOnThisHost = Guid.TryParse(hello.BootId, CultureInfo.InvariantCulture, out var boot)
                && boot == HostIdentity.BootId
                && hello.PidNamespace == HostIdentity.PidNamespace,
        };
    }

    // These come onto people's terminals: nothing in them may move a cursor.
    private static string Printable(string text) =>
        string.Create(text.Length, text, static (target, source) =>
        {
            for (var i = 0; i < target.Length; i++)
            {
                target[i] = char.IsControl(source[i]) ? '?' : source[i];
            }
        });
}
