// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using Muster.Cli.Arguments;

namespace Muster.Cli.Verbs;

/// <summary>The options of worker and up that say what commands may do and use.</summary>
internal sealed class CommandOptions
{
    private readonly Option<string[]> _environment = new("--env")
    {
        Description = "Pass this variable of the worker to commands, or set it: NAME, NAME=value, or * for all; again "
            + "for more [default: PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_ALL, LC_CTYPE, TZ, TMPDIR, TERM]",
        HelpName = "NAME[=VALUE]",
    };

    private readonly Option<string?> _user = new("--run-as")
    {
        Description = "Run commands as this user; the worker must be root's",
        HelpName = "USER",
    };

    private readonly Option<bool> _keepPrivileges = new("--keep-privileges")
    {
        Description = "Let commands keep the worker's capabilities and gain more by setuid programs such as sudo",
    };

    private readonly Option<string?> _secrets = new("--secrets")
    {
        Description = "Folder of files, mode 0600, for variables that a command asks for as secret:NAME",
        HelpName = "FOLDER",
    };

    private readonly Option<string?> _folder = new("--work-folder")
    {
        Description = "Where each command that names no folder gets an empty one [default: in /tmp]",
        HelpName = "FOLDER",
    };

    private readonly Option<string> _cgroup = new("--cgroup")
    {
        Description = "Control groups for commands: auto, or off",
        HelpName = "auto|off",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<string[]> _limits = new("--limit")
    {
        Description = "Hold each command to memory=512M, cpus=1.5, pids=64 (control groups), fsize=1G, nofile=1024, "
            + "nproc=500 or core=0; again for more",
        HelpName = "NAME=VALUE",
    };

    public void AddTo(Command verb)
    {
        _cgroup.AcceptOnlyFromAmong("auto", "off");
        verb.Add(_environment);
        verb.Add(_user);
        verb.Add(_keepPrivileges);
        verb.Add(_secrets);
        verb.Add(_folder);
        verb.Add(_cgroup);
        verb.Add(_limits);
    }

    public MusterCommandOptions Read(ParseResult result)
    {
        var options = new MusterCommandOptions
        {
            Environment = result.GetValue(_environment) ?? [],
            User = result.GetValue(_user),
            KeepPrivileges = result.GetValue(_keepPrivileges),
            SecretsFolder = result.GetValue(_secrets),
            Folder = result.GetValue(_folder),
            Cgroup = result.GetRequiredValue(_cgroup),
        };
        foreach (var limit in (IEnumerable<string>)(result.GetValue(_limits) ?? []))
        {
            options = With(options, limit);
        }

        return options;
    }

    private static MusterCommandOptions With(MusterCommandOptions options, string limit)
    {
        var sign = limit.IndexOf('=', StringComparison.Ordinal);
        var value = limit[(sign + 1)..];
        return (sign < 0 ? "" : limit[..sign]) switch
        {
            "memory" => options with { MemoryBytesMax = SharedOptions.ParseBytes("--limit memory", value) },
            "cpus" => options with { CpusMax = Fraction(limit, value) },
            "pids" => options with { ProcessesMax = Number(limit, value, 1) },
            "fsize" => options with { FileBytesMax = SharedOptions.ParseBytes("--limit fsize", value) },
            "nofile" => options with { OpenFilesMax = Number(limit, value, 16) },
            "nproc" => options with { UserProcessesMax = Number(limit, value, 1) },
            "core" => options with { CoreBytesMax = SharedOptions.ParseBytes("--limit core", value) },
            _ => throw new UsageException(
                $"--limit '{limit}' is none of memory=, cpus=, pids=, fsize=, nofile=, nproc= and core="),
        };
    }

    private static int Number(string limit, string value, int min) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min
            ? number
            : throw new UsageException($"--limit '{limit}' needs a whole number of {min} or more");

    private static double Fraction(string limit, string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
        && number >= 0.01
            ? number
            : throw new UsageException($"--limit '{limit}' needs a number of processors, 0.01 or more");
}
