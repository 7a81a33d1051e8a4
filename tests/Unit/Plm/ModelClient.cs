// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Plm;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>
/// What a correct client knows of its session: which refs it sent with which token, which it was told were accepted,
/// and the result of each. Every message that it reads is checked against that.
/// </summary>
internal sealed class ModelClient(ulong id)
{
    private readonly Dictionary<ulong, string> _tokens = [];
    private readonly Dictionary<ulong, ulong> _accepted = [];
    private readonly Dictionary<ulong, FakeStream.Result> _ended = [];
    private readonly HashSet<ulong> _confirmed = [];
    private int _read;

    public ulong Id { get; } = id;

    public PlmSession? Session { get; private set; }

    public FakeStream? Stream { get; private set; }

    /// <summary>Refs sent whose answer was not read.</summary>
    public List<ulong> Unresolved { get; } = [];

    public IReadOnlyDictionary<ulong, ulong> Accepted => _accepted;

    public int Ended => _ended.Count;

    public void Opened(PlmSession session, FakeStream stream, List<KnownRef> known)
    {
        Session = session;
        Stream = stream;
        _read = 0;
        foreach (var entry in known)
        {
            Accept(entry.Ref, entry.Id.Value);
        }

        // What the server does not know was never accepted; the client would submit it again under new refs.
        Unresolved.Clear();
    }

    /// <summary>The stream is gone; what was on its way is lost.</summary>
    public void Cut()
    {
        Session = null;
        Stream = null;
    }

    public void Sent(ulong number, string token)
    {
        _tokens[number] = token;
        Unresolved.Add(number);
    }

    public void Answered(ulong number, ulong taskId)
    {
        Assert.True(Unresolved.Remove(number));
        if (taskId != 0)
        {
            Accept(number, taskId);
        }
    }

    /// <summary>Reads what the stream brought.</summary>
    public void Read()
    {
        for (; Stream is not null && _read < Stream.Results.Count; _read++)
        {
            var result = Stream.Results[_read];
            Assert.DoesNotContain(result.Ref, _confirmed);
            Assert.Equal(_accepted[result.Ref], result.Id.Value);
            if (_ended.TryGetValue(result.Ref, out var earlier))
            {
                Assert.Equal(earlier, result);
                continue;
            }

            _ended.Add(result.Ref, result);
            if (result.Outcome == Outcome.Succeeded)
            {
                Assert.Equal("out:" + _tokens[result.Ref], result.Output);
            }
            else
            {
                Assert.NotEmpty(result.Error);
            }
        }
    }

    /// <summary>How many results of the stream were read: what may be confirmed.</summary>
    public ulong ReadTotal => (ulong)_read;

    public void ConfirmedUpTo(ulong total)
    {
        for (var at = 0; at < (int)total; at++)
        {
            _confirmed.Add(Stream!.Results[at].Ref);
        }
    }

    private void Accept(ulong number, ulong taskId)
    {
        Assert.True(_accepted.TryAdd(number, taskId) || _accepted[number] == taskId);
    }
}
