// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Tables;

/// <summary>Why a worker has its health, for people.</summary>
internal enum WorkerReason : uint
{
    None = 0,
    Registered = 1,
    BeatLate = 2,
    StreamClosed = 3,
    LeaseExpired = 4,
    ProcessExited = 5,
    Goodbye = 6,
    Drains = 7,
    CameBack = 8,
    ReplacedByNewProcess = 9,
    RegisterRestarted = 10,
    ConnectionsClosed = 11,
    LivedAfterAll = 12,
}
