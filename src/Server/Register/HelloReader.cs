// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Linq;
using Google.Protobuf;
using Muster.Arena;
using Muster.Core;
using Muster.Register;
using Muster.Transport.Wire;
using Muster.V1;

namespace Muster.Server.RegisterHosting;

/// <summary>Reads muster.v1.RegisterHello: once for each stream, so by the generated class.</summary>
internal static class HelloReader
{
    /// <summary>Throws <see cref="WireFormatException"/> when the bytes are damaged.</summary>
    public static RegistrationFacts Read(ReadOnlySpan<byte> bytes, uint owner = 0)
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
            Owner = owner,
            Name = ShownText.Name(hello.Name),
            Slots = hello.Slots,
            Handlers = hello.Handlers,
            CellId = hello.CellId,
            Epoch = hello.Epoch,
            InHand = [.. hello.InHand.Select(key => new Core.Tasks.AttemptKey(new(key.TaskId), new(key.Attempt)))],
            Host = ShownText.Name(hello.Host),
            Pid = hello.Pid,
            PidStart = hello.PidStart,
            Version = ShownText.Name(hello.Version),
            IsOnThisHost = Guid.TryParse(hello.BootId, CultureInfo.InvariantCulture, out var boot)
                && boot == HostIdentity.BootId
                && hello.PidNamespace == HostIdentity.PidNamespace,
        };
    }
}
