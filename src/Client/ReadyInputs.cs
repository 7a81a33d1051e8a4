// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Client;

/// <summary>Inputs of a map that come without waiting, for whatever takes inputs that do not.</summary>
internal sealed class ReadyInputs<T>(IEnumerable<T> items) : IAsyncEnumerable<T>
{
    public IEnumerable<T> Items => items;

    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        foreach (var item in items)
        {
            yield return item;
        }

        await ValueTask.CompletedTask;
    }
}
