// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Tasks;
using Google.Protobuf;
using Xunit;

namespace Muster.Unit.Client;

public class ClientTests
{
    private static readonly TaskType<int, int> s_twice = TaskType.Json<int, int>(
        "twice", new JsonSerializerOptions { TypeInfoResolver = new DefaultJsonTypeInfoResolver() });

    [Fact]
    public async Task Run_Task_ReturnsItsValue()
    {
        await using var server = new FakePlmServer(new PlmModel());

        Assert.Equal(4, await server.Client.RunAsync(s_twice, 4));
    }

    [Fact]
    public async Task Submit_Task_GivesAHandleThatMayBeAwaitedTwice()
    {
        await using var server = new FakePlmServer(new PlmModel());

        var handle = await server.Client.SubmitAsync(s_twice, 5);

        Assert.NotEqual(TaskId.None, handle.Id);
        Assert.Equal(5, await handle);
        Assert.Equal(5, await handle);
        Assert.True(handle.IsEnded);
    }

    [Fact]
    public async Task Run_TaskFails_ThrowsWithEverythingTheWorkerSaid()
    {
        await using var server = new FakePlmServer(new PlmModel(), plm => Failed(plm.Finish(int.MaxValue)));

        var failure = await Assert.ThrowsAsync<TaskFailedException>(() => server.Client.RunAsync(s_twice, 4));

        Assert.Equal("HANDLER_FAILED", failure.Code);
        Assert.Equal(Outcome.Failed, failure.Outcome);
        Assert.Equal("System.DivideByZeroException", failure.RemoteType);
        Assert.Equal("at Worker.Run()", failure.RemoteStack);
        Assert.NotEqual(TaskId.None, failure.Id);
        Assert.Equal(4097, failure.Attempt);
        Assert.Contains("DivideByZeroException: by nought", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WaitCancelled_EndsTheWaitAndLeavesTheTask()
    {
        var plm = new PlmModel();
        await using var server = new FakePlmServer(plm, _ => new());
        using var cancel = new System.Threading.CancellationTokenSource();
        var handle = await server.Client.SubmitAsync(s_twice, 6);

        var wait = handle.WaitAsync(cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        Assert.False(handle.IsEnded);
        Assert.Equal(1, plm.HeldCount);
    }

    [Fact]
    public async Task RunCommand_ExitCodeNotZero_IsAResultAndNoException()
    {
        var output = new V1.CommandResult { ExitCode = 3, Stderr = ByteString.CopyFromUtf8("oh") }.ToByteString();
        await using var server = new FakePlmServer(new PlmModel(), plm =>
        {
            var response = plm.Finish(int.MaxValue);
            foreach (var result in response.Results)
            {
                result.Outcome = V1.Outcome.Failed;
                result.Error = new() { Code = "COMMAND_EXITED", Message = "exit code 3" };
                result.Output = output;
            }

            return response;
        });

        var done = await server.Client.RunCommandAsync(new() { Arguments = ["false"] });

        Assert.Equal(3, done.ExitCode);
        Assert.False(done.Succeeded);
        Assert.Equal("oh"u8.ToArray(), done.StandardError.ToArray());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(8)]
    public async Task Submit_PriorityOutOfRange_IsRefusedWhereItWasWritten(int priority)
    {
        await using var server = new FakePlmServer(new PlmModel());

        var refusal = await Assert.ThrowsAsync<MusterException>(
            () => server.Client.RunAsync(s_twice, 1, new() { Priority = priority }));

        Assert.Equal("PRIORITY_OUT_OF_RANGE", refusal.Code);
    }

    [Fact]
    public async Task RunCommand_NoArguments_IsRefused()
    {
        await using var server = new FakePlmServer(new PlmModel());

        var refusal = await Assert.ThrowsAsync<MusterException>(
            () => server.Client.RunCommandAsync(new() { Arguments = [] }));

        Assert.Equal("COMMAND_INVALID", refusal.Code);
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:1")]
    [InlineData("unix:relative.sock")]
    [InlineData("127.0.0.1:7000")]
    public void Connect_AddressOfAnotherKind_IsRefused(string address)
    {
        var refusal = Assert.Throws<MusterException>(() => MusterClient.Connect(address));

        Assert.Equal("ADDRESS_INVALID", refusal.Code);
        Assert.Contains("unix:/path", refusal.Message, StringComparison.Ordinal);
    }

    private static V1.SessionResponse Failed(V1.SessionResponse response)
    {
        foreach (var result in response.Results.ToList())
        {
            result.Outcome = V1.Outcome.Failed;
            result.Error = new()
            {
                Code = "HANDLER_FAILED",
                Message = "by nought",
                Type = "System.DivideByZeroException",
                Stack = "at Worker.Run()",
            };
        }

        return response;
    }
}
