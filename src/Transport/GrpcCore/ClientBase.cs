// SPDX-License-Identifier: Apache-2.0
namespace Grpc.Core;

/// <summary>What generated clients derive from.</summary>
internal abstract class ClientBase
{
    protected ClientBase(ClientBaseConfiguration configuration)
    {
        Configuration = configuration;
        CallInvoker = configuration.CallInvoker;
    }

    protected CallInvoker CallInvoker { get; }

    protected ClientBaseConfiguration Configuration { get; }

    /// <summary>How a client reaches its server.</summary>
    protected internal sealed class ClientBaseConfiguration(CallInvoker callInvoker)
    {
        internal CallInvoker CallInvoker { get; } = callInvoker;
    }
}
