// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Core;
using Muster.Journal;
using Muster.Plm.Spill;

namespace Muster.Server.Spill;

/// <summary>
/// The thread "spill": writes extents of tasks to files, reads them ahead of need, and removes them, in the order in
/// which it was asked; so no turn of the PLM waits for the disk. Queue: at most <see cref="WritesMax"/> bodies to write
/// and <see cref="ReadsMax"/> read ahead, each some hundred KiB; removals are names only.
///
/// <para>Threads: <see cref="IPlmSpill"/> is called inside turns, one at a time; what it shares with the thread lies
/// under a lock of its own, held for moments only. The thread takes no turn while it holds it.</para>
/// </summary>
internal sealed class SpillThread : IPlmSpill, IDisposable
{
    private const int WritesMax = 8;
    private const int ReadsMax = 16;
    private const int FullPauseMs = 250;

    private readonly SpillFiles _files;
    private readonly string _folder;
    private readonly ISpillHost _host;
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(initialState: false);

    // Guarded by the gate.
    private readonly Queue<Order> _orders = new();
    private readonly Dictionary<(uint Extent, ulong Generation), Body?> _ahead = [];
    private readonly Stack<byte[]> _buffers = new();
    private int _writes;
    private Fault _refusal;
    private bool _started;

    private volatile bool _stopping;
    private byte[] _own = [];
    private byte[] _lent = [];

    public SpillThread(SpillFiles files, string folder, ISpillHost host)
    {
        _files = files;
        _folder = folder;
        _host = host;
        _thread = new Thread(Work) { Name = "spill", IsBackground = true };
    }

    private enum What
    {
        Write,
        Read,
        Delete,
    }

    private readonly record struct Order(What What, uint Extent, ulong Generation, byte[] Bytes, int Length);

    private readonly record struct Body(byte[] Bytes, int Length);

    public bool HasRoom
    {
        get
        {
            lock (_gate)
            {
                return _writes < WritesMax;
            }
        }
    }

    public Fault Refusal
    {
        get
        {
            lock (_gate)
            {
                return _refusal;
            }
        }
    }

    public void Start()
    {
        lock (_gate)
        {
            _started = true;
        }

        _thread.Start();
    }

