// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking;

/// <summary>A promise that a history shows broken.</summary>
/// <param name="Invariant">Its number, I1 to I19.</param>
/// <param name="What">One sentence with the names of what is concerned.</param>
/// <param name="Entry">Index of the line that showed it; the number of lines when only the end did.</param>
internal readonly record struct Violation(string Invariant, string What, int Entry)
{
    public override string ToString() => $"{Invariant} at line {Entry}: {What}";
}
