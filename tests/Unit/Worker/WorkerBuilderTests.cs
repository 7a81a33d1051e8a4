// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Muster.Worker;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>The public face: what can be added, and what is refused.</summary>
public sealed class WorkerBuilderTests
{
    private static readonly TaskType<int, long> s_number = TaskType.Json<int, long>("number");

    [Fact]
    public void Handle_WithEveryKindOfFunction_FindsItsOverload()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.AddMusterWorker(new() { Address = "unix:/fake" })
            .Handle(s_number, n => n)
            .Handle(Named("method"), Blocking)
            .Handle(Named("cancel"), (n, _) => (long)n)
            .Handle(Named("context"), (n, context, _) => (long)context.Execution)
            .Handle(Named("async"), async (n, cancel) => await DelayAsync(n, cancel))
            .Handle(Named("async-context"), async (n, _, cancel) => await DelayAsync(n, cancel))
            .Handle(Named("task"), DelayAsync)
            .Handle(Named("value"), ValueAsync)
            .Handle(Named("value-context"), ValueContextAsync)
            .Handle<NumberHandler, int, long>(Named("class"))
            .HandleCommands();
        using var host = builder.Build();
        Assert.Single(host.Services.GetServices<IHostedService>());
    }

    [Fact]
    public void Handle_WithANameThatIsTaken_StopsTheHost()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.AddMusterWorker(new() { Address = "unix:/fake" }).Handle(s_number, n => n).Handle(s_number, n => n);
        using var host = builder.Build();
        Assert.Throws<ArgumentException>(() => host.Services.GetServices<IHostedService>());
    }

    [Fact]
    public void Worker_WithoutAnyHandler_StopsTheHost()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.AddMusterWorker(new() { Address = "unix:/fake" });
        using var host = builder.Build();
        Assert.Throws<ArgumentException>(() => host.Services.GetServices<IHostedService>());
    }

    [Theory]
    [InlineData("relative.sock")]
    [InlineData("unix:relative.sock")]
    [InlineData("unix:")]
    [InlineData("http://user@host:1")]
    [InlineData("ftp://host")]
    [InlineData("http://host:1/path")]
    public void Options_WithAWrongAddress_AreRefused(string address) =>
        Refused(new() { Address = address });

    [Fact]
    public void Options_OutOfTheirRanges_AreRefused()
    {
        Refused(new() { Address = "unix:/fake", Slots = 0 });
        Refused(new() { Address = "unix:/fake", Slots = 65_536 });
        Refused(new() { Address = "unix:/fake", DrainTimeout = TimeSpan.FromSeconds(-1) });
        Refused(new() { Address = "unix:/fake", DrainTimeout = TimeSpan.FromDays(31) });
        Refused(new() { Address = "unix:/fake", CommandOutputBytesMax = -1 });
        Refused(new() { Address = "unix:/fake", CommandOutputBytesMax = WorkerLimits.CommandOutputBytesMax + 1 });
    }

    [Fact]
    public void Options_ByDefault_AreThoseThatTheirDocumentsName()
    {
        var options = new MusterWorkerOptions();
        Assert.Equal(Environment.ProcessorCount, options.Slots);
        Assert.Equal(TimeSpan.FromSeconds(20), options.DrainTimeout);
        Assert.Equal(2_063_872, options.CommandOutputBytesMax);
    }

    private static void Refused(MusterWorkerOptions options) => Assert.ThrowsAny<ArgumentException>(
        () => Host.CreateEmptyApplicationBuilder(null).AddMusterWorker(options));

    private static TaskType<int, long> Named(string name) => TaskType.Json<int, long>(name);

    private static long Blocking(int n) => n;

    private static async Task<long> DelayAsync(int n, CancellationToken cancel)
    {
        await Task.Delay(1, cancel);
        return n;
    }

    private static ValueTask<long> ValueAsync(int n, CancellationToken cancel) => new(DelayAsync(n, cancel));

    private static ValueTask<long> ValueContextAsync(int n, TaskContext context, CancellationToken cancel) =>
        new(DelayAsync(n, cancel));

    private sealed class NumberHandler : ITaskHandler<int, long>
    {
        public ValueTask<long> HandleAsync(int input, TaskContext context, CancellationToken cancellationToken) =>
            new(input);
    }
}
