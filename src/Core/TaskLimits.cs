// SPDX-License-Identifier: Apache-2.0
namespace Muster.Core;

/// <summary>The limits of the contract. Each is documented at the field of proto/muster/v1 that it bounds.</summary>
internal static class TaskLimits
{
    public const uint WireVersion = 1;
    public const int MessageBytesMax = 4 * 1024 * 1024;

    /// <summary>Room for the message around a payload or an output within <see cref="MessageBytesMax"/>.</summary>
    public const int EnvelopeBytesMax = 64 * 1024;
    public const int PayloadBytesMax = MessageBytesMax - EnvelopeBytesMax;
    public const int OutputBytesMax = MessageBytesMax - EnvelopeBytesMax;

    public const int BatchItemsMax = 10_000;
    public const int HandlerNameBytesMax = 128;
    public const int HandlersPerWorkerMax = 1_024;
    public const int PriorityMax = 7;
    public const int PriorityDefault = 4;
    public const int AttemptsMaxDefault = 3;
    public const int AttemptsMaxMax = 100;

    /// <summary>Starts beyond attempts_max that the loss of workers may cost a task before it ends failed.</summary>
    public const int LostAttemptsMax = 10;
    public const long DurationMsMax = 30L * 24 * 60 * 60 * 1000;
    public const uint RetentionMsDefault = 3_600_000;

    /// <summary>The longest wait before a repeat: the default, and the most that may be asked for.</summary>
    public const uint RetryDelayMaxMsDefault = 60_000;
    public const uint RetryDelayMsMax = 86_400_000;

    /// <summary>Each wait in hundredths of the one before: the default, the least and the most.</summary>
    public const uint RetryFactorPercentDefault = 200;
    public const uint RetryFactorPercentMin = 100;
    public const uint RetryFactorPercentMax = 1_000;

    /// <summary>Bytes of the codes and types after which nothing is repeated, line ends counted.</summary>
    public const int FinalErrorsBytesMax = 384;

    /// <summary>How long a stopped attempt may go on before it is killed.</summary>
    public const uint CancelGraceMsDefault = 2_000;
    public const uint CancelGraceMsMax = 3_600_000;
    public const int KeyBytesMax = 256;
    public const uint KeyRetentionMsDefault = 86_400_000;
    public const int WorkerSlotsMax = 65_535;

    /// <summary>Attempts that ended badly of which something is remembered: the last so many.</summary>
    public const int HistoryAttemptsMax = 5;

    /// <summary>Of what a command wrote last, in the history of its task.</summary>
    public const int OutputTailBytesMax = 256;

    /// <summary>The longest wait that a handler may ask for.</summary>
    public const uint RetryAfterMsMax = 86_400_000;

    /// <summary>Who cancelled a task, and why.</summary>
    public const int CancelTextBytesMax = 256;

    /// <summary>What a handler says about its progress.</summary>
    public const int ProgressBytesMax = 200;
    public const int StackBytesMax = 16 * 1024;
    public const int ErrorMessageBytesMax = 4 * 1024;

    /// <summary>A whole encoded TaskError. With the longest output and the rest of a result it still is a
    /// message.</summary>
    public const int ErrorBytesMax = EnvelopeBytesMax - 8_192;
    public const int CommandOutputBytesDefault = 1024 * 1024;
    public const string CommandHandler = "muster.command";
}
