// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Rings;
using Muster.Arena.Slabs;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Muster.Server.Endpoint;
using Muster.Server.PlmHosting;
using Muster.Transport;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>
/// A PLM's host behind a real endpoint on a Unix socket, and a thread that stands for Scheduler, worker and Register:
/// it answers each task with its payload upside down once it is let.
/// </summary>
internal sealed class HostedCell : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-plm-").FullName;
    private readonly GrpcEndpoint _endpoint;
    private readonly GrpcChannel _channel;
    private readonly SlabAllocator _results;
    private readonly Thread _worker;
    private volatile bool _ends;
    private int _toFinish;

    private HostedCell(PlmOptions options)
    {
        Arena = ArenaFile.CreatePrivate(new ArenaLimits
        {
            TasksMax = 4_096,
            WorkersMax = 16,
            ClientsMax = 16,
            PayloadBytesMax = 8 << 20,
            ResultBytesMax = 8 << 20,
        });
        _results = new SlabAllocator(Arena.Results);
        _results.EndClaims();
        var socket = Path.Combine(_folder, "plm.sock");
        Host = new PlmHost(new PlmHostOptions
        {
            Arena = Arena,
            Addresses = "unix:" + socket,
            Core = options,
            Failed = failure => Failure.TrySetResult(failure),
        });
        _endpoint = new GrpcEndpoint(new EndpointOptions { SocketPath = socket });
        Host.AddTo(_endpoint);
        _channel = GrpcChannel.ForAddress("unix:" + socket);
        _worker = new Thread(Work) { Name = "fake worker", IsBackground = true };
    }

    public ArenaMap Arena { get; }

    public PlmHost Host { get; }

    public TaskCompletionSource<Exception> Failure { get; } =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CallInvoker Calls => _channel.CreateCallInvoker();

    public SubmissionService.SubmissionServiceClient Submission => new(Calls);

    public AdminService.AdminServiceClient Admin => new(Calls);

    public static async Task<HostedCell> StartAsync(PlmOptions? options = null)
    {
        var cell = new HostedCell(options ?? new PlmOptions());
        var fault = cell.Host.Start();
        Assert.True(fault.IsNone, fault.Message);
        fault = await cell._endpoint.StartAsync();
        Assert.True(fault.IsNone, fault.Message);
        cell._worker.Start();
        return cell;
    }

    /// <summary>Lets so many more tasks run.</summary>
    public void Finish(int tasks)
    {
        Interlocked.Add(ref _toFinish, tasks);
        Arena.Wake(Role.Scheduler).Signal();
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _endpoint.StopAsync(TimeSpan.FromSeconds(5));
        Host.Stop();
        _ends = true;
        Arena.Wake(Role.Scheduler).Signal();
        _worker.Join();
        Arena.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Work()
    {
        var classes = new ReadyClass[16];
        var taken = new TakenTask[16];
        while (!_ends)
        {
            DrainFreed();
            var count = Arena.Ready.ReadyClasses(classes);
            for (var at = 0; at < count; at++)
            {
                var wanted = Math.Min(Volatile.Read(ref _toFinish), taken.Length);
                var got = Arena.Ready.Take(classes[at].Id, 0, Arena.Epoch, Host.Now().UnixUs, taken.AsSpan(0, wanted));
                Interlocked.Add(ref _toFinish, -got);
                foreach (var task in taken.AsSpan(0, got))
                {
                    Report(task);
                }

                Arena.Wake(Role.Plm).Signal();
            }

            Arena.Wake(Role.Scheduler).Wait(Volatile.Read(ref _toFinish) > 0 && Arena.Ready.Count > 0 ? 0 : 1_000);
        }
    }

    private void Report(TakenTask task)
    {
        ref var slot = ref Arena.Tasks[task.Slot];
        var payload = Arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes);
        var text = Encoding.UTF8.GetString(payload).ToCharArray();
        Array.Reverse(text);
        var output = Encoding.UTF8.GetBytes(text);
        var size = ResultRecord.Size(0, output.Length);
        Assert.True(_results.TryAllocate(size, out var block));
        ResultRecord.Write(Arena.Results.Bytes(block, size), default, output);
        slot.ResultBlock = block;
        slot.ResultBytes = (uint)size;
        slot.AttemptOutcome = (byte)Outcome.Succeeded;
        (slot.ReceivedUs, slot.StartedUs, slot.FinishedUs, slot.ReportedUs) = (10, 20, 30, 40);
        var reported = task.Word.With(Muster.Core.Tasks.TaskState.Reported);
        if (Arena.Tasks.TryStep(Role.Register, task.Slot, task.Word, reported))
        {
            Arena.Finished.TryWrite([new FinishedRecord(FinishedRecord.Reported, task.Slot, slot.Generation)]);
        }
    }

    private void DrainFreed()
    {
        Span<FreedRecord> records = stackalloc FreedRecord[64];
        int count;
        while ((count = Arena.Freed.Read(records)) > 0)
        {
            foreach (var record in records[..count])
            {
                _results.Free(record.Block, (int)record.Bytes);
            }
        }
    }
}
