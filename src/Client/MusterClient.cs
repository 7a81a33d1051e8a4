// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Muster.Client;
using Muster.Client.Sessions;
using Muster.Core;
using Muster.Identity.Credentials;
using Muster.Identity.Joining;

namespace Muster;

/// <summary>
/// Submits tasks to a cell and awaits their results. Make one per program, share it, dispose it at the end.
/// </summary>
/// <remarks>
/// Safe for use by many threads at once. A connection that breaks is made again and continued where it was: nothing
/// that the cell has accepted is lost, and nothing is delivered twice. A cancelled wait never cancels the task; a task
/// that the cell had not accepted by then may stay unsent.
/// </remarks>
public sealed partial class MusterClient : IAsyncDisposable
{
    private readonly TaskOptionsCache _optionsCache = new();
    private readonly CellConnection _cell;

    internal MusterClient(CellConnection cell, ISessionConnector connector, MusterClientOptions options)
    {
        _cell = cell;
        Engine = new(connector, options);
    }

    /// <summary>Where it connects to.</summary>
    public string Address => _cell.Address;

    internal SessionEngine Engine { get; }

    internal CellConnection Cell => _cell;

    /// <summary>Makes a client. Connects when the first task is submitted.</summary>
    /// <param name="address">
    /// "unix:/path", "http://127.0.0.1:port" or "https://host:port", of the latter also several with commas between.
    /// Null: the environment variable MUSTER_ADDRESS, else the cell of "muster auth login", else the default cell of
    /// this user on this host.
    /// </param>
    /// <param name="options">Null: the defaults.</param>
    /// <returns>The client; dispose it.</returns>
    /// <exception cref="MusterException">ADDRESS_INVALID, or UNAVAILABLE when there is no cell to connect
    /// to.</exception>
    public static MusterClient Connect(string? address = null, MusterClientOptions? options = null)
    {
        options ??= new();
        options.Validate();
        var place = CellAddress.Resolve(address);
        var cell = new CellConnection(place, options.Name, CredentialsOf(place, options));
        return new(cell, new GrpcSessionConnector(cell), options);
    }

    private static CredentialSource CredentialsOf(string address, MusterClientOptions options)
    {
        try
        {
            return CredentialSource.For(address, options.Token, options.ContextFile);
        }
        catch (CredentialsUnusableException problem)
        {
            throw new MusterException(FaultCodes.Name(FaultCode.CredentialsUnusable), problem.Message);
        }
    }

    /// <summary>Submits a task and awaits its value.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What the handler returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="input">Its input; written before this method returns.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="cancellationToken">Ends the wait, never the task.</param>
    /// <returns>The value.</returns>
    /// <exception cref="TaskFailedException">The task ended without success.</exception>
    /// <exception cref="MusterException">The service refused it or could not be reached.</exception>
    public Task<TOut> RunAsync<TIn, TOut>(
        TaskType<TIn, TOut> type,
        TIn input,
        SubmitOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(type);
        var pending = Prepare(type, input, options, awaitsAcceptance: false);
        return ReadAsync(pending, type, cancellationToken);
    }

    /// <summary>Submits a task; completes when the cell has accepted it.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What the handler returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="input">Its input; written before this method returns.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="cancellationToken">Ends the wait for the acceptance.</param>
    /// <returns>The accepted task, to be awaited for its value or not.</returns>
    /// <exception cref="MusterException">The service refused it or could not be reached.</exception>
    public async Task<TaskHandle<TOut>> SubmitAsync<TIn, TOut>(
        TaskType<TIn, TOut> type,
        TIn input,
        SubmitOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(type);
        var pending = Prepare(type, input, options, awaitsAcceptance: true);
        await Engine.SubmitAsync(pending, cancellationToken);
        await WaitAsync(pending, pending.Accepted, cancellationToken);
        pending.ThrowIfRefused();
        return new(this, type.ReadOutput, pending);
    }

