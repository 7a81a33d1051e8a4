// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using System.Threading.Tasks;

namespace Muster;

/// <summary>
/// A handler as a class. One is made for each attempt, from a scope of its own of the host's services, and the scope is
/// disposed when the attempt has ended.
/// </summary>
/// <typeparam name="TIn">What the handler gets.</typeparam>
/// <typeparam name="TOut">What it returns.</typeparam>
public interface ITaskHandler<in TIn, TOut>
{
    /// <summary>
    /// Runs one attempt, on the thread pool. What it throws fails the attempt, with its type and stack.
    /// </summary>
    /// <param name="input">The task's input.</param>
    /// <param name="context">Which attempt of which task this is.</param>
    /// <param name="cancellationToken">
    /// Cancelled when the task is cancelled, its time is over, it was given to another worker, or the worker stops.
    /// </param>
    /// <returns>The output.</returns>
    ValueTask<TOut> HandleAsync(TIn input, TaskContext context, CancellationToken cancellationToken);
}
