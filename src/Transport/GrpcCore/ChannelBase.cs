// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;

namespace Grpc.Core;

/// <summary>Where calls go.</summary>
internal abstract class ChannelBase(string target)
{
    public string Target { get; } = target;

    public abstract CallInvoker CreateCallInvoker();

    public Task ShutdownAsync() => ShutdownAsyncCore();

    public override string ToString() => Target;

    protected virtual Task ShutdownAsyncCore() => Task.CompletedTask;
}
