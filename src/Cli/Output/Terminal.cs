// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Text;
using Muster.Core;

namespace Muster.Cli.Output;

/// <summary>
/// Where a command writes: results to standard output, everything else to standard error. Thread-safe line by line.
/// </summary>
internal sealed class Terminal : IDisposable
{
    private readonly object _gate = new();
    private readonly Stream _output;
    private readonly TextWriter _error;

    public Terminal(Stream output, TextWriter error, bool isOutputTerminal, bool isErrorTerminal)
    {
        _output = new BufferedStream(output, 64 * 1024);
        _error = error;
        IsOutputTerminal = isOutputTerminal;
        IsErrorTerminal = isErrorTerminal;
    }

    public bool IsOutputTerminal { get; }

    public bool IsErrorTerminal { get; }

    /// <summary>Drawn again after each line that goes to the terminal; empty when there is none.</summary>
    public Func<string>? StatusLine { get; set; }

    public static Terminal OfProcess() => new(
        Console.OpenStandardOutput(),
        new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)) { AutoFlush = true },
        !Console.IsOutputRedirected,
        !Console.IsErrorRedirected);

    /// <summary>One line of result.</summary>
    public void Line(string text)
    {
        // Into a pipe too: a pager or another terminal may be at its end. JSON stays what it was, escaped.
        var safe = ShownText.Clean(text, keepLines: true);
        WriteBytes(Encoding.UTF8.GetBytes(safe + "\n"));
    }

    /// <summary>Text with escape sequences of our own making, whose parts from elsewhere were made safe.</summary>
    public void Styled(string text) => WriteBytes(Encoding.UTF8.GetBytes(text));

    /// <summary>
    /// What a task wrote: exactly as it is into files and pipes, made safe for a terminal.
    /// </summary>
    public void Output(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        if (IsOutputTerminal)
        {
            WriteBytes(Encoding.UTF8.GetBytes(ShownText.Clean(Encoding.UTF8.GetString(bytes), keepLines: true)));
        }
        else
        {
            WriteBytes(bytes);
        }
    }

    /// <summary>What a task wrote to its standard error.</summary>
    public void ErrorOutput(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty)
        {
            var text = Encoding.UTF8.GetString(bytes);
            WriteError(IsErrorTerminal ? ShownText.Clean(text, keepLines: true) : text);
        }
    }

    /// <summary>The one form of every message: "muster: CODE: message".</summary>
    public void Problem(string code, string message) =>
        WriteError($"muster: {code}: {ShownText.Clean(message)}\n");

    /// <summary>Something worth knowing that is no failure.</summary>
    public void Note(string message) => WriteError($"muster: {ShownText.Clean(message)}\n");

    /// <summary>Draws the status line anew.</summary>
    public void Redraw()
    {
        lock (_gate)
        {
            EraseStatus();
            DrawStatus();
        }
    }

    /// <summary>Takes the status line away.</summary>
    public void EndStatus()
    {
        lock (_gate)
        {
            EraseStatus();
            StatusLine = null;
        }
    }

    public void Flush()
    {
        lock (_gate)
        {
            _output.Flush();
        }
    }

    /// <summary>Takes the status line away. What was not flushed before is not written any more.</summary>
    public void Dispose() => EndStatus();

    private void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            var isShared = IsOutputTerminal && IsErrorTerminal;
            if (isShared)
            {
                EraseStatus();
            }

            _output.Write(bytes);
            if (IsOutputTerminal)
            {
                _output.Flush();
            }

            if (isShared)
            {
                DrawStatus();
            }
        }
    }

    private void WriteError(string text)
    {
        lock (_gate)
        {
            EraseStatus();
            _error.Write(text);
            DrawStatus();
        }
    }

    private void EraseStatus()
    {
        if (StatusLine is not null && IsErrorTerminal)
        {
            _error.Write("\r\u001b[K");
        }
    }

    private void DrawStatus()
    {
        if (StatusLine is not null && IsErrorTerminal)
        {
            _error.Write(StatusLine());
            _error.Flush();
        }
    }
}