    /// <summary>Runs a program on a worker that offers commands.</summary>
    /// <param name="command">The program.</param>
    /// <param name="options">Null: the defaults, with up to three attempts.</param>
    /// <param name="cancellationToken">Ends the wait, never the task.</param>
    /// <returns>What it did, whatever its exit code.</returns>
    /// <exception cref="TaskFailedException">It did not run to its end: not found, timed out, cancelled.</exception>
    /// <exception cref="MusterException">The service refused it or could not be reached.</exception>
    public async Task<CommandResult> RunCommandAsync(
        CommandSpec command, SubmitOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(command);
        var pending = new AwaitedTask(
            _optionsCache.Get(TaskLimits.CommandHandler, options), command.Encode(), awaitsAcceptance: false)
        {
            IdempotencyKey = SubmissionKey.Check(options?.IdempotencyKey),
        };
        await Engine.SubmitAsync(pending, cancellationToken);
        await WaitAsync(pending, pending.Ended, cancellationToken);
        pending.ThrowIfRefused();
        if (!CommandOutcome.RanToItsEnd(pending))
        {
            pending.ThrowUnlessSucceeded();
        }

        return CommandResult.Decode(pending.Output);
    }

    /// <summary>Cancels a task by its id. Safe to repeat.</summary>
    /// <param name="id">The task.</param>
    /// <param name="cancellationToken">Ends the wait for the answer.</param>
    /// <returns>True: it is cancelled, by this call or an earlier one. False: it had ended in another way.</returns>
    /// <exception cref="MusterException">TASK_NOT_FOUND, or the service could not be reached.</exception>
    public Task<bool> CancelAsync(TaskId id, CancellationToken cancellationToken = default) =>
        CancelAsync(id, "", cancellationToken);

    /// <summary>Cancels a task by its id, and says why. Safe to repeat.</summary>
    /// <param name="id">The task.</param>
    /// <param name="reason">
    /// For people: the message of the task's error, after this client's name. At most some 200 bytes of UTF-8.
    /// </param>
    /// <param name="cancellationToken">Ends the wait for the answer.</param>
    /// <returns>True: it is cancelled, by this call or an earlier one. False: it had ended in another way.</returns>
    /// <exception cref="MusterException">TASK_NOT_FOUND, or the service could not be reached.</exception>
    public async Task<bool> CancelAsync(TaskId id, string reason, CancellationToken cancellationToken = default)
    {
        var request = new V1.CancelTasksRequest { TaskIds = { id.Value }, Reason = reason, Actor = _cell.Name };
        var status = (await _cell.CancelTasksAsync(request, cancellationToken)).Statuses[0];
        if (status == V1.CancelStatus.NotFound)
        {
            throw new MusterException(
                FaultCodes.Name(FaultCode.TaskNotFound), $"there is no task {id}, or it was forgotten after its end");
        }

        return status is V1.CancelStatus.Cancelled or V1.CancelStatus.AlreadyCancelled;
    }

    /// <summary>
    /// Closes the connection. Waits that are still open fail; tasks that the cell has accepted go on there.
    /// </summary>
    /// <returns>When everything is released.</returns>
    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await _cell.DisposeAsync();
    }

    /// <summary>Options of a handler, shared by alike tasks.</summary>
    internal EncodedTaskOptions OptionsOf(string handler, SubmitOptions? options) =>
        _optionsCache.Get(handler, options);

    private AwaitedTask Prepare<TIn, TOut>(
        TaskType<TIn, TOut> type, TIn input, SubmitOptions? options, bool awaitsAcceptance) =>
        new(_optionsCache.Get(type.Name, options), PayloadBuffer.Write(type, input), awaitsAcceptance)
        {
            IdempotencyKey = SubmissionKey.Check(options?.IdempotencyKey),
        };

    private async Task<TOut> ReadAsync<TIn, TOut>(
        AwaitedTask pending, TaskType<TIn, TOut> type, CancellationToken cancellationToken)
    {
        await Engine.SubmitAsync(pending, cancellationToken);
        await WaitAsync(pending, pending.Ended, cancellationToken);
        pending.ThrowUnlessSucceeded();
        return type.ReadOutput(pending.Output);
    }

    private Task WaitAsync(PendingTask pending, Task signal, CancellationToken cancellationToken) =>
        cancellationToken.CanBeCanceled ? WaitOrAbandonAsync(pending, signal, cancellationToken) : signal;

    private async Task WaitOrAbandonAsync(PendingTask pending, Task signal, CancellationToken cancellationToken)
    {
        try
        {
            await signal.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Engine.Abandon(pending);
            throw;
        }
    }
}
