// SPDX-License-Identifier: Apache-2.0
namespace Muster.Core;

/// <summary>
/// Every failure that a user can see. The name in UPPER_SNAKE_CASE is the stable code on the wire, in logs and in
/// docs/errors; names are never reused. <see cref="FaultCodes"/> gives name and gRPC status of each.
/// </summary>
internal enum FaultCode : ushort
{
    None = 0,
    InvalidArgument = 1,
    HandlerNameInvalid = 2,
    PriorityOutOfRange = 3,
    PayloadTooLarge = 4,
    BatchTooLarge = 5,
    WireVersionUnsupported = 6,
    FeatureUnsupported = 7,
    TaskNotFound = 8,
    TaskIdFromEarlierArena = 9,
    ArenaFull = 10,
    SessionUnknown = 11,
    SessionTakenOver = 12,
    RefOutOfOrder = 13,
    OutstandingLimit = 14,
    WorkerUnknown = 15,
    WorkerFenced = 16,
    TooManyHandlers = 17,
    TooManyWorkers = 18,
    TooManyClients = 19,
    ShuttingDown = 20,
    Unavailable = 21,
    DiskFull = 22,
    JournalBehind = 23,

    // What an attempt or a task ends with.
    HandlerFailed = 40,
    HandlerUnknown = 41,
    OutputTooLarge = 42,
    WorkerLost = 43,
    AttemptTimedOut = 44,
    TaskCancelled = 45,
    TaskExpired = 46,
    CommandNotFound = 47,
    CommandNotExecutable = 48,
    CommandFolderMissing = 49,
    CommandExited = 50,
    CommandSignalled = 51,
    CommandInvalid = 52,
    SpawnFailed = 53,
    TaskLost = 54,
    TaskQuarantined = 55,

    // What stops a role or the command line.
    PortInUse = 60,
    SocketPathTooLong = 61,
    RoleTaken = 62,
    ArenaDamaged = 63,
    ArenaVersion = 64,
    ArenaOtherOwner = 65,
    ArenaNoSpace = 66,
    BindRefused = 67,
    ArenaMissing = 68,
    FileLimitTooLow = 69,
    AddressInvalid = 70,
    NamespaceMismatch = 71,
    StateFolderUnusable = 72,
    EpochsUsedUp = 73,
    JournalDamaged = 74,
    JournalVersion = 75,
    JournalInUse = 76,
    JournalUnusable = 77,
    JournalFailed = 78,
    ArenaTooSmall = 79,
}
