// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using Muster.Core;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

public sealed class TaskRulesTests
{
    [Theory]
    [InlineData("fib", true)]
    [InlineData("muster.command", true)]
    [InlineData("größe-Ω/2", true)]
    [InlineData("", false)]
    [InlineData("two words", false)]
    [InlineData("tab\t", false)]
    [InlineData("esc\u001b[31m", false)]
    [InlineData("flip\u202e", false)]
    [InlineData("nbsp\u00a0", false)]
    public void HandlerName_Text_IsJudged(string name, bool isValid) =>
        Assert.Equal(isValid, HandlerName.IsValid(Encoding.UTF8.GetBytes(name)));

    [Fact]
    public void HandlerName_LongOrBrokenBytes_IsRefused()
    {
        Assert.True(HandlerName.IsValid(Encoding.UTF8.GetBytes(new string('x', 128))));
        Assert.False(HandlerName.IsValid(Encoding.UTF8.GetBytes(new string('x', 129))));
        Assert.False(HandlerName.IsValid([0x66, 0xc3]));
    }

    [Fact]
    public void TryMake_Defaults_AreTheDocumentedOnes()
    {
        using var cell = new PlmCell();
        var profile = cell.Arena.Profiles[cell.Spec().Profile];
        Assert.Equal((4, 3, 3_600_000u), (profile.Priority, profile.AttemptsMax, profile.RetentionMs));
        Assert.Equal((0u, 0u, 0u), (profile.TimeoutMs, profile.ExpiresAfterMs, profile.RetryDelayMs));
        Assert.Equal(
            (200, 60_000u, 0),
            (profile.RetryFactorPercent, profile.RetryDelayMaxMs, profile.RetryJitterPercent));
        Assert.Equal((0u, 0u, 0u), (profile.RetryBudgetMs, profile.ProgressTimeoutMs, profile.TotalTimeoutMs));
        Assert.Equal((2_000u, 0), (profile.CancelGraceMs, profile.FinalErrors.Length));
    }

    [Fact]
    public void TryMake_FieldOutOfRange_IsRefusedByItsCodeAndLeavesNoHandler()
    {
        using var cell = new PlmCell();
        var handlers = cell.Arena.Handlers.Count;
        Refused(cell, FaultCode.HandlerNameInvalid, (ref TaskOptionsView view) => view.HandlerUtf8 = "a b"u8);
        Refused(cell, FaultCode.HandlerNameInvalid, (ref TaskOptionsView view) => view.HandlerUtf8 = default);
        Refused(
            cell,
            FaultCode.PriorityOutOfRange,
            (ref TaskOptionsView view) => (view.HasPriority, view.Priority) = (true, -1));
        Refused(
            cell,
            FaultCode.PriorityOutOfRange,
            (ref TaskOptionsView view) => (view.HasPriority, view.Priority) = (true, 8));
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.AttemptsMax = 101);
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.TimeoutMs = 2_592_000_001);
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.ExpiresAfterMs = ulong.MaxValue);
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.RetentionMs = 2_592_000_001);
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.RetryDelayMs = 86_400_001);
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.Rare.RetryFactorPercent = 99);
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.Rare.RetryFactorPercent = 1_001);
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.Rare.RetryJitterPercent = 101);
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.Rare.RetryBudgetMs = 2_592_000_001);
        Refused(
            cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.Rare.ProgressTimeoutMs = 2_592_000_001);
        Refused(
            cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.Rare.TotalTimeoutMs = 2_592_000_001);
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.Rare.CancelGraceMs = 3_600_001);
        Refused(
            cell,
            FaultCode.InvalidArgument,
            (ref TaskOptionsView view) => (view.RetryDelayMs, view.Rare.RetryDelayMaxMs) = (1_000, 999));
        Refused(
            cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.Rare.FinalErrors.Add("two words"u8));
        Refused(
            cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.Rare.FinalErrors.Add(new byte[385]));
        Refused(cell, FaultCode.InvalidArgument, (ref TaskOptionsView view) => view.Durability = 9);
        Refused(cell, FaultCode.FeatureUnsupported, (ref TaskOptionsView view) => view.Durability = 4);
        Refused(cell, FaultCode.FeatureUnsupported, (ref TaskOptionsView view) => view.QueueUtf8 = "fast"u8);
        Refused(cell, FaultCode.FeatureUnsupported, (ref TaskOptionsView view) => view.HasOtherResources = true);
        Assert.Equal(handlers, cell.Arena.Handlers.Count);
        Assert.True(Make(cell, (ref TaskOptionsView view) => view.QueueUtf8 = "default"u8).IsNone);
        Assert.True(Make(cell, (ref TaskOptionsView view) => view.Durability = 1).IsNone);
    }

    private static void Refused(PlmCell cell, FaultCode code, TaskOptionsChange change)
    {
        var fault = Make(cell, change);
        Assert.Equal(code, fault.Code);
        Assert.NotEmpty(fault.Message);
    }

    private static Fault Make(PlmCell cell, TaskOptionsChange change)
    {
        var view = new TaskOptionsView { HandlerUtf8 = "work"u8 };
        change(ref view);
        return TaskRules.TryMake(cell.Arena, view, out _);
    }
}
