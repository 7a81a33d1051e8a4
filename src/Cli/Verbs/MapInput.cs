// SPDX-License-Identifier: Apache-2.0
namespace Muster.Cli.Verbs;

/// <summary>One input of a map.</summary>
/// <param name="Text">As given.</param>
/// <param name="Number">From 1.</param>
internal readonly record struct MapInput(string Text, long Number);
