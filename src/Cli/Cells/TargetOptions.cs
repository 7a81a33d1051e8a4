// SPDX-License-Identifier: Apache-2.0
using System.CommandLine;
using Muster.Cli.Arguments;
using Muster.Client;

namespace Muster.Cli.Cells;

/// <summary>The options that name a cell and the form of the output.</summary>
internal sealed class TargetOptions
{
    private readonly Option<string> _cell = SharedOptions.Cell();
    private readonly Option<string?> _address = SharedOptions.Address();
    private readonly Option<string> _format = SharedOptions.Format();

    public void AddTo(Command verb)
    {
        verb.Add(_cell);
        verb.Add(_address);
        verb.Add(_format);
    }

    public CellTarget Read(ParseResult result)
    {
        var isCellGiven = result.GetResult(_cell) is { Implicit: false };
        var address = result.GetValue(_address);
        if (isCellGiven && address is not null)
        {
            throw new UsageException("--cell and --address name two cells; give one of them");
        }

        // A flag beats the environment.
        return new(
            isCellGiven ? null : CellAddress.Given(address),
            result.GetRequiredValue(_cell),
            isCellGiven,
            result.GetValue(_format) == SharedOptions.Json);
    }
}
