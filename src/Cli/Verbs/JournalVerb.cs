// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Muster.Cli.Arguments;
using Muster.Cli.Journals;
using Muster.Cli.Output;
using Muster.Core;
using Muster.Journal;
using Muster.Server.Journal;

namespace Muster.Cli.Verbs;

/// <summary>muster journal: look at a cell's journal, check it, and mend what can be mended.</summary>
internal static class JournalVerb
{
    public static Command Create(VerbContext context) =>
        new(CommandVerbs.Journal, "Look at the journal of a cell, check it, repair it")
        {
            Cat(context), Verify(context), Repair(context),
        };

    private static Command Cat(VerbContext context)
    {
        var place = new JournalPlace();
        var format = SharedOptions.Format();
        var from = new Option<ulong>("--from") { Description = "Begin with this sequence", HelpName = "SEQUENCE" };
        var kind = new Option<ushort?>("--kind")
        {
            Description = "Only records of this kind, as -o json shows it",
            HelpName = "NUMBER",
        };
        var verb = new Command("cat", "Print the records, oldest first; payloads show as sizes") { from, kind, format };
        place.AddTo(verb);
        verb.SetAction(result =>
        {
            using var folder = JournalPlace.Open(place.Read(result));
            new JournalListing(context.Terminal)
            {
                From = result.GetValue(from),
                Kind = result.GetValue(kind),
                IsJson = result.GetValue(format) == SharedOptions.Json,
            }.Print(folder);
            return ExitCodes.Success;
        });
        return verb;
    }

    private static Command Verify(VerbContext context)
    {
        var place = new JournalPlace();
        var format = SharedOptions.Format();
        var verb = new Command("verify", "Check every record of every segment; also beside a running cell") { format };
        place.AddTo(verb);
        verb.SetAction(async result =>
        {
            var path = place.Read(result);
            using var folder = JournalPlace.Open(path);
            var isInUse = DiskFolder.IsInUse(path);
            var check = await JournalCheck.RunAsync(folder, context.Terminal);
            if (result.GetValue(format) == SharedOptions.Json)
            {
                context.Terminal.Line(JsonLines.Write(writer => WriteJson(writer, path, check, isInUse)));
                return check.Wrong.IsNone ? ExitCodes.Success : ExitCodes.Of(FaultCodes.Name(check.Wrong.Code));
            }

            JournalPlace.Require(check.Wrong);
            Print(context.Terminal, path, check, isInUse);
            return ExitCodes.Success;
        });
        return verb;
    }

    private static Command Repair(VerbContext context)
    {
        var place = new JournalPlace();
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be done" };
        var verb = new Command(
            "repair", "Keep the records before the first damage; what is cut is moved aside, never deleted")
        {
            dryRun,
        };
        place.AddTo(verb);
        verb.SetAction(result =>
        {
            var path = place.Read(result);
            var isDry = result.GetValue(dryRun);
            using var folder = isDry ? JournalPlace.Open(path) : OpenToWrite(path);
            JournalPlace.Require(JournalRepair.TryPlan(folder, out var plan));
            Print(context.Terminal, plan, isDry);
            if (plan.IsNeeded)
            {
                RepairLoss.Print(context.Terminal, folder, plan, isDry);
            }

            if (plan.IsNeeded && !isDry)
            {
                Carry(context.Terminal, folder, plan);
            }

            return ExitCodes.Success;
        });
        return verb;
    }

    private static DiskFolder OpenToWrite(string path)
    {
        // A folder that is not there must not be made by a repair.
        JournalPlace.Open(path).Dispose();
        JournalPlace.Require(DiskFolder.TryOpen(path, out var folder));
        return folder!;
    }

    private static void Carry(Terminal terminal, DiskFolder folder, RepairPlan plan)
    {
        var aside = new List<string>();
        var fault = JournalRepair.Apply(folder, plan, CellJournal.DefaultOptions.UnixUs(), aside);
        foreach (var name in aside)
        {
            terminal.Line($"set aside: {folder.PathOf(name)}");
        }

        JournalPlace.Require(fault);
        terminal.Line("repaired; remove what was set aside when you do not need it any more");
    }

