// SPDX-License-Identifier: Apache-2.0
using System;
using BenchmarkDotNet.Attributes;
using Muster.Core.Tasks;
using Muster.Transport.Wire;

namespace Muster.Micro;

/// <summary>
/// A message with a batch of results, as a worker sends it: written and read by hand. The figures are of one result.
/// </summary>
public class CodecBenchmark
{
    private const int Batch = 256;
    private const int ResultsField = 2;

    private readonly byte[] _output = new byte[32];
    private readonly ProtoWriter _writer = new(64 * 1024);
    private byte[] _message = [];

    [GlobalSetup]
    public void Fill()
    {
        WriteBatch();
        _message = _writer.Written.ToArray();
    }

    [GlobalCleanup]
    public void Dispose() => _writer.Dispose();

    [Benchmark(OperationsPerInvoke = Batch)]
    public int WriteBatch()
    {
        _writer.Clear();
        for (ulong n = 1; n <= Batch; n++)
        {
            var begin = _writer.Begin(ResultsField);
            _writer.WriteFixed64(1, n);
            _writer.WriteUInt32(2, 1);
            _writer.WriteUInt32(3, (uint)Outcome.Succeeded);
            _writer.WriteBytes(4, _output);
            _writer.WriteUInt64(6, 120);
            _writer.WriteUInt64(7, 15);
            _writer.WriteUInt64(8, 40);
            _writer.WriteUInt64(9, n);
            _writer.End(begin);
        }

        return _writer.Length;
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public ulong ReadBatch()
    {
        ulong sum = 0;
        var message = new ProtoReader(_message);
        while (message.NextField())
        {
            sum += ReadResult(message.ReadBytes());
        }

        return sum;
    }

    private static ulong ReadResult(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        var result = new ProtoReader(bytes);
        while (result.NextField())
        {
            sum += result.Field switch
            {
                1 => result.ReadFixed64(),
                4 => (ulong)result.ReadBytes().Length,
                _ => result.ReadVarint(),
            };
        }

        return sum;
    }
}
