// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Net.Sockets;
using System.Text;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Server.Endpoint;

/// <summary>
/// A Unix socket in the file system: mode 0600, in a folder of our own user with mode 0700. Beside it lies an empty
/// file PATH.lock whose lock the server holds for as long as it lives and the kernel drops when it dies: whoever
/// holds it may remove a stale socket, so two servers that start at once cannot remove each other's. Only a socket on
/// which nobody listens is ever removed. Owner: the endpoint.
/// </summary>
internal sealed class SocketFile : IDisposable
{
    private const ushort S_IFSOCK = 0xC000;
    private const UnixFileMode FolderMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode SocketMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int OthersMayWrite = 0x12;

    private readonly FileStream _lock;

    private SocketFile(FileStream held) => _lock = held;

    /// <summary>Binds and listens. The socket is the caller's to close, and closing it removes its file.</summary>
    public static Fault Bind(string path, out SocketFile? file, out Socket? socket)
    {
        file = null;
        socket = null;
        var fault = CheckPath(path);
        if (fault.IsNone)
        {
            fault = PrepareFolder(Path.GetDirectoryName(path)!);
        }

        if (!fault.IsNone)
        {
            return fault;
        }

        try
        {
            file = new SocketFile(TakeLock(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(
                FaultCode.PortInUse, $"another server uses {path}; stop it or choose another cell ({e.Message})");
        }

        fault = RemoveStale(path);
        if (fault.IsNone)
        {
            fault = Listen(path, out socket);
        }

        if (!fault.IsNone)
        {
            file.Dispose();
            file = null;
        }

        return fault;
    }

    public void Dispose() => _lock.Dispose();

    private static Fault CheckPath(string path)
    {
        if (!Path.IsPathFullyQualified(path) || Path.EndsInDirectorySeparator(path))
        {
            return new(FaultCode.AddressInvalid, $"'{path}' is not the absolute path of a socket");
        }

        var length = Encoding.UTF8.GetByteCount(path);
        return length <= EndpointLimits.SocketPathBytesMax
            ? Fault.None
            : new(
                FaultCode.SocketPathTooLong,
                $"the socket path {path} has {length} bytes and Linux allows {EndpointLimits.SocketPathBytesMax}; set "
                + "XDG_RUNTIME_DIR to a shorter folder or use a shorter cell name");
    }

    private static Fault PrepareFolder(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder, FolderMode);
            if (!Statx.TryOf(folder, out var facts) || !facts.IsFolder || facts.Uid != User.Id)
            {
                return Untrusted(folder);
            }

            if ((facts.Permissions & OthersMayWrite) != 0)
            {
                return new(
                    FaultCode.AddressInvalid,
                    $"others may write in {folder}, so its sockets are not safe; chmod 700 it");
            }

            return Fault.None;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(FaultCode.AddressInvalid, $"cannot make the folder {folder} for the socket: {e.Message}");
        }
    }

    private static Fault Untrusted(string folder) => new(
        FaultCode.AddressInvalid, $"{folder} is not a folder of this user; remove it or choose another place");

    private static FileStream TakeLock(string path) => new(path + ".lock", new FileStreamOptions
    {
        Mode = FileMode.OpenOrCreate,
        Access = FileAccess.ReadWrite,
        Share = FileShare.None,
        UnixCreateMode = SocketMode,
        BufferSize = 0,
    });

    private static Fault RemoveStale(string path)
    {
        if (!Statx.TryOf(path, out var facts))
        {
            return Fault.None;
        }

        if ((facts.Mode & Statx.S_IFMT) != S_IFSOCK)
        {
            return new(FaultCode.AddressInvalid, $"{path} exists and is not a socket; it was left as it is");
        }

        switch (UnixConnect.Try(path))
        {
            case UnixConnect.ECONNREFUSED:
                File.Delete(path);
                return Fault.None;
            case 0:
                return new(FaultCode.PortInUse, $"another server listens on {path}; stop it or choose another cell");
            case var errno:
                return new(FaultCode.PortInUse, $"{path} is there and cannot be tried: {OsError.Words(errno)}");
        }
    }

    private static Fault Listen(string path, out Socket? socket)
    {
        var fresh = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            fresh.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, SocketMode);
            fresh.Listen(EndpointLimits.AcceptBacklogMax);
            socket = fresh;
            return Fault.None;
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException)
        {
            fresh.Dispose();
            socket = null;
            return new(FaultCode.AddressInvalid, $"cannot listen on {path}: {e.Message}");
        }
    }
}
