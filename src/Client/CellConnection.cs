// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Core;
using Muster.Identity.Credentials;
using Muster.Identity.Joining;
using Muster.Link;
using Muster.Transport;
using Muster.Transport.Wire;

namespace Muster.Client;

/// <summary>
/// The channels to one cell, by address, and the single calls made over them. The first address is the Register's; it
/// says where the PLM is. Thread-safe; owns its channels.
/// </summary>
internal sealed class CellConnection(string address, string name, ICredentialSource? credentials = null)
    : IAsyncDisposable
{
    private static readonly TimeSpan s_callTimeout = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_repeatPauseFirst = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_repeatPauseMax = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// A role that restarts is back well within a second, so the wait between attempts stays short. The session's own
    /// loop is the only thing that continues on a session channel's receive loop, and it runs no user code.
    /// </summary>
    private static readonly GrpcChannelOptions s_callOptions = new() { BackoffMax = TimeSpan.FromMilliseconds(250) };
    private static readonly GrpcChannelOptions s_sessionOptions = s_callOptions with
    {
        InlineCompletions = true,

        // A session may be silent for hours; a network that was cut meanwhile would not be noticed otherwise.
        KeepAliveInterval = TimeSpan.FromSeconds(30),
    };

    // Channels of an earlier version of the credential stay for the calls that are open on them.
    private readonly ConcurrentDictionary<(string Address, bool IsSession, int Version), Lazy<GrpcChannel>> _channels =
        new();
    private volatile string[] _plmAddresses = [];

    /// <summary>The Register's.</summary>
    public string Address { get; } = address;

    /// <summary>What it calls itself.</summary>
    public string Name { get; } = name;

    /// <summary>Asks the Register for a session id and for the PLM's addresses, which are kept.</summary>
    public async Task<ulong> RegisterAsync(CancellationToken cancellationToken)
    {
        try
        {
            var client = new V1.RegistryService.RegistryServiceClient(
                await InvokerAsync(Address, false, cancellationToken));
            var response = await client.RegisterClientAsync(
                new() { WireVersion = TaskLimits.WireVersion, Name = Name }, Options(cancellationToken));
            _plmAddresses = [.. response.PlmAddresses];
            return response.ClientId;
        }
        catch (RpcException failure)
        {
            throw RpcFailure.Translate(failure, cancellationToken);
        }
    }

    /// <summary>A session with a PLM on this host through shared memory; null when gRPC is the way.</summary>
    public async Task<AsyncDuplexStreamingCall<RawMessage, RawMessage>?> TryLinkPlmAsync(
        CancellationToken cancellationToken) =>
        await LinkDialer.TryOpenAsync(await PlmAddressAsync(cancellationToken), RawMethods.SubmissionSession);

    /// <summary>A way to the PLM, by its best address.</summary>
    public async Task<CallInvoker> PlmAsync(CancellationToken cancellationToken, bool isSession = false) =>
        await InvokerAsync(await PlmAddressAsync(cancellationToken), isSession, cancellationToken);

    /// <summary>The PLM was not where it is said to be: ask again before the next call.</summary>
    public void ForgetPlm() => _plmAddresses = [];

    /// <summary>One request and response to the PLM, with failures translated and a deadline.</summary>
    public async Task<T> CallPlmAsync<T>(
        Func<V1.SubmissionService.SubmissionServiceClient, CallOptions, AsyncUnaryCall<T>> call,
        CancellationToken cancellationToken,
        TimeSpan? timeout = null)
    {
        try
        {
            var client = new V1.SubmissionService.SubmissionServiceClient(await PlmAsync(cancellationToken));
            return await call(client, Options(cancellationToken, timeout));
        }
        catch (RpcException failure)
        {
            ForgetPlm();
            throw RpcFailure.Translate(failure, cancellationToken);
        }
    }

    /// <summary>One request and response to the cell's admin service.</summary>
    public async Task<T> CallAdminAsync<T>(
        Func<V1.AdminService.AdminServiceClient, CallOptions, AsyncUnaryCall<T>> call,
        CancellationToken cancellationToken)
    {
        try
        {
            var client = new V1.AdminService.AdminServiceClient(await PlmAsync(cancellationToken));
            return await call(client, Options(cancellationToken));
        }
        catch (RpcException failure)
        {
            ForgetPlm();
            throw RpcFailure.Translate(failure, cancellationToken);
        }
    }

    public async Task<V1.CancelTasksResponse> CancelTasksAsync(
        V1.CancelTasksRequest request, CancellationToken cancellationToken) =>
        await CallPlmAsync((client, options) => client.CancelTasksAsync(request, options), cancellationToken);

    /// <summary>How many of the tasks had ended and belonged to no session; they are forgotten.</summary>
    public async Task<uint> ReleaseTasksAsync(IEnumerable<TaskId> ids, CancellationToken cancellationToken)
    {
        var request = new V1.ReleaseTasksRequest();
        request.TaskIds.AddRange(ids.Select(id => id.Value));
        var response = await CallPlmAsync(
            (client, options) => client.ReleaseTasksAsync(request, options), cancellationToken);
        return response.Released;
    }

    /// <summary>
    /// Submits one task without a session: its result is kept until its retention ends. A call that failed may have
    /// been accepted, so it is repeated under one idempotency key, which is made here when the options have none.
    /// </summary>
    /// <returns>The task, and whether it is that of an earlier submission with the same key.</returns>
    public async Task<(TaskId Id, bool IsDuplicate)> SubmitTaskAsync(
        string handler, SubmitOptions options, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        PayloadSize.Check(payload.Length);
        var given = SubmissionKey.Check(options.IdempotencyKey);
        var isMade = string.IsNullOrEmpty(given);
        if (isMade)
        {
            options = options with { KeyRetention = SubmissionKey.MadeRetention };
        }

        var request = new V1.SubmitTaskRequest
        {
            WireVersion = TaskLimits.WireVersion,
            Options = Sessions.EncodedTaskOptions.ToMessage(handler, options),
            Item = new()
            {
                Payload = UnsafeByteOperations.UnsafeWrap(payload),
                IdempotencyKey = isMade ? SubmissionKey.Make() : given,
            },
        };
        var response = await RepeatSubmitAsync(request, isMade, cancellationToken);
        return (new(response.TaskId), response.IsDuplicate && !isMade);
    }

    /// <summary>The encoded TaskResult of a task; null when it has not ended by then.</summary>
    public async Task<byte[]?> AwaitTaskAsync(TaskId id, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            var response = await CallPlmAsync(
                (client, call) => client.AwaitTaskAsync(new() { TaskId = id.Value }, call), cancellationToken, timeout);
            return response.Result.ToByteArray();
        }
        catch (MusterException failure) when (failure.Code == "DEADLINE_EXCEEDED")
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels.Values.Where(channel => channel.IsValueCreated))
        {
            await channel.Value.DisposeAsync();
        }

        _channels.Clear();
        credentials?.Dispose();
    }

    /// <summary>The PLM's best address, asked of the Register when it is not known.</summary>
    public async Task<string> PlmAddressAsync(CancellationToken cancellationToken)
    {
        if (_plmAddresses.Length == 0)
        {
            await RegisterAsync(cancellationToken);
        }

        var addresses = _plmAddresses;
        return addresses.Length > 0
            ? addresses[0]
            : throw new MusterException(
                FaultCodes.Name(FaultCode.Unavailable), "the cell has no PLM; start it with 'muster plm'")
            { IsTransient = true };
    }

    private async Task<V1.SubmitTaskResponse> RepeatSubmitAsync(
        V1.SubmitTaskRequest request, bool isKeyMade, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        var pause = s_repeatPauseFirst;
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await CallPlmAsync((client, call) => client.SubmitTaskAsync(request, call), cancellationToken);
            }
            catch (MusterException failure) when (
                tries == 1 && isKeyMade && failure.Code == FaultCodes.Name(FaultCode.KeysFull))
            {
                // Refused, so nothing was taken; it goes without a key, and then once only.
                request.Item.IdempotencyKey = "";
            }
            catch (MusterException failure) when (
                failure.IsTransient
                && !IsRefusal(failure)
                && request.Item.IdempotencyKey.Length > 0
                && Stopwatch.GetElapsedTime(since) + pause < s_callTimeout)
            {
                await Task.Delay(pause, cancellationToken);
                pause = pause * 2 < s_repeatPauseMax ? pause * 2 : s_repeatPauseMax;
            }
        }
    }

    /// <summary>The service has answered, and has taken nothing.</summary>
    private static bool IsRefusal(MusterException failure) =>
        FaultCodes.GrpcStatus(FaultCodes.Parse(failure.Code)) == (int)StatusCode.ResourceExhausted;

    private async Task<CallInvoker> InvokerAsync(string to, bool isSession, CancellationToken cancellationToken)
    {
        var credential = await CredentialAsync(to, cancellationToken);
        return _channels.GetOrAdd((to, isSession, credential?.Version ?? 0), key => new Lazy<GrpcChannel>(() =>
        {
            var options = key.IsSession ? s_sessionOptions : s_callOptions;
            return GrpcChannel.ForAddress(key.Address, credential?.On(options) ?? options);
        })).Value.CreateCallInvoker();
    }

    /// <summary>Null: none is needed there.</summary>
    private async Task<CellCredential?> CredentialAsync(string to, CancellationToken cancellationToken)
    {
        if (credentials is null || to.StartsWith(CellAddress.UnixPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            return await credentials.GetAsync(cancellationToken);
        }
        catch (ServerNotTrustedException problem)
        {
            throw new MusterException(
                FaultCodes.Name(FaultCode.ServerNotTrusted), problem.Message, innerException: problem);
        }
        catch (CredentialsUnusableException problem)
        {
            throw new MusterException(
                FaultCodes.Name(FaultCode.CredentialsUnusable), problem.Message, innerException: problem);
        }
        catch (RpcException failure)
        {
            throw RpcFailure.Translate(failure, cancellationToken);
        }
    }

    private static CallOptions Options(CancellationToken cancellationToken, TimeSpan? timeout = null) =>
        new(deadline: DateTime.UtcNow + (timeout ?? s_callTimeout), cancellationToken: cancellationToken);
}
