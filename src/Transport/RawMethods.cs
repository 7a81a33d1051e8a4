// SPDX-License-Identifier: Apache-2.0
using Grpc.Core;
using Muster.Transport.Wire;

namespace Muster.Transport;

/// <summary>
/// The three hot streams with messages left as bytes, for both sides. Names equal those of the generated services, so a
/// server binds these instead of the generated methods and any gRPC client can still call them. As texts, because a
/// generated service's own name costs building the descriptors of all messages, which a call of the command line needs
/// for nothing else; a test compares them.
/// </summary>
internal static class RawMethods
{
    public static readonly Marshaller<RawMessage> RawMarshaller = Marshallers.Create<RawMessage>(Write, Read);

    public static readonly Method<RawMessage, RawMessage> SubmissionSession =
        Duplex("muster.v1.SubmissionService", "Session");

    public static readonly Method<RawMessage, RawMessage> Dispatch =
        Duplex("muster.v1.DispatchService", "Dispatch");

    public static readonly Method<RawMessage, RawMessage> Heartbeat =
        Duplex("muster.v1.RegistryService", "Heartbeat");

    private static Method<RawMessage, RawMessage> Duplex(string service, string name) =>
        new(MethodType.DuplexStreaming, service, name, RawMarshaller, RawMarshaller);

    // Writing a message uses it up: its buffer goes back to the pool as soon as the bytes are copied out.
    private static void Write(RawMessage message, SerializationContext context)
    {
        using (message)
        {
            context.SetPayloadLength(message.Length);
            var writer = context.GetBufferWriter();
            message.Span.CopyTo(writer.GetSpan(message.Length));
            writer.Advance(message.Length);
            context.Complete();
        }
    }

    private static RawMessage Read(DeserializationContext context) =>
        RawMessage.Copy(context.PayloadAsReadOnlySequence());
}
