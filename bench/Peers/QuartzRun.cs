// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace Muster.Peers;

/// <summary>The process of <see cref="QuartzPeer"/>: jobs in memory, two threads, submitted by the thousand.</summary>
internal sealed class QuartzRun
{
    private const int Threads = 2;
    private const int Tasks = 80_000;
    private const int LoneTasks = 5_000;
    private const int Commands = 1_000;
    private const int Batch = 1_000;

    private static readonly string s_payload = new('x', 100);
    private static TaskCompletionSource s_done = new();
    private static int s_left;

    private readonly IScheduler _scheduler;
    private int _names;

    private QuartzRun(IScheduler scheduler) => _scheduler = scheduler;

    public static async Task RunAsync()
    {
        var services = new ServiceCollection();
        services.AddQuartz(quartz =>
        {
            quartz.UseInMemoryStore(_ => { });
            quartz.UseDefaultThreadPool(Threads);
        });
        services.Configure<QuartzSchedulerOptions>(options => options.MaxBatchSize = Threads);
        await using var provider = services.BuildServiceProvider();
        var scheduler = await provider.GetRequiredService<ISchedulerFactory>().GetScheduler();
        await scheduler.Start();
        var run = new QuartzRun(scheduler);
        await run.FlowAsync<NoJob>(3_000);
        var perSecond = await run.FlowAsync<NoJob>(Tasks);
        await run.LoneAsync(LoneTasks / 10);
        var times = await run.LoneAsync(LoneTasks);
        var commands = await run.FlowAsync<TrueJob>(Commands);
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            tasks_per_s = perSecond,
            p50_us = times[times.Length / 2],
            p99_us = times[times.Length * 99 / 100],
            commands_per_s = commands,
        }));
        await scheduler.Shutdown();
    }

    private async Task<double> FlowAsync<TJob>(int tasks)
        where TJob : IJob
    {
        Expect(tasks);
        var start = Stopwatch.GetTimestamp();
        for (var begun = 0; begun < tasks; begun += Batch)
        {
            var jobs = new Dictionary<IJobDetail, IReadOnlyCollection<ITrigger>>();
            for (var n = begun; n < Math.Min(tasks, begun + Batch); n++)
            {
                var (job, trigger) = Make<TJob>();
                jobs[job] = [trigger];
            }

            await _scheduler.ScheduleJobs(jobs);
        }

        await s_done.Task;
        return tasks / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private async Task<double[]> LoneAsync(int tasks)
    {
        var times = new double[tasks];
        for (var n = 0; n < tasks; n++)
        {
            Expect(1);
            var start = Stopwatch.GetTimestamp();
            var (job, trigger) = Make<NoJob>();
            await _scheduler.ScheduleJob(job, trigger);
            await s_done.Task;
            times[n] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        Array.Sort(times);
        return times;
    }

    private (IJobDetail Job, ITrigger Trigger) Make<TJob>()
        where TJob : IJob
    {
        var name = $"j{_names++}";
        return (
            JobBuilder.Create<TJob>().WithIdentity(name).UsingJobData("p", s_payload).Build(),
            TriggerBuilder.Create().WithIdentity(name).StartNow().Build());
    }

    private static void Expect(int tasks)
    {
        s_done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref s_left, tasks);
    }

    private static void Hit()
    {
        if (Interlocked.Decrement(ref s_left) == 0)
        {
            s_done.SetResult();
        }
    }

    /// <summary>Does nothing, with a result of 32 bytes.</summary>
    public sealed class NoJob : IJob
    {
        private static readonly string s_result = new('r', 32);

        /// <inheritdoc/>
        public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
        {
            context.Result = s_result;
            Hit();
            return default;
        }
    }

    /// <summary>Runs /bin/true.</summary>
    public sealed class TrueJob : IJob
    {
        /// <inheritdoc/>
        public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
        {
            TrueCommand.Run();
            Hit();
            return default;
        }
    }
}
