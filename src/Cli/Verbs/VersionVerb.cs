// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using System.Reflection;
using Muster.Cli.Arguments;
using Muster.Cli.Output;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>muster version.</summary>
internal static class VersionVerb
{
    public static string Text { get; } =
        typeof(VersionVerb).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0] ?? "unknown";

    public static Command Create(VerbContext context)
    {
        var format = SharedOptions.Format();
        var verb = new Command(CommandVerbs.Version, "Print the version") { format };
        verb.SetAction(result =>
        {
            context.Terminal.Line(result.GetValue(format) == SharedOptions.Json
                ? JsonLines.Write(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("version", Text);
                    writer.WriteNumber("wire_version", TaskLimits.WireVersion);
                    writer.WriteString("runtime", Environment.Version.ToString());
                    writer.WriteEndObject();
                })
                : $"muster {Text} (wire version {TaskLimits.WireVersion}, .NET {Environment.Version})");
            return ExitCodes.Success;
        });
        return verb;
    }
}
