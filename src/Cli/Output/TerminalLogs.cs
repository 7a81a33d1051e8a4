// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Muster.Cli.Output;

/// <summary>
/// Writes the log of roles and workers to standard error, one line an entry, from the level in MUSTER_LOG on
/// (default warning). Thread-safe.
/// </summary>
internal sealed class TerminalLogs(Terminal terminal) : ILoggerFactory
{
    private readonly LogLevel _level =
        Environment.GetEnvironmentVariable("MUSTER_LOG") is { Length: > 0 } text
        && Enum.TryParse<LogLevel>(text, ignoreCase: true, out var level)
            ? level
            : LogLevel.Warning;

    public ILogger CreateLogger(string categoryName) => new LineLogger(terminal, categoryName, _level);

    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("the command line has one place for its log");

    public void Dispose()
    {
    }

    private sealed class LineLogger(Terminal terminal, string category, LogLevel level) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= level && logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                var time = DateTime.UtcNow.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
                var text = $"{time}Z {logLevel} {category} {eventId.Id}: {formatter(state, exception)}";
                terminal.Note(exception is null ? text : $"{text} [{exception.GetType().Name}: {exception.Message}]");
            }
        }
    }
}
