// SPDX-License-Identifier: Apache-2.0
using System.Collections.Concurrent;
using System.Threading;

namespace Muster.Client.Sessions;

/// <summary>
/// Finds the one <see cref="EncodedTaskOptions"/> of a handler and options, so that alike tasks share batches. The
/// idempotency key does not count: it is each task's own. Holds at most 256; when full it starts anew, which costs only
/// smaller batches. Thread-safe.
/// </summary>
internal sealed class TaskOptionsCache
{
    private const int CountMax = 256;

    private readonly ConcurrentDictionary<(string Handler, SubmitOptions Options), EncodedTaskOptions> _known = new();
    private EncodedTaskOptions? _last;

    public EncodedTaskOptions Get(string handler, SubmitOptions? options)
    {
        options ??= SubmitOptions.Default;

        // Most programs repeat one pair of objects; comparing references saves hashing ten fields per task.
        var last = Volatile.Read(ref _last);
        if (last is not null && ReferenceEquals(last.Handler, handler) && ReferenceEquals(last.Options, options))
        {
            return last;
        }

        if (options.IdempotencyKey is not null)
        {
            options = options with { IdempotencyKey = null };
        }

        if (!_known.TryGetValue((handler, options), out var found))
        {
            if (_known.Count >= CountMax)
            {
                _known.Clear();
            }

            found = _known.GetOrAdd(
                (handler, options), static key => EncodedTaskOptions.Create(key.Handler, key.Options));
        }

        Volatile.Write(ref _last, found);
        return found;
    }
}
