// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Text.Json;
using Muster.Arena;
using Muster.Cli.Arguments;
using Muster.Cli.Cells;
using Muster.Cli.Output;
using Muster.Core;

namespace Muster.Cli.Verbs;

/// <summary>muster arena inspect | remove: the shared memory of a cell, without its processes.</summary>
internal static class ArenaVerb
{
    public static Command Create(VerbContext context)
    {
        var cell = SharedOptions.Cell();
        var format = SharedOptions.Format();
        var inspect = new Command("inspect", "Print what a cell's arena holds; works when its roles hang or are dead")
        {
            cell, format,
        };
        inspect.SetAction(result =>
        {
            var snapshot = ArenaSnapshot.Take(result.GetRequiredValue(cell));
            if (result.GetValue(format) == SharedOptions.Json)
            {
                context.Terminal.Line(JsonLines.Write(writer => WriteJson(writer, snapshot)));
            }
            else
            {
                Print(context.Terminal, snapshot);
            }

            return ExitCodes.Success;
        });
        return new Command(CommandVerbs.Arena, "Look at the shared memory of a cell, or remove it")
        {
            inspect, Remove(context),
        };
    }

    private static Command Remove(VerbContext context)
    {
        var cell = SharedOptions.Cell();
        var remove = new Command(
            "remove",
            "Remove the arena of a stopped cell; what its journal holds comes back at the next start, the rest is gone")
        {
            cell,
        };
        remove.SetAction(result =>
        {
            var name = result.GetRequiredValue(cell);
            var wasThere = File.Exists(ArenaFolder.Arena(name));
            var fault = ArenaFile.Remove(name);
            if (!fault.IsNone)
            {
                throw new MusterException(FaultCodes.Name(fault.Code), fault.Message);
            }

            context.Terminal.Line(
                wasThere
                    ? $"the arena of cell '{name}' is removed"
                    : $"cell '{name}' has no arena; nothing was removed");
            return ExitCodes.Success;
        });
        return remove;
    }

    private static void Print(Terminal terminal, ArenaSnapshot snapshot)
    {
        terminal.Line($"cell {snapshot.Cell}, epoch {snapshot.Epoch}, id {snapshot.CellId:x16}");
        terminal.Line(snapshot.Path);
        terminal.Line("");
        var roles = new TextTable("ROLE", "PID", "ALIVE", "EPOCH", "SINCE", "ADDRESSES");
        foreach (var (role, holder) in snapshot.Roles)
        {
            roles.Add(
                JsonLines.Name(role),
                Text(holder.Pid),
                holder.IsAlive ? "yes" : holder.Pid == 0 ? "never started" : "no",
                Text(holder.Epoch),
                Moments.Age(holder.SinceUnixUs, DateTimeOffset.UtcNow),
                holder.Addresses);
        }

        roles.Print(terminal);
        terminal.Line("");
        var parts = new TextTable("PART", "USED", "CAPACITY");
        foreach (var part in snapshot.Parts)
        {
            parts.Add(part.Part, Text(part.Used), Text(part.Capacity));
        }

        parts.Print(terminal);
        terminal.Line("");
        var counts = new TextTable("TASKS AND COUNTERS", "COUNT");
        foreach (var (state, count) in snapshot.States)
        {
            counts.Add("now " + JsonLines.Name(state), Text(count));
        }

        foreach (var (counter, value) in snapshot.Counters)
        {
            counts.Add(JsonLines.Name(counter), Text(value));
        }

        counts.Print(terminal);
    }

    private static void WriteJson(Utf8JsonWriter writer, ArenaSnapshot snapshot)
    {
        writer.WriteStartObject();
        writer.WriteString("cell", snapshot.Cell);
        writer.WriteString("path", snapshot.Path);
        writer.WriteString("cell_id", snapshot.CellId.ToString("x16", CultureInfo.InvariantCulture));
        writer.WriteNumber("epoch", snapshot.Epoch);
        writer.WriteStartArray("roles");
        foreach (var (role, holder) in snapshot.Roles)
        {
            writer.WriteStartObject();
            writer.WriteString("role", JsonLines.Name(role));
            writer.WriteNumber("pid", holder.Pid);
            writer.WriteBoolean("alive", holder.IsAlive);
            writer.WriteNumber("epoch", holder.Epoch);
            writer.WriteNumber("since_unix_us", holder.SinceUnixUs);
            writer.WriteString("addresses", holder.Addresses);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("parts");
        foreach (var part in snapshot.Parts)
        {
            writer.WriteStartObject();
            writer.WriteString("part", part.Part);
            writer.WriteNumber("used", part.Used);
            writer.WriteNumber("capacity", part.Capacity);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartObject("states");
        foreach (var (state, count) in snapshot.States)
        {
            writer.WriteNumber(JsonLines.Name(state), count);
        }

        writer.WriteEndObject();
        writer.WriteStartObject("counters");
        foreach (var (counter, value) in snapshot.Counters)
        {
            writer.WriteNumber(JsonLines.Name(counter), value);
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static string Text<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
