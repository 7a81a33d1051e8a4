// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using BenchmarkDotNet.Attributes;
using Muster.Server.Journal;

namespace Muster.Micro;

/// <summary>
/// The journal in the folder for temporary files: a record appended, and a batch of them written without a flush.
/// </summary>
public class JournalBenchmark
{
    private const int Batch = 1_000;

    private readonly byte[] _body = new byte[200];
    private string _folder = "";
    private CellJournal _journal = null!;

    [GlobalSetup]
    public void Open()
    {
        _folder = Directory.CreateTempSubdirectory("muster-micro-").FullName;
        var fault = CellJournal.TryOpen(_folder, CellJournal.DefaultOptions, out var journal);
        _journal = fault.IsNone ? journal! : throw new IOException(fault.Message);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _journal.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>One record of 200 bytes, its share of the write and of keeping house included.</summary>
    [Benchmark(OperationsPerInvoke = Batch)]
    public ulong AppendAndWrite()
    {
        for (var record = 0; record < Batch; record++)
        {
            _journal.Log.Append(1, _body);
        }

        var written = _journal.Log.Commit(sync: false).Written;
        _journal.Log.ForgetBefore(written);
        _journal.Log.Maintain();
        return written;
    }
}
