// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Interop.Peers;

/// <summary>
/// A program of another gRPC implementation. It is started once, takes one JSON order a line and answers each with one
/// JSON line that carries the order's id; a line with "first" tells that a stream has begun.
/// </summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(30);

    // A client in Node takes 10 s of processor for a stream of 100,000 messages: most of a minute on a busy machine.
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromMinutes(3);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonObject>> _answers = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource> _beginnings = new();
    private readonly TaskCompletionSource<JsonObject> _ready = NewSignal<JsonObject>();
    private readonly Task _listening;
    private int _lastId;

    private PeerProcess(Process process)
    {
        _process = process;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.AppendLine(line.Data);
            }
        };
        _process.BeginErrorReadLine();
        _listening = Task.Run(ListenAsync);
    }

    /// <summary>What the program said when it was ready.</summary>
    public JsonObject Ready => _ready.Task.Result;

    public static Task<PeerProcess> StartPythonAsync(string script, params string[] arguments) => StartAsync(
        "/usr/bin/python3",
        [Path.Combine(InteropFolders.Sources, "python", script), InteropFolders.PythonGenerated, .. arguments]);

    public static Task<PeerProcess> StartNodeAsync(string script, params string[] arguments) => StartAsync(
        "node",
        [Path.Combine(InteropFolders.Node, script), InteropFolders.Protos, InteropFolders.Contract, .. arguments]);

    /// <summary>Gives an order; the first task ends when its stream has begun, the second with its answer.</summary>
    public (Task Begun, Task<JsonObject> Answer) Begin(string operation, string target, JsonObject? order = null)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = _answers[id] = NewSignal<JsonObject>();
        var begun = _beginnings[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var line = order is null ? [] : (JsonObject)order.DeepClone();
        line["id"] = id;
        line["op"] = operation;
        line["target"] = target;
        lock (_process)
        {
            _process.StandardInput.WriteLine(line.ToJsonString());
            _process.StandardInput.Flush();
        }

        return (begun.Task.WaitAsync(s_answerTimeout), AnswerAsync(answer.Task));
    }

    public Task<JsonObject> RunAsync(string operation, string target, JsonObject? order = null) =>
        Begin(operation, target, order).Answer;

    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        await _listening;
        _process.Dispose();
    }

    private static async Task<PeerProcess> StartAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["GRPC_VERBOSITY"] = "NONE";
        var peer = new PeerProcess(Process.Start(start)!);
        try
        {
            await peer._ready.Task.WaitAsync(s_startTimeout);
            return peer;
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"{arguments[0]} did not start: {peer.Errors()}");
        }
    }

    private async Task<JsonObject> AnswerAsync(Task<JsonObject> answer)
    {
        JsonObject result;
        try
        {
            result = await answer.WaitAsync(s_answerTimeout);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The peer did not answer. Its errors: {Errors()}");
        }

        return result["crash"] is { } crash
            ? throw new InvalidOperationException($"The peer crashed: {crash}; {Errors()}")
            : result;
    }

    private async Task ListenAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var message = JsonNode.Parse(line)!.AsObject();
            if (message["ready"] is not null)
            {
                _ready.TrySetResult(message);
            }
            else if (message["first"] is not null)
            {
                _beginnings[message["id"]!.GetValue<int>()].TrySetResult();
            }
            else
            {
                _answers[message["id"]!.GetValue<int>()].TrySetResult(message);
            }
        }

        var gone = new InvalidOperationException($"The peer ended: {Errors()}");
        _ready.TrySetException(gone);
        foreach (var answer in _answers.Values)
        {
            answer.TrySetException(gone);
        }
    }

    private string Errors()
    {
        lock (_errors)
        {
            return _errors.ToString();
        }
    }

    private static TaskCompletionSource<T> NewSignal<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