    private static void Print(Terminal terminal, RepairPlan plan, bool isDry)
    {
        if (!plan.IsNeeded)
        {
            terminal.Line($"nothing to repair; the last record is {Text(plan.LastSequence)}");
            return;
        }

        terminal.Line($"damage: {plan.Damage.Message}");
        var would = isDry ? "would be " : "";
        foreach (var segment in plan.Kept)
        {
            terminal.Line($"{would}kept: {segment.Name}");
        }

        if (plan.Rebuilt is { } rebuilt)
        {
            terminal.Line(
                $"{would}kept: {rebuilt.Name} up to offset {Text(plan.RebuiltBytes)}, record "
                + Text(plan.LastSequence));
        }

        foreach (var name in plan.Aside)
        {
            terminal.Line($"{would}set aside whole: {name}");
        }

        if (plan.Kept.Count == 0 && plan.Rebuilt is null)
        {
            terminal.Line("no record can be proved; the next start would begin a new, empty journal");
        }

        if (plan.MissingFrom != 0)
        {
            terminal.Line(
                $"what is kept is a part: records {Text(plan.MissingFrom)} to "
                + $"{Text(plan.FirstSequence - 1)} are needed "
                + "and not there, so tasks known only from them are lost");
        }
    }

    private static void Print(Terminal terminal, string path, JournalCheck check, bool isInUse)
    {
        var newest = check.Layout.Newest;
        terminal.Line($"{path}: lineage {newest.Lineage:x16}, format {JournalFormat.Version}");
        terminal.Line(
            $"{Text(check.Layout.Segments.Count)} segments, {Text(check.Records)} records of "
            + $"{Text(check.BodyBytes)} bytes, {Text(check.Marks)} marks, "
            + $"the last is {Text(check.Tail.Last.Sequence)}");
        terminal.Line($"a replay begins with record {Text(check.Tail.LiveFrom)}");
        terminal.Line(
            isInUse ? "in use by a running process"
            : check.Tail.IsTorn
            ? $"ends in an unfinished write at offset {Text(check.Tail.Offset)}, which the next start cuts"
            : check.Tail.IsClosed ? "closed cleanly"
            : "ends without a clean stop");
        terminal.Line("every record is what was written");
    }

    private static void WriteJson(Utf8JsonWriter writer, string path, JournalCheck check, bool isInUse)
    {
        writer.WriteStartObject();
        writer.WriteString("path", path);
        writer.WriteBoolean("ok", check.Wrong.IsNone);
        if (!check.Wrong.IsNone)
        {
            writer.WriteString("code", FaultCodes.Name(check.Wrong.Code));
            writer.WriteString("message", check.Wrong.Message);
            if (check.Tail.Offset > 0)
            {
                writer.WriteString("file", check.Layout.Segments[check.Tail.Segment].Name);
                writer.WriteNumber("offset", check.Tail.Offset);
            }
        }

        var lineage = check.Layout.Segments.Count == 0 ? 0 : check.Layout.Newest.Lineage;
        writer.WriteString("lineage", lineage.ToString("x16", CultureInfo.InvariantCulture));
        writer.WriteNumber("segments", check.Layout.Segments.Count);
        writer.WriteNumber("records", check.Records);
        writer.WriteNumber("body_bytes", check.BodyBytes);
        writer.WriteNumber("marks", check.Marks);
        writer.WriteNumber("last_sequence", check.Tail.Last.Sequence);
        writer.WriteNumber("live_from", check.Tail.LiveFrom);
        writer.WriteBoolean("in_use", isInUse);
        writer.WriteBoolean("closed", check.Tail.IsClosed);
        writer.WriteBoolean("unfinished_write", check.Tail.IsTorn);
        writer.WriteEndObject();
    }

    private static string Text<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
