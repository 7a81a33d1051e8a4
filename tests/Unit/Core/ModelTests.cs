// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Muster.Core;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Core;

/// <summary>
/// The Promela models make exactly the steps of the transition table. What spin proves of them is tried by
/// <c>make model</c>.
/// </summary>
public sealed partial class ModelTests
{
    private static readonly string s_models = Path.Combine(Root(), "src", "Core", "Tasks", "Model");

    private readonly record struct Named(Role Role, TaskState From, TaskState To);

    [Fact]
    public void TaskModel_Steps_AreThoseOfTheTable()
    {
        var text = File.ReadAllText(Path.Combine(s_models, "task.pml"));
        var made = Steps(text, StepMacro());
        var leftOut = Steps(text, LeftOut());
        var table = Transitions.Table.Select(step => new Named(step.Role, step.From, step.To)).ToHashSet();

        Assert.Empty(made.Intersect(leftOut));
        Assert.Equal(Words(table), Words(made.Union(leftOut)));
    }

    [Fact]
    public void LossModel_Steps_AreOfTheTable()
    {
        var made = Steps(File.ReadAllText(Path.Combine(s_models, "loss.pml")), StepMacro());

        Assert.NotEmpty(made);
        Assert.All(made, step => Assert.True(Transitions.IsAllowed(step.Role, step.From, step.To), step.ToString()));
    }

    [Theory]
    [InlineData("task.pml")]
    [InlineData("loss.pml")]
    public void Models_StateNumbers_AreTheArenas(string model)
    {
        var text = File.ReadAllText(Path.Combine(s_models, model));
        var states = Enum.GetNames<TaskState>().ToHashSet();
        var defined = Define().Matches(text).Where(match => states.Contains(match.Groups["name"].Value)).ToList();

        Assert.NotEmpty(defined);
        Assert.All(defined, match => Assert.Equal(
            ((byte)Enum.Parse<TaskState>(match.Groups["name"].Value)).ToString(
                System.Globalization.CultureInfo.InvariantCulture),
            match.Groups["number"].Value));
    }

    [Fact]
    public void TaskModel_StateWord_IsChangedByStepsAlone()
    {
        var text = File.ReadAllText(Path.Combine(s_models, "task.pml"));
        var assignments = Assignment().Matches(text).Select(match => match.Value.Trim()).ToList();

        // The macro itself; what a rebuilt arena begins with; and the one safeguard that is taken away by a bare
        // assignment.
        Assert.Equal(
            ["state = to", "state = Accepted", "state = Free", "state = Done", "state = Accepted"],
            assignments);
    }

    private static HashSet<Named> Steps(string text, Regex pattern) =>
        pattern.Matches(text)
            .Select(match => new Named(
                Enum.Parse<Role>(match.Groups["role"].Value),
                Enum.Parse<TaskState>(match.Groups["from"].Value),
                Enum.Parse<TaskState>(match.Groups["to"].Value)))
            .ToHashSet();

    private static IEnumerable<string> Words(IEnumerable<Named> steps) =>
        steps.Select(step => step.ToString()).Order(StringComparer.Ordinal);

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Muster.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Muster.slnx");
        }

        return folder;
    }

    [GeneratedRegex(@"(?<!define )\bSTEP\((?<role>[A-Z]\w+), (?<from>\w+), (?<to>\w+)\)")]
    private static partial Regex StepMacro();

    [GeneratedRegex(@"\bLEFT_OUT\((?<role>\w+), (?<from>\w+), (?<to>\w+)\): \S")]
    private static partial Regex LeftOut();

    [GeneratedRegex(@"^#define (?<name>[A-Z][a-z]+) (?<number>\d+)$", RegexOptions.Multiline)]
    private static partial Regex Define();

    [GeneratedRegex(@"(?<![\w.])state = \w+")]
    private static partial Regex Assignment();
}
