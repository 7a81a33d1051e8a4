// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.CommandLine;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>The options of the verbs that run roles.</summary>
internal sealed class HostingOptions
{
    private readonly Option<string> _cell = SharedOptions.Cell();
    private readonly Option<string?> _bind = SharedOptions.Bind();
    private readonly Option<uint?> _tasksMax = SharedOptions.TasksMax();
    private readonly Option<string?> _payloadBytesMax = SharedOptions.PayloadBytesMax();

    public void AddTo(Command verb)
    {
        verb.Add(_cell);
        verb.Add(_bind);
        verb.Add(_tasksMax);
        verb.Add(_payloadBytesMax);
    }

    /// <summary>Refuses what may not be listened on before anything is made.</summary>
    public HostedCellPlan Read(ParseResult result, IReadOnlyList<Role> roles) => new()
    {
        Cell = result.GetRequiredValue(_cell),
        Roles = roles,
        Bind = result.GetValue(_bind) is { } bind ? SharedOptions.ParseBind(bind) : null,
        TasksMax = result.GetValue(_tasksMax),
        PayloadBytesMax = result.GetValue(_payloadBytesMax) is { } text
            ? SharedOptions.ParseBytes("--payload-bytes-max", text)
            : null,
    };
}
