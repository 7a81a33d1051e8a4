// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Arena.Spill;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Identity.Credentials;
using Muster.Plm;
using Muster.Server.Endpoint;
using Muster.Server.Endpoint.Access;
using Muster.V1;

namespace Muster.Server.PlmHosting;

/// <summary>
/// AdminService: looks at the cell without a turn, straight in the arena, so that it costs the running work nothing.
/// What it shows of one task is of one moment; a list is not. Only what changes something is a turn.
/// </summary>
internal sealed class AdminCalls(PlmHost host) : AdminService.AdminServiceBase
{
    private const int PageSizeDefault = 100;
    private const int PageSizeMax = 1_000;
    private const int LooksMax = 8;

    public override Task<GetCellResponse> GetCell(GetCellRequest request, ServerCallContext context)
    {
        FaultStatus.ThrowIfFault(host.Refusal);
        return Task.FromResult(CellInfos.Read(host.Options));
    }

    public override Task<GetTaskResponse> GetTask(GetTaskRequest request, ServerCallContext context)
    {
        var id = new TaskId(request.TaskId);
        var owner = Caller.Of(context).LimitUnless(Rights.Read);
        var infos = new TaskInfos(host.Options.Arena, host.Now());
        for (var tries = 0; tries < LooksMax; tries++)
        {
            if (infos.TryReadSpilled(id, out var waiting)
                && (owner is null || host.Run((core, _) => core.IsOwn(id, owner))))
            {
                FaultStatus.ThrowIfFault(host.Refusal);
                return Task.FromResult(new GetTaskResponse { Task = waiting });
            }

            uint index = 0;
            var fault = host.Run((core, _) => core.Find(id, out index, out var _, owner));
            if (fault.IsNone && infos.TryRead(index, out var info) && info.TaskId == id.Value)
            {
                return Task.FromResult(new GetTaskResponse { Task = info });
            }

            // Else it went to disk between the two looks, or came back.
            if (fault.Code is not (FaultCode.None or FaultCode.Unavailable) || !host.Refusal.IsNone)
            {
                FaultStatus.ThrowIfFault(fault);
            }
        }

        throw FaultStatus.ToException(new Fault(FaultCode.TaskNotFound, $"task {id} has just been forgotten"));
    }

    public override Task<ListTasksResponse> ListTasks(ListTasksRequest request, ServerCallContext context)
    {
        FaultStatus.ThrowIfFault(host.Refusal);
        FaultStatus.ThrowIfFault(CheckPage(request, out var from));
        var response = new ListTasksResponse();
        var owner = Caller.Of(context).LimitUnless(Rights.Read);
        var arena = host.Options.Arena;
        var wanted = request.PageSize == 0 ? PageSizeDefault : (int)request.PageSize;
        var filter = new ListFilter(request);
        var infos = new TaskInfos(arena, host.Now());
        var end = arena.Tasks.HighWater;
        for (var index = from; index < end; index++)
        {
            if (!Matches(index, request.Handler)
                || !infos.TryRead(index, out var info)
                || !filter.Matches(info)
                || !IsOwn(index, info.TaskId, owner))
            {
                continue;
            }

            if (response.Tasks.Count == wanted)
            {
                response.NextPageToken = index.ToString("x", CultureInfo.InvariantCulture);
                break;
            }

            response.Tasks.Add(info);
        }

        if (response.NextPageToken.Length == 0)
        {
            ListSpilled(response, request, filter, infos, from, wanted, owner);
        }

        return Task.FromResult(response);
    }

    // Those on disk come last. What is known of them without reading files is what a list shows.
    private void ListSpilled(
        ListTasksResponse response,
        ListTasksRequest request,
        ListFilter filter,
        TaskInfos infos,
        uint from,
        int wanted,
        ushort? owner)
    {
        var spill = host.Options.Arena.Spill;
        Span<ulong> owned = stackalloc ulong[SpillRow.Words];
        var next = Math.Max(from, SpillTable.SlotFlag);
        for (var extent = SpillTable.ExtentOf(next); extent < spill.HighWater; extent++)
        {
            var generation = MarkOwned(extent, owner, owned);
            var first = extent == SpillTable.ExtentOf(next) ? SpillTable.PlaceOf(next) : 0;
            for (var place = first; place < spill[extent].Count; place++)
            {
                var slot = SpillTable.SlotOf(extent, place);
                if (!SpillRow.IsSet(owned, place)
                    || !infos.TryReadSpilled(new TaskId(slot, generation), out var info)
                    || (request.Handler.Length > 0 && info.Handler != request.Handler)
                    || !filter.Matches(info))
                {
                    continue;
                }

                if (response.Tasks.Count == wanted)
                {
                    response.NextPageToken = slot.ToString("x", CultureInfo.InvariantCulture);
                    return;
                }

                response.Tasks.Add(info);
            }
        }
    }

