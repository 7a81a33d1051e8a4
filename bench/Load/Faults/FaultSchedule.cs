// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;

namespace Muster.Load.Faults;

/// <summary>The rounds that a seed stands for: the same seed and level, the same faults in the same order.</summary>
internal static class FaultSchedule
{
    private const int PauseMsMin = 50;
    private const int PauseMsMax = 400;

    // A role that stays stopped costs seconds, so it comes seldom; kills of roles are what a cell must bear best.
    private static readonly (FaultKind Kind, int Weight)[] s_weights =
    [
        (FaultKind.KillPlm, 6),
        (FaultKind.KillScheduler, 6),
        (FaultKind.KillRegister, 6),
        (FaultKind.KillTwoRoles, 5),
        (FaultKind.KillAllRoles, 4),
        (FaultKind.KillPlmTwice, 3),
        (FaultKind.KillWorker, 5),
        (FaultKind.KillAllWorkers, 2),
        (FaultKind.KillRoleAndWorker, 4),
        (FaultKind.KillClient, 4),
        (FaultKind.KillEverything, 3),
        (FaultKind.KillAllAndArena, 3),
        (FaultKind.StopRole, 2),
        (FaultKind.StopWorker, 3),
    ];

    public static IReadOnlyList<FaultRound> Of(int seed, int rounds, bool keepsJournal)
    {
        var random = new Random(seed);
        var list = new List<FaultRound>(rounds);
        List<FaultKind> deck = [];
        for (var number = 1; number <= rounds; number++)
        {
            // Dealt like cards, so that a short run has every kind in its share.
            if (deck.Count == 0)
            {
                deck =
                [
                    .. s_weights
                        .Where(pair => keepsJournal || pair.Kind != FaultKind.KillAllAndArena)
                        .SelectMany(pair => Enumerable.Repeat(pair.Kind, pair.Weight)),
                ];
            }

            var card = random.Next(deck.Count);
            var kind = deck[card];
            deck.RemoveAt(card);
            var pauseMs = random.Next(PauseMsMin, PauseMsMax);
            list.Add(new(number, kind, pauseMs, random.Next(1 << 16), Length(kind, random)));
        }

        return list;
    }

    private static int Length(FaultKind kind, Random random) => kind switch
    {
        FaultKind.StopRole => random.Next(4) == 0 ? random.Next(3_200, 4_200) : random.Next(200, 1_500),
        FaultKind.StopWorker => random.Next(3_300, 4_500),
        FaultKind.KillPlmTwice => random.Next(20, 400),
        _ => 0,
    };
}
