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
    public const uint RetryDelayMsMax = 60_000;
    public const int KeyBytesMax = 256;
    public const uint KeyRetentionMsDefault = 86_400_000;
    public const int WorkerSlotsMax = 65_535;
    public const int StackBytesMax = 16 * 1024;
    public const int ErrorMessageBytesMax = 4 * 1024;

    /// <summary>A whole encoded TaskError. With the longest output and the rest of a result it still is a
    /// message.</summary>
    public const int ErrorBytesMax = EnvelopeBytesMax - 1_024;
    public const int CommandOutputBytesDefault = 1024 * 1024;
    public const string CommandHandler = "muster.command";
}
