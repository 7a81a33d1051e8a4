// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf.Collections;
using Grpc.Core;
using Muster.Core;
using Muster.Identity.Credentials;
using Muster.Plm;
using Muster.Server.Endpoint;
using Muster.Server.Endpoint.Access;
using Muster.Transport;
using Muster.Transport.Wire;
using Muster.V1;

namespace Muster.Server.PlmHosting;

/// <summary>
/// SubmissionService: each call is one turn of the PLM's core, but for the session's stream, which is many.
/// </summary>
internal sealed class SubmissionCalls(PlmHost host) : SubmissionService.SubmissionServiceBase
{
    /// <summary>The service with its session's stream left as bytes.</summary>
    public static ServerServiceDefinition Bind(PlmHost host)
    {
        var calls = new SubmissionCalls(host);
        var methods = ServerServiceDefinition.CreateBuilder();
        SubmissionService.BindService(new UnaryBinder(methods), calls);
        return methods.AddMethod(RawMethods.SubmissionSession, calls.Session).Build();
    }

    public override async Task<SubmitTaskResponse> SubmitTask(SubmitTaskRequest request, ServerCallContext context)
    {
        FaultStatus.ThrowIfFault(WireVersions.Check(request.WireVersion));
        var response = new SubmitTaskResponse();
        var items = new RepeatedField<TaskItem> { request.Item ?? new TaskItem() };
        var promise = default(JournalPromise);
        var caller = Caller.Of(context);
        var fault = host.Run((core, _) => Submit(core, caller, request.Options, items, ref promise, receipt =>
        {
            response.TaskId = receipt.Ids[0];
            response.IsDuplicate = receipt.Duplicates.Count > 0;
            return receipt.Faults.Count == 0 ? Fault.None : receipt.Faults[0].Fault;
        }));
        FaultStatus.ThrowIfFault(fault);
        await host.WhenReached(promise.Sequence, promise.Durability);
        return response;
    }

    public override async Task<SubmitTasksResponse> SubmitTasks(SubmitTasksRequest request, ServerCallContext context)
    {
        FaultStatus.ThrowIfFault(WireVersions.Check(request.WireVersion));
        var response = new SubmitTasksResponse();
        var promise = default(JournalPromise);
        var caller = Caller.Of(context);
        var items = request.Items;
        var fault = host.Run((core, _) => Submit(core, caller, request.Options, items, ref promise, receipt =>
        {
            foreach (var id in receipt.Ids)
            {
                response.TaskIds.Add(id);
            }

            foreach (var index in receipt.Duplicates)
            {
                response.Duplicates.Add((uint)index);
            }

            foreach (var (index, why) in receipt.Faults)
            {
                response.Errors.Add(new ItemError
                {
                    Index = (uint)index,
                    Code = FaultCodes.Name(why.Code),
                    Message = why.Message,
                    RetryAfterMs = why.RetryAfterMs,
                });
            }

            return Fault.None;
        }));
        FaultStatus.ThrowIfFault(fault);
        await host.WhenReached(promise.Sequence, promise.Durability);
        return response;
    }

