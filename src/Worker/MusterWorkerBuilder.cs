// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Muster.Worker.Handlers;

namespace Muster;

/// <summary>
/// Adds handlers to a worker; made by <see cref="MusterWorkerHostExtensions.AddMusterWorker"/>. Every method returns
/// the builder. Not thread-safe. A name that is added twice, or more than 1,024 handlers, stop the host at its start.
/// </summary>
/// <remarks>
/// Handlers that return their output directly run on threads of the worker's own, one per slot, and may block. Handlers
/// that return a task run on the thread pool and should not. Whatever a handler throws fails the attempt, with the
/// exception's type, message and stack as text.
/// </remarks>
public sealed class MusterWorkerBuilder
{
    private readonly IServiceCollection _services;
    private readonly List<Func<IServiceProvider, HandlerEntry>> _handlers = [];
    private bool _offersCommands;

    internal MusterWorkerBuilder(IServiceCollection services) => _services = services;

    /// <summary>Adds a blocking handler.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What it returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="handler">Called by up to as many threads at once as there are slots.</param>
    /// <returns>This builder.</returns>
    public MusterWorkerBuilder Handle<TIn, TOut>(TaskType<TIn, TOut> type, Func<TIn, TOut> handler)
    {
        Check(type, handler);
        return Add(_ => new PlainHandler<TIn, TOut>(type, handler));
    }

    /// <summary>Adds a blocking handler that watches a token.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What it returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="handler">
    /// Its token is cancelled when the task is cancelled, its time is over, it was given to another worker, or the
    /// worker stops.
    /// </param>
    /// <returns>This builder.</returns>
    public MusterWorkerBuilder Handle<TIn, TOut>(TaskType<TIn, TOut> type, Func<TIn, CancellationToken, TOut> handler)
    {
        Check(type, handler);
        return Add(_ => new PlainHandler<TIn, TOut>(type, (input, _, cancel) => handler(input, cancel)));
    }

    /// <summary>Adds a blocking handler that knows its attempt and watches a token.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What it returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="handler">The handler.</param>
    /// <returns>This builder.</returns>
    public MusterWorkerBuilder Handle<TIn, TOut>(
        TaskType<TIn, TOut> type, Func<TIn, TaskContext, CancellationToken, TOut> handler)
    {
        Check(type, handler);
        return Add(_ => new PlainHandler<TIn, TOut>(type, handler));
    }

    /// <summary>Adds an asynchronous handler.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What it returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="handler">The handler.</param>
    /// <returns>This builder.</returns>
    [OverloadResolutionPriority(1)]
    public MusterWorkerBuilder Handle<TIn, TOut>(
        TaskType<TIn, TOut> type, Func<TIn, CancellationToken, Task<TOut>> handler)
    {
        Check(type, handler);
        return Add(_ => new AsyncHandler<TIn, TOut>(type, (input, _, cancel) => new(handler(input, cancel))));
    }

    /// <summary>Adds an asynchronous handler.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What it returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="handler">The handler.</param>
    /// <returns>This builder.</returns>
    public MusterWorkerBuilder Handle<TIn, TOut>(
        TaskType<TIn, TOut> type, Func<TIn, CancellationToken, ValueTask<TOut>> handler)
    {
        Check(type, handler);
        return Add(_ => new AsyncHandler<TIn, TOut>(type, (input, _, cancel) => handler(input, cancel)));
    }

    /// <summary>Adds an asynchronous handler that knows its attempt.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What it returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="handler">The handler.</param>
    /// <returns>This builder.</returns>
    [OverloadResolutionPriority(1)]
    public MusterWorkerBuilder Handle<TIn, TOut>(
        TaskType<TIn, TOut> type, Func<TIn, TaskContext, CancellationToken, Task<TOut>> handler)
    {
        Check(type, handler);
        return Add(_ => new AsyncHandler<TIn, TOut>(
            type, (input, context, cancel) => new(handler(input, context, cancel))));
    }

    /// <summary>Adds an asynchronous handler that knows its attempt.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What it returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="handler">The handler.</param>
    /// <returns>This builder.</returns>
    public MusterWorkerBuilder Handle<TIn, TOut>(
        TaskType<TIn, TOut> type, Func<TIn, TaskContext, CancellationToken, ValueTask<TOut>> handler)
    {
        Check(type, handler);
        return Add(_ => new AsyncHandler<TIn, TOut>(type, handler));
    }

    /// <summary>
    /// Adds a handler that is a class. One is made for each attempt from a new scope of the host's services; it is
    /// registered there as scoped unless it is registered already.
    /// </summary>
    /// <typeparam name="THandler">The class; its constructor's parameters are injected.</typeparam>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What it returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <returns>This builder.</returns>
    public MusterWorkerBuilder Handle<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler, TIn, TOut>(
        TaskType<TIn, TOut> type)
        where THandler : class, ITaskHandler<TIn, TOut>
    {
        ArgumentNullException.ThrowIfNull(type);
        _services.TryAddScoped<THandler>();
        return Add(services =>
        {
            var scopes = services.GetRequiredService<IServiceScopeFactory>();
            return new AsyncHandler<TIn, TOut>(type, (input, context, cancel) =>
                RunInScopeAsync<THandler, TIn, TOut>(scopes, input, context, cancel));
        });
    }

    /// <summary>
    /// Lets the worker run commands: any program, with any arguments, that a client names. Whoever may submit tasks to
    /// the cell may then do on this host what this process may do.
    /// </summary>
    /// <returns>This builder.</returns>
    public MusterWorkerBuilder HandleCommands()
    {
        _offersCommands = true;
        return this;
    }

    internal HandlerTable Build(IServiceProvider services)
    {
        var table = new HandlerTable { OffersCommands = _offersCommands };
        foreach (var make in _handlers)
        {
            table.Add(make(services));
        }

        return table;
    }

    private static async ValueTask<TOut> RunInScopeAsync<THandler, TIn, TOut>(
        IServiceScopeFactory scopes, TIn input, TaskContext context, CancellationToken cancel)
        where THandler : class, ITaskHandler<TIn, TOut>
    {
        await using var scope = scopes.CreateAsyncScope();
        var handler = scope.ServiceProvider.GetRequiredService<THandler>();
        return await handler.HandleAsync(input, context, cancel).ConfigureAwait(false);
    }

    private static void Check(object type, Delegate handler)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(handler);
    }

    private MusterWorkerBuilder Add(Func<IServiceProvider, HandlerEntry> make)
    {
        _handlers.Add(make);
        return this;
    }
}
