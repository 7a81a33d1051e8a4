// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>
/// Tasks that wait and are alike to the order: first come, first served. Or, when <see cref="Ordered"/> is set, tasks
/// of a lane that have a place each; then the class has the need of its first one.
/// </summary>
internal struct ReadyClass
{
    public ClassKey Id;
    public Lane? Lane;
    public IndexedHeap? Ordered;
    public int Shape;
    public int Members;
    public int Level;
    public int Head;
    public int Tail;
    public int Count;
    public ulong Key;
    public long PatienceUs;
    public bool IsLive;
    public bool IsBlocked;
    public bool IsDynamic;

    // Among the blocked ones of its shape, or the free numbers.
    public int BlockedNext;
    public int BlockedBefore;

    // Among those whose level follows the model of one handler.
    public int HandlerNext;
    public int HandlerBefore;
}
