// SPDX-License-Identifier: Apache-2.0
namespace Muster.Worker.Handlers;

/// <summary>Where a handler's code is run.</summary>
internal enum HandlerPlace
{
    /// <summary>
    /// On a thread of the worker's own slots. Blocking code there takes nothing from the thread pool, which the
    /// worker's connections need.
    /// </summary>
    SlotThread,

    /// <summary>On the thread pool: asynchronous handlers hold a slot, not a thread.</summary>
    ThreadPool,
}
