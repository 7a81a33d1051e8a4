// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// The models of all classes, by handler. A class of which nothing was seen is expected to take as long as the known
/// ones do on average; while none is known, one second, so that only the number of tasks on a path counts.
/// </summary>
internal sealed class ClassModels
{
    private const double UnknownUs = 1e6;
    private ClassModel[] _models = new ClassModel[16];
    private double _meansUs;
    private int _known;

    public int Count { get; private set; }

    /// <summary>The model of a handler, by reference: valid until another handler is added.</summary>
    public ref ClassModel this[int handler]
    {
        get
        {
            Add(handler);
            return ref _models[handler];
        }
    }

    /// <summary>Makes room for the handler, so that nothing is allocated when its first task ends.</summary>
    public void Add(int handler)
    {
        Invariant.That(handler is >= 0 and < DecisionLimits.HandlersMax);
        if (handler < Count)
        {
            return;
        }

        if (handler >= _models.Length)
        {
            Array.Resize(ref _models, Math.Max(handler + 1, _models.Length * 2));
        }

        Count = handler + 1;
    }

    /// <summary>The duration to expect of a task at speed 1; at least 1.</summary>
    public long Expect(in TaskFacts facts)
    {
        if (facts.GivenUs > 0)
        {
            return facts.GivenUs;
        }

        ref var model = ref _models[facts.Handler];
        var us = model.IsKnown ? model.Expect(facts.Hint) : Unknown;
        if (facts.LimitUs > 0 && (!model.IsKnown || us > facts.LimitUs))
        {
            us = facts.LimitUs;
        }

        return Math.Max((long)us, 1);
    }

    /// <summary>Learns how long a task ran. True when expectations moved enough to look at all ranks again.</summary>
    public bool Observe(in TaskFacts facts, long us)
    {
        ref var model = ref _models[facts.Handler];
        var before = model.MeanUs;
        _known += model.IsKnown ? 0 : 1;
        var isNews = model.Observe(us, facts.Hint);
        _meansUs += model.MeanUs - before;
        return isNews;
    }

    /// <summary>Takes a model over that was learned before.</summary>
    public void Import(int handler, in ClassModel model)
    {
        Add(handler);
        if (model.IsKnown && !_models[handler].IsKnown)
        {
            _models[handler] = model;
            _known++;
            _meansUs += model.MeanUs;
        }
    }

    private double Unknown => _known == 0 ? UnknownUs : _meansUs / _known;
}
