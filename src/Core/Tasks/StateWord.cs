// SPDX-License-Identifier: Apache-2.0
namespace Muster.Core.Tasks;

/// <summary>
/// The one 64-bit word that says what a task slot is doing: state (5 bits), attempt (27 bits) and the low 32 bits of
/// the slot's generation. Every transition is one compare-and-swap on it, so a step that was prepared for another
/// attempt, or for the slot's earlier task, cannot succeed.
/// </summary>
internal readonly record struct StateWord(ulong Value)
{
    private const int AttemptBits = 27;
    private const int StateShift = 59;

    public StateWord(TaskState state, Attempt attempt, uint generationLow)
        : this(((ulong)state << StateShift) | ((ulong)attempt.Value << 32) | generationLow)
    {
    }

    public TaskState State => (TaskState)(Value >> StateShift);

    public Attempt Attempt => new((uint)(Value >> 32) & ((1u << AttemptBits) - 1));

    public uint GenerationLow => (uint)Value;

    public StateWord With(TaskState state) => new(state, Attempt, GenerationLow);

    public StateWord With(TaskState state, Attempt attempt) => new(state, attempt, GenerationLow);

    public override string ToString() => $"{State} attempt {Attempt} generation {GenerationLow:x}";
}
