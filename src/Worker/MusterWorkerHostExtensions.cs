// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Muster.Worker.Runtime;

namespace Muster;

/// <summary>Adds Muster workers to .NET application hosts.</summary>
public static class MusterWorkerHostExtensions
{
    /// <summary>
    /// Adds a worker to the application. It starts with the host, connects to its cell for as long as that takes, and
    /// drains when the host stops: what it has not started goes back, what runs may end.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="options">How the worker behaves. Null: the defaults.</param>
    /// <returns>Takes the worker's handlers; it needs at least one.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static MusterWorkerBuilder AddMusterWorker(
        this IHostApplicationBuilder builder, MusterWorkerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        options ??= new MusterWorkerOptions();
        options.Validate();
        var worker = new MusterWorkerBuilder(builder.Services);
        builder.Services.AddSingleton<IHostedService>(services => new WorkerHostedService(new WorkerRuntime(
            options, worker.Build(services), services.GetRequiredService<ILoggerFactory>())));
        return worker;
    }
}
