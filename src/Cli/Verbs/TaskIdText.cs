// SPDX-License-Identifier: Apache-2.0
namespace Muster.Cli.Verbs;

/// <summary>Reads the ids that people type.</summary>
internal static class TaskIdText
{
    public static TaskId Parse(string text) => TaskId.TryParse(text, out var id)
        ? id
        : throw new UsageException($"'{text}' is no task id: 1 to 16 hexadecimal digits, as 'muster tasks' shows them");
}
