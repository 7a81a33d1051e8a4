// SPDX-License-Identifier: Apache-2.0
namespace Muster.Cli.Verbs;

/// <summary>How map and submit run their tasks.</summary>
internal sealed record RunPlan(SubmitOptions Task, int OutputBytesMax, bool IsProgressWanted);