    public override async Task<AwaitTaskResponse> AwaitTask(AwaitTaskRequest request, ServerCallContext context)
    {
        var awaiter = new AwaitCall(host);
        var owner = Caller.Of(context).LimitUnless(Rights.Read);
        uint slot = 0;
        var fault = host.Run((core, now) =>
        {
            var found = core.Await(new TaskId(request.TaskId), awaiter, out slot, out var isDone, owner);
            if (isDone)
            {
                ((ITaskAwaiter)awaiter).Resolve(slot, now);
            }

            return found;
        });
        FaultStatus.ThrowIfFault(fault);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, host.Ended);
        try
        {
            var result = await awaiter.Result.WaitAsync(over.Token);
            return new AwaitTaskResponse { Result = TaskResult.Parser.ParseFrom(result) };
        }
        catch (OperationCanceledException)
        {
            // A role that has ended knows of no awaiters, and says so to the caller; else the call itself is over.
            host.Run((core, _) =>
            {
                core.StopAwaiting(new TaskId(request.TaskId), awaiter);
                return true;
            });
            throw;
        }
    }

    public override Task<CancelTasksResponse> CancelTasks(CancelTasksRequest request, ServerCallContext context) =>
        new CancelCalls(host, Caller.Of(context)).CancelAsync(request);

    public override Task<ReleaseTasksResponse> ReleaseTasks(ReleaseTasksRequest request, ServerCallContext context)
    {
        FaultStatus.ThrowIfFault(CheckCount(request.TaskIds.Count));
        ulong[] ids = [.. request.TaskIds];
        var owner = Caller.Of(context).LimitUnless(Rights.Operate);
        var released = host.Run((core, _) => core.ReleaseTasks(ids, owner));
        return Task.FromResult(new ReleaseTasksResponse { Released = (uint)released });
    }

    private Task Session(
        IAsyncStreamReader<RawMessage> requests,
        IServerStreamWriter<RawMessage> responses,
        ServerCallContext context) =>
        new SessionStream(host, context).ServeAsync(requests, context);

    private Fault Submit(
        PlmCore core,
        Caller caller,
        TaskOptions? options,
        RepeatedField<TaskItem> items,
        ref JournalPromise promise,
        Func<BatchReceipt, Fault> answer)
    {
        var view = View(options ?? new TaskOptions());
        var fault = caller.CheckQueue(view.QueueUtf8);
        var spec = default(TaskSpec);
        fault = fault.IsNone
            ? TaskRules.TryMake(host.Options.Arena, view, out spec, core.DurabilityDefault)
            : fault;
        spec = spec with { Owner = caller.Owner };
        fault = fault.IsNone ? core.BeginBatch(null, null, 0, items.Count, spec) : fault;
        if (!fault.IsNone)
        {
            return fault;
        }

        foreach (var item in items)
        {
            core.AddItem(item.Payload.Span, Encoding.UTF8.GetBytes(item.IdempotencyKey));
        }

        var receipt = core.EndBatch();
        promise = new JournalPromise(receipt.Sequence, receipt.Durability);
        return answer(receipt);
    }

    private static Fault CheckCount(int ids) =>
        ids <= TaskLimits.BatchItemsMax
            ? Fault.None
            : new(
                FaultCode.BatchTooLarge,
                $"the request names {ids} tasks and the limit is {TaskLimits.BatchItemsMax}; split it");

    private static TaskOptionsView View(TaskOptions options)
    {
        var view = new TaskOptionsView
        {
            HandlerUtf8 = Encoding.UTF8.GetBytes(options.Handler),
            QueueUtf8 = Encoding.UTF8.GetBytes(options.Queue),
            HasPriority = options.HasPriority,
            Priority = options.Priority,
            AttemptsMax = options.AttemptsMax,
            TimeoutMs = options.TimeoutMs,
            ExpiresAfterMs = options.ExpiresAfterMs,
            Durability = (int)options.Durability,
            RetentionMs = options.RetentionMs,
            RetryDelayMs = options.RetryDelayMs,
            KeyRetentionMs = options.KeyRetentionMs,
            Rare = new RareTaskOptions
            {
                RetryFactorPercent = options.RetryFactorPercent,
                RetryDelayMaxMs = options.RetryDelayMaxMs,
                RetryJitterPercent = options.RetryJitterPercent,
                RetryBudgetMs = options.RetryBudgetMs,
                ProgressTimeoutMs = options.ProgressTimeoutMs,
                TotalTimeoutMs = options.TotalTimeoutMs,
                CancelGraceMs = options.CancelGraceMs,
            },
        };
        foreach (var name in options.FinalErrors)
        {
            view.Rare.FinalErrors.Add(Encoding.UTF8.GetBytes(name));
        }

        foreach (var resource in options.Resources)
        {
            view.HasOtherResources |= resource.Name != "slots" || resource.AmountMilli != 1_000;
        }

        return view;
    }

    /// <summary>Passes the generated unary methods on and leaves the stream out.</summary>
    private sealed class UnaryBinder(ServerServiceDefinition.Builder methods) : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
            methods.AddMethod(method, handler!);

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
            Invariant.That(method.FullName == RawMethods.SubmissionSession.FullName);
    }
}
