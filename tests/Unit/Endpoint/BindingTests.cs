// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Server.Endpoint;
using Xunit;

namespace Muster.Unit.Endpoint;

[SupportedOSPlatform("linux")]
public sealed class BindingTests : IDisposable
{
    private const UnixFileMode OwnerReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder = Directory.CreateTempSubdirectory("muster-bind-").FullName;

    private string SocketPath => Path.Combine(_folder, "run", "a.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Start_OnPortInUse_IsRefused()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        await AssertRefusedAsync(FaultCode.PortInUse, $"127.0.0.1:{port} is in use", OnPort(port));
    }

    [Fact]
    public async Task Start_OnPortOfAnotherEndpoint_IsRefused()
    {
        await using var first = await StartedAsync(OnPort(0));
        await AssertRefusedAsync(FaultCode.PortInUse, "is in use", OnPort(new Uri(first.Addresses[0]).Port));
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("192.0.2.1")]
    [InlineData("::")]
    public Task Start_OnAddressThatIsNotLoopback_IsRefused(string address) => AssertRefusedAsync(
        FaultCode.BindRefused, "is not a loopback address",
        new EndpointOptions { Loopback = [new IPEndPoint(IPAddress.Parse(address), 0)] });

    [Fact]
    public Task Start_OnLongSocketPath_IsRefused() => AssertRefusedAsync(
        FaultCode.SocketPathTooLong, "Linux allows 107",
        new EndpointOptions { SocketPath = Path.Combine(_folder, new string('x', 108)) });

    [Theory]
    [InlineData("relative/a.sock")]
    [InlineData("/tmp/")]
    public Task Start_OnPathThatIsNone_IsRefused(string path) => AssertRefusedAsync(
        FaultCode.AddressInvalid, "absolute path", new EndpointOptions { SocketPath = path });

    [Fact]
    public Task Start_WithNothingToListenOn_IsRefused() =>
        AssertRefusedAsync(FaultCode.AddressInvalid, "to listen on", new EndpointOptions());

    [Fact]
    public Task Start_WithMoreConnectionsThanFiles_IsRefused() => AssertRefusedAsync(
        FaultCode.FileLimitTooLow, "LimitNOFILE",
        OnPort(0) with { ConnectionsMax = 500_000_000 });

    [Fact]
    public async Task Start_OnUnixSocket_IsForTheOwnerAlone()
    {
        await using var endpoint = await StartedAsync(OnSocket());
        Assert.Equal(["unix:" + SocketPath], endpoint.Addresses);
        Assert.Equal(OwnerReadWrite, File.GetUnixFileMode(SocketPath));
        Assert.Equal(
            OwnerReadWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(SocketPath)!));
    }

    [Fact]
    public async Task Start_OnSocketOfLivingServer_IsRefusedAndLeavesIt()
    {
        await using var first = await StartedAsync(OnSocket());
        await AssertRefusedAsync(FaultCode.PortInUse, "another server uses", OnSocket());
        Assert.True(CanConnect(SocketPath));
    }

    [Fact]
    public async Task Start_OnSocketOfForeignListener_IsRefusedAndLeavesIt()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(SocketPath)!, OwnerReadWrite | UnixFileMode.UserExecute);
        using var other = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        other.Bind(new UnixDomainSocketEndPoint(SocketPath));
        other.Listen();
        await AssertRefusedAsync(FaultCode.PortInUse, "another server listens on", OnSocket());
        Assert.True(CanConnect(SocketPath));
    }

    [Fact]
    public async Task Start_OnStaleSocket_TakesItsPlace()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(SocketPath)!, OwnerReadWrite | UnixFileMode.UserExecute);
        var elsewhere = Path.Combine(_folder, "elsewhere.sock");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // Closing a socket removes its file, so the file has to be elsewhere by then.
            dead.Bind(new UnixDomainSocketEndPoint(elsewhere));
            File.Move(elsewhere, SocketPath);
        }

        Assert.True(File.Exists(SocketPath));
        await using var endpoint = await StartedAsync(OnSocket());
        Assert.True(CanConnect(SocketPath));
    }

    [Fact]
    public async Task Start_OnFileThatIsNoSocket_IsRefusedAndLeavesIt()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(SocketPath)!, OwnerReadWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(SocketPath, "precious");
        await AssertRefusedAsync(FaultCode.AddressInvalid, "is not a socket", OnSocket());
        Assert.Equal("precious", await File.ReadAllTextAsync(SocketPath));
    }

    [Fact]
    public async Task Start_OnPlantedSymbolicLink_IsRefusedAndLeavesItsTarget()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(SocketPath)!, OwnerReadWrite | UnixFileMode.UserExecute);
        var target = Path.Combine(_folder, "target");
        await File.WriteAllTextAsync(target, "precious");
        File.CreateSymbolicLink(SocketPath, target);
        await AssertRefusedAsync(FaultCode.AddressInvalid, "is not a socket", OnSocket());
        Assert.Equal("precious", await File.ReadAllTextAsync(target));
    }

    [Fact]
    public async Task Start_InFolderWhereOthersWrite_IsRefused()
    {
        var run = Directory.CreateDirectory(Path.GetDirectoryName(SocketPath)!);
        run.UnixFileMode |= UnixFileMode.OtherWrite;
        await AssertRefusedAsync(FaultCode.AddressInvalid, "others may write", OnSocket());
    }

    [Fact]
    public async Task Start_InFolderThatIsALink_IsRefused()
    {
        var real = Directory.CreateDirectory(Path.Combine(_folder, "real"));
        Directory.CreateSymbolicLink(Path.GetDirectoryName(SocketPath)!, real.FullName);
        await AssertRefusedAsync(FaultCode.AddressInvalid, "not a folder of this user", OnSocket());
    }

    [Fact]
    public async Task Stop_OfStartedEndpoint_RemovesTheSocketAndMayRepeat()
    {
        var endpoint = await StartedAsync(OnSocket());
        await endpoint.StopAsync(TimeSpan.FromSeconds(5));
        await endpoint.StopAsync(TimeSpan.FromSeconds(5));
        Assert.False(File.Exists(SocketPath));
        await using var next = await StartedAsync(OnSocket());
    }

    [Fact]
    public async Task Stop_BeforeStart_DoesNothing()
    {
        await new GrpcEndpoint(OnSocket()).StopAsync(TimeSpan.Zero);
        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public async Task Start_OnPortZeroAndSocket_SaysBothAddresses()
    {
        await using var endpoint = await StartedAsync(
            OnSocket() with { Loopback = [new IPEndPoint(IPAddress.Loopback, 0)] });
        Assert.Equal("unix:" + SocketPath, endpoint.Addresses[0]);
        Assert.NotEqual(0, new Uri(endpoint.Addresses[1]).Port);
    }

    private static EndpointOptions OnPort(int port) => new() { Loopback = [new IPEndPoint(IPAddress.Loopback, port)] };

    private EndpointOptions OnSocket() => new() { SocketPath = SocketPath };

    private static bool CanConnect(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        return socket.Connected;
    }

    private static async Task<GrpcEndpoint> StartedAsync(EndpointOptions options)
    {
        var endpoint = new GrpcEndpoint(options);
        Assert.Equal(Fault.None, await endpoint.StartAsync());
        return endpoint;
    }

    private static async Task AssertRefusedAsync(FaultCode code, string text, EndpointOptions options)
    {
        await using var endpoint = new GrpcEndpoint(options);
        var fault = await endpoint.StartAsync();
        Assert.Equal(code, fault.Code);
        Assert.Contains(text, fault.Message, StringComparison.Ordinal);
    }
}
