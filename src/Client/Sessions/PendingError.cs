// SPDX-License-Identifier: Apache-2.0
namespace Muster.Client.Sessions;

/// <summary>Why a task did not succeed, as muster.v1.TaskError says it.</summary>
internal sealed record PendingError(string Code, string Message, string Type = "", string Stack = "");
