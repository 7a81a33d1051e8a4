// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.CommandLine;
using Muster.Arena;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;
using Muster.Core;
using Muster.Server.Endpoint.Access;

namespace Muster.Cli.Verbs;

/// <summary>The options of the verbs that run roles.</summary>
internal sealed class HostingOptions
{
    private readonly Option<string> _cell = SharedOptions.Cell();
    private readonly Option<string?> _bind = SharedOptions.Bind();
    private readonly Option<bool> _tls = new("--tls")
    {
        Description = "The address of --bind speaks TLS, with a certificate of the cell's own authority",
    };

    private readonly Option<AuthMode?> _auth = AuthOption();

    private readonly Option<string?> _advertise = new("--advertise")
    {
        Description = "Host by which others reach the address of --bind [default: the host by which they came]",
        HelpName = "HOST[:PORT]",
    };

    private readonly Option<long?> _tasksMax = SharedOptions.TasksMax();
    private readonly Option<long?> _keysMax = SharedOptions.KeysMax();
    private readonly Option<long?> _spilledMax = SharedOptions.SpilledMax();
    private readonly Option<string?> _memoryMax = SharedOptions.MemoryMax();
    private readonly Option<long?> _workersMax = SharedOptions.WorkersMax();
    private readonly Option<string?> _payloadBytesMax = SharedOptions.PayloadBytesMax();

    private readonly Option<int> _crashesMax = new("--crashes-max")
    {
        Description = "Quarantine a task that so many workers died of, 1 to 100",
        HelpName = "N",
        DefaultValueFactory = _ => 3,
    };

    private readonly Option<Durability> _durability =
        SharedOptions.Durability("What accepted tasks survive that name no level themselves [default: durable]");

    public void AddTo(Command verb)
    {
        verb.Add(_cell);
        verb.Add(_bind);
        verb.Add(_tls);
        verb.Add(_auth);
        verb.Add(_advertise);
        verb.Add(_tasksMax);
        verb.Add(_payloadBytesMax);
        verb.Add(_keysMax);
        verb.Add(_memoryMax);
        verb.Add(_spilledMax);
        verb.Add(_workersMax);
        verb.Add(_durability);
        verb.Add(_crashesMax);
    }

    /// <summary>Refuses what may not be listened on before anything is made.</summary>
    public HostedCellPlan Read(ParseResult result, IReadOnlyList<Role> roles)
    {
        var bind = result.GetValue(_bind) is { } text ? SharedOptions.ParseBind(text) : null;
        var unsafeBind = BindRules.Check(bind, result.GetValue(_tls), result.GetValue(_auth));
        return unsafeBind.IsNone
            ? ReadRest(result, roles) with
            {
                Bind = bind,
                Tls = result.GetValue(_tls),
                Auth = result.GetValue(_auth),
                Advertise = result.GetValue(_advertise),
            }
            : throw new MusterException(FaultCodes.Name(unsafeBind.Code), unsafeBind.Message);
    }

    private static Option<AuthMode?> AuthOption()
    {
        var option = new Option<AuthMode?>("--auth")
        {
            Description = "What --bind asks of who connects [default: tokens with --tls, none without]",
            HelpName = "none|tokens|certificates",
            CustomParser = result => result.Tokens[0].Value switch
            {
                "none" => AuthMode.None,
                "tokens" => AuthMode.Tokens,
                "certificates" => AuthMode.Certificates,
                _ => Refuse(result),
            },
        };
        option.CompletionSources.Add("none", "tokens", "certificates");
        return option;

        static AuthMode? Refuse(System.CommandLine.Parsing.ArgumentResult result)
        {
            result.AddError("--auth is none, tokens (a token with each call, or a certificate of the cell's authority) "
                + "or certificates (nothing else will do)");
            return null;
        }
    }

    private HostedCellPlan ReadRest(ParseResult result, IReadOnlyList<Role> roles) => new()
    {
        Cell = result.GetRequiredValue(_cell),
        Roles = roles,
        Durability = result.GetValue(_durability),
        CrashesMax = (int)InRange("--crashes-max", result.GetValue(_crashesMax), 1, 100),
        TasksMax = result.GetValue(_tasksMax) is { } tasks
            ? (uint)InRange("--tasks-max", tasks, ArenaLimits.TasksMaxMin, ArenaLimits.TasksMaxMax)
            : null,
        KeysMax = result.GetValue(_keysMax) is { } keys
            ? (uint)InRange("--keys-max", keys, ArenaLimits.KeysMaxMin, ArenaLimits.KeysMaxMax)
            : null,
        WorkersMax = result.GetValue(_workersMax) is { } workers
            ? (uint)InRange("--workers-max", workers, ArenaLimits.RowsMin, ArenaLimits.RowsMax)
            : null,
        PayloadBytesMax = result.GetValue(_payloadBytesMax) is { } text
            ? BytesInRange("--payload-bytes-max", text, ArenaLimits.ResultBytesMin, ArenaLimits.RegionBytesMax)
            : null,
        SpilledMax = result.GetValue(_spilledMax) is { } spilled
            ? (uint)InRange("--spilled-max", spilled, 0, ArenaLimits.SpilledMaxMax)
            : null,
        MemoryMax = result.GetValue(_memoryMax) is { } memory
            ? BytesInRange("--memory-max", memory, ArenaLimits.MemoryBytesMin, long.MaxValue)
            : null,
    };

    private static long InRange(string option, long value, long min, long max) =>
        value >= min && value <= max ? value : throw new UsageException($"{option} is {min} to {max}");

    private static long BytesInRange(string option, string text, long min, long max)
    {
        var value = SharedOptions.ParseBytes(option, text);
        var least = SharedOptions.FormatBytes(min);
        return value >= min && value <= max
            ? value
            : throw new UsageException(max == long.MaxValue
                ? $"{option} is {least} or more"
                : $"{option} is {least} to {SharedOptions.FormatBytes(max)}");
    }
}