    /// <summary>Ends the thread after what it is at. What was not written is in the arena still.</summary>
    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _wake.Set();
        if (_thread.IsAlive && _thread != Thread.CurrentThread)
        {
            _thread.Join();
        }
    }

    public void Write(uint extent, ulong generation, ReadOnlySpan<byte> body)
    {
        lock (_gate)
        {
            var bytes = TakeBuffer(body.Length);
            body.CopyTo(bytes);
            _writes++;
            _orders.Enqueue(new Order(What.Write, extent, generation, bytes, body.Length));
        }

        _wake.Set();
    }

    public Fault WriteNow(uint extent, ulong generation, ReadOnlySpan<byte> body)
    {
        var errno = _files.Write(extent, generation, body);
        return errno == 0 ? Fault.None : FaultOf(errno);
    }

    public void Prefetch(uint extent, ulong generation)
    {
        lock (_gate)
        {
            if (_ahead.Count >= ReadsMax || !_ahead.TryAdd((extent, generation), null))
            {
                return;
            }

            _orders.Enqueue(new Order(What.Read, extent, generation, [], 0));
        }

        _wake.Set();
    }

    public bool TryRead(uint extent, ulong generation, out ReadOnlySpan<byte> body)
    {
        body = default;
        lock (_gate)
        {
            if (_ahead.TryGetValue((extent, generation), out var found))
            {
                if (found is not { } read)
                {
                    return false;
                }

                _ahead.Remove((extent, generation));
                GiveBack(_lent);
                _lent = read.Bytes;
                body = read.Bytes.AsSpan(0, read.Length);
                return true;
            }

            // Over the limit if need be: nothing else may be asked for again.
            _ahead.Add((extent, generation), null);
            _orders.Enqueue(new Order(What.Read, extent, generation, [], 0));
        }

        _wake.Set();
        return false;
    }

    public ReadOnlySpan<byte> ReadNow(uint extent, ulong generation)
    {
        var length = _files.Read(extent, generation, ref _own);
        return _own.AsSpan(0, length);
    }

    public ReadOnlySpan<byte> ReadStart(uint extent, ulong generation, int bytes)
    {
        if (_own.Length < bytes)
        {
            _own = new byte[bytes];
        }

        _files.ReadStart(extent, generation, _own.AsSpan(0, bytes));
        return _own.AsSpan(0, bytes);
    }

    public void Forget(uint extent, ulong generation)
    {
        lock (_gate)
        {
            if (_ahead.Remove((extent, generation), out var read) && read is { } body)
            {
                GiveBack(body.Bytes);
            }

            if (!_started)
            {
                // During a takeover, when the same name may be written again at once.
                _files.Delete(extent, generation);
                return;
            }

            _orders.Enqueue(new Order(What.Delete, extent, generation, [], 0));
        }

        _wake.Set();
    }

    public void KeepOnly(Func<uint, ulong, bool> isWanted) => _files.KeepOnly(isWanted);

    private void Work()
    {
        try
        {
            while (!_stopping)
            {
                if (TryNext(out var order))
                {
                    Obey(order);
                }
                else
                {
                    _wake.WaitOne();
                }
            }
        }
        catch (SpillDamagedException damage)
        {
            _host.SpillFailed(damage);
        }
    }

    private bool TryNext(out Order order)
    {
        lock (_gate)
        {
            return _orders.TryDequeue(out order);
        }
    }

    private void Obey(Order order)
    {
        switch (order.What)
        {
            case What.Write:
                Write(order);
                break;
            case What.Read:
                Read(order);
                break;
            default:
                _files.Delete(order.Extent, order.Generation);
                break;
        }
    }

    private void Write(Order order)
    {
        var errno = _files.Write(order.Extent, order.Generation, order.Bytes.AsSpan(0, order.Length));
        CrashPoint.Hit("plm.spill.file-written");
        lock (_gate)
        {
            _refusal = errno == 0 ? Fault.None : FaultOf(errno);
            _writes--;
            GiveBack(order.Bytes);
        }

        _host.SpillWritten(order.Extent, order.Generation, errno == 0);
        if (errno != 0)
        {
            // What comes back makes room on the disk too; a wake by an order cuts the pause short.
            _wake.WaitOne(FullPauseMs);
        }
    }

    private void Read(Order order)
    {
        byte[] bytes;
        lock (_gate)
        {
            if (!_ahead.ContainsKey((order.Extent, order.Generation)))
            {
                return;
            }

            bytes = TakeBuffer(0);
        }

        var length = _files.Read(order.Extent, order.Generation, ref bytes);
        lock (_gate)
        {
            if (_ahead.ContainsKey((order.Extent, order.Generation)))
            {
                _ahead[(order.Extent, order.Generation)] = new Body(bytes, length);
            }
            else
            {
                GiveBack(bytes);
                return;
            }
        }

        _host.SpillRead();
    }

    private byte[] TakeBuffer(int bytes)
    {
        if (!_buffers.TryPop(out var buffer) || buffer.Length < bytes)
        {
            buffer = new byte[Math.Max(bytes, 64 << 10)];
        }

        return buffer;
    }

    private void GiveBack(byte[] buffer)
    {
        if (buffer.Length > 0 && _buffers.Count < WritesMax + ReadsMax)
        {
            _buffers.Push(buffer);
        }
    }

    private Fault FaultOf(int errno) => new(
        FaultCode.DiskFull,
        $"tasks that the arena has no room for cannot be written to {_folder} ({OsError.Words(errno)}), and no more "
        + "fit into the arena; nothing accepted is lost. Free space on that disk",
        JournalFaults.RetryAfterMs);
}