    public override Task<ListWorkersResponse> ListWorkers(ListWorkersRequest request, ServerCallContext context)
    {
        FaultStatus.ThrowIfFault(host.Refusal);
        var response = new ListWorkersResponse();
        var arena = host.Options.Arena;
        var nowMs = host.Now().Ms;
        for (uint row = 0; row < arena.Workers.HighWater; row++)
        {
            if (WorkerInfos.TryRead(arena, row, nowMs, out var info))
            {
                response.Workers.Add(info);
            }
        }

        return Task.FromResult(response);
    }

    public override async Task<RetryTasksResponse> RetryTasks(RetryTasksRequest request, ServerCallContext context)
    {
        if (request.TaskIds.Count > TaskLimits.BatchItemsMax)
        {
            throw FaultStatus.ToException(new Fault(FaultCode.BatchTooLarge,
                $"the request has {request.TaskIds.Count} ids and the limit is {TaskLimits.BatchItemsMax}; split it"));
        }

        var response = new RetryTasksResponse();
        FaultStatus.ThrowIfFault(host.Refusal);
        var owner = Caller.Of(context).LimitUnless(Rights.Operate);
        var sequence = host.Run((core, _) => RetryAll(core, request, response, owner));
        await host.WhenReached(sequence, DurabilityLevel.Durable);
        return response;
    }

    private static ulong RetryAll(
        PlmCore core, RetryTasksRequest request, RetryTasksResponse response, ushort? owner)
    {
        ulong last = 0;
        foreach (var id in request.TaskIds)
        {
            var fault = core.Retry(new TaskId(id), out var newId, out var sequence, owner);
            response.TaskIds.Add(newId);
            last = Math.Max(last, sequence);
            if (!fault.IsNone)
            {
                response.Errors.Add(new ItemError
                {
                    Index = (uint)response.TaskIds.Count - 1,
                    Code = FaultCodes.Name(fault.Code),
                    Message = fault.Message,
                    RetryAfterMs = fault.RetryAfterMs,
                });
            }
        }

        return last;
    }

    // The places of an extent that may be shown, and the generation of their ids.
    private ulong MarkOwned(uint extent, ushort? owner, Span<ulong> owned)
    {
        if (owner is null)
        {
            owned.Fill(ulong.MaxValue);
            return host.Options.Arena.Spill[extent].Generation;
        }

        var places = new ulong[SpillRow.Words];
        var generation = host.Run((core, _) => core.MarkOwned(extent, owner.Value, places));
        places.CopyTo(owned);
        return generation;
    }

    // The generation is written before the owner, so an owner that is read while the id is the same is the task's.
    private bool IsOwn(uint index, ulong id, ushort? owner)
    {
        var tasks = host.Options.Arena.Tasks;
        return owner is null || (tasks[index].Owner == owner && tasks.IdOf(index).Value == id);
    }

    // Without reading the task whole: most do not match.
    private bool Matches(uint index, string handler)
    {
        var arena = host.Options.Arena;
        var word = arena.Tasks.Read(index);
        return word.State != Core.Tasks.TaskState.Free
            && (handler.Length == 0
                || arena.Handlers.Name(arena.Profiles[arena.Tasks[index].Profile].Handler) == handler);
    }

    private static Fault CheckPage(ListTasksRequest request, out uint from)
    {
        from = 0;
        if (request.PageSize > PageSizeMax)
        {
            return new(FaultCode.InvalidArgument, $"page_size is {request.PageSize}; use 1 to {PageSizeMax}, or 0 for "
                + $"{PageSizeDefault}");
        }

        return request.PageToken.Length == 0
            || uint.TryParse(request.PageToken, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out from)
            ? Fault.None
            : new(
                FaultCode.InvalidArgument,
                "page_token is none that this server gave; leave it empty for the first page");
    }
}
