// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.IO;
using System.Text.Json;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Muster.Identity.Credentials;

namespace Muster.Server.Endpoint.Access;

/// <summary>
/// Who did what that matters, and who was refused: one JSON object a line, in files of mode 0600 in the cell's state
/// folder. Never a token, a payload, an argument or an environment. Any thread may write; one task puts lines on disk,
/// so nobody waits for it. At most <see cref="WaitingMax"/> events wait, and <see cref="PerSecondMax"/> refusals are
/// kept in a second; of the others the next line says how many they were. A file that has grown to
/// <see cref="FileBytesMax"/> becomes NAME.1, and so on up to <see cref="FilesMax"/>, after which the oldest goes.
/// </summary>
internal sealed class AuditLog : IDisposable
{
    public const int WaitingMax = 4_096;
    public const int PerSecondMax = 200;
    public const long FileBytesMax = 16 << 20;
    public const int FilesMax = 4;

    private readonly Channel<AuditEvent> _waiting = Channel.CreateBounded<AuditEvent>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true });

    private readonly string _path;
    private readonly string _process;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _writing;
    private long _second;
    private int _inSecond;
    private long _dropped;

    /// <param name="folder">Made with mode 0700 when it is missing.</param>
    /// <param name="process">Which process of the cell writes; part of the file's name.</param>
    /// <param name="time">Of the lines.</param>
    /// <param name="logger">Told when lines cannot be written.</param>
    public AuditLog(string folder, string process, TimeProvider time, ILogger logger)
    {
        SecretFile.MakeFolder(folder);
        _path = Path.Combine(folder, $"audit-{process}.jsonl");
        _process = process;
        _time = time;
        _logger = logger;
        _writing = Task.Run(WriteAllAsync);
    }

    public void Add(AuditEvent happened)
    {
        var second = _time.GetUtcNow().ToUnixTimeSeconds();
        if (Interlocked.Exchange(ref _second, second) != second)
        {
            Volatile.Write(ref _inSecond, 0);
        }

        // A flood of refusals must not push out what was done.
        var isOverRate = happened.Code is not null && Interlocked.Increment(ref _inSecond) > PerSecondMax;
        if (isOverRate || !_waiting.Writer.TryWrite(happened))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    /// <summary>Writes what waits, and ends.</summary>
    public void Dispose()
    {
        _waiting.Writer.TryComplete();
        _writing.Wait(TimeSpan.FromSeconds(2));
    }

    private async Task WriteAllAsync()
    {
        while (await _waiting.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            try
            {
                WriteWaiting();
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // A full disk must not stop the cell; what is lost is counted, and the next lines may fit.
                Interlocked.Increment(ref _dropped);
                AccessLog.AuditFailed(_logger, _path, failure.Message);
            }
        }
    }

    private void WriteWaiting()
    {
        var buffer = new ArrayBufferWriter<byte>();
        while (_waiting.Reader.TryRead(out var happened))
        {
            Append(buffer, happened);
        }

        Rotate();
        using var file = new FileStream(_path, new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = SecretFile.FileMode,
            BufferSize = 0,
        });
        file.Write(buffer.WrittenSpan);
    }

    private void Append(ArrayBufferWriter<byte> buffer, in AuditEvent happened)
    {
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", happened.At.UtcDateTime);
            json.WriteString("process", _process);
            json.WriteString("act", happened.Act);
            json.WriteString("outcome", happened.Code is null ? "allowed" : "refused");
            if (happened.Code is not null)
            {
                json.WriteString("code", happened.Code);
            }

            json.WriteString("identity", happened.Identity);
            if (happened.IdentityId is not null)
            {
                json.WriteString("identity_id", happened.IdentityId);
            }

            json.WriteString("peer", happened.Peer);
            if (happened.Count > 0)
            {
                json.WriteNumber("count", happened.Count);
            }

            if (Interlocked.Exchange(ref _dropped, 0) is var dropped and > 0)
            {
                json.WriteNumber("dropped_before", dropped);
            }

            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
    }

    private void Rotate()
    {
        var file = new FileInfo(_path);
        if (!file.Exists || file.Length < FileBytesMax)
        {
            return;
        }

        File.Delete($"{_path}.{FilesMax - 1}");
        for (var number = FilesMax - 2; number >= 1; number--)
        {
            if (File.Exists($"{_path}.{number}"))
            {
                File.Move($"{_path}.{number}", $"{_path}.{number + 1}");
            }
        }

        File.Move(_path, $"{_path}.1");
    }
}
