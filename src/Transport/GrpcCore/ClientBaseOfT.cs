// SPDX-License-Identifier: Apache-2.0
namespace Grpc.Core;

/// <summary>What generated clients derive from, with their own type.</summary>
internal abstract class ClientBase<T> : ClientBase
    where T : ClientBase<T>
{
    /// <summary>Only for test doubles: a client that can call nothing.</summary>
    protected ClientBase()
        : base(new ClientBaseConfiguration(UnimplementedCallInvoker.Instance))
    {
    }

    protected ClientBase(ChannelBase channel)
        : base(new ClientBaseConfiguration(channel.CreateCallInvoker()))
    {
    }

    protected ClientBase(CallInvoker callInvoker)
        : base(new ClientBaseConfiguration(callInvoker))
    {
    }

    protected ClientBase(ClientBaseConfiguration configuration)
        : base(configuration)
    {
    }

    protected abstract T NewInstance(ClientBaseConfiguration configuration);
}
