// SPDX-License-Identifier: Apache-2.0
using System.CommandLine;
using System.IO;
using Muster.Cli.Arguments;
using Muster.Core;
using Muster.Journal;
using Muster.Server;
using Muster.Server.Journal;

namespace Muster.Cli.Journals;

/// <summary>Which journal a verb is about, and opening its folder.</summary>
internal sealed class JournalPlace
{
    private readonly Option<string> _cell = SharedOptions.Cell();
    private readonly Option<string?> _state = new("--state")
    {
        Description = "The cell's state folder, when it is not the usual one of --cell",
        HelpName = "FOLDER",
    };

    public void AddTo(Command verb)
    {
        verb.Add(_cell);
        verb.Add(_state);
    }

    /// <summary>The folder of the segment files.</summary>
    public string Read(ParseResult result) => CellJournal.FolderOf(
        result.GetValue(_state) is { } state
            ? Path.GetFullPath(state)
            : CellPaths.StateFolder(result.GetRequiredValue(_cell)));

    /// <summary>Opens it beside whoever writes it.</summary>
    public static DiskFolder Open(string path)
    {
        Require(DiskFolder.TryOpenReadOnly(path, out var folder));
        return folder!;
    }

    /// <summary>Reads the headers; refuses a folder without a journal.</summary>
    public static JournalLayout Layout(IJournalDisk disk)
    {
        Require(JournalLayout.TryRead(disk, out var layout));
        return layout.Segments.Count > 0
            ? layout
            : throw new MusterException(
                FaultCodes.Name(FaultCode.JournalUnusable), $"there is no journal in {disk.PathOf("")}");
    }

    public static void Require(in Fault fault)
    {
        if (!fault.IsNone)
        {
            throw new MusterException(FaultCodes.Name(fault.Code), fault.Message);
        }
    }
}
