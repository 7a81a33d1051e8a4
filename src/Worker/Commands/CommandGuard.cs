// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;

namespace Muster.Worker.Commands;

/// <summary>
/// A shell that waits for the end of this process, however that comes: its input is a pipe that nobody but this process
/// holds. Then it kills what is left in the worker's control groups, or what carries its mark where there are none, and
/// removes the working folders. One per worker, made with it.
/// </summary>
internal sealed class CommandGuard : IDisposable
{
    private const string Shell = "/bin/sh";

    // $1: mark or nothing; $2: folder of the working folders or nothing; then the folders of control groups.
    private const string Script = """
        trap '' HUP INT TERM
        mark=$1 work=$2
        shift 2
        read -r _
        round=0
        while [ $round -lt 100 ]; do
          left=
          for group in "$@"; do
            [ -e "$group/cgroup.kill" ] && echo 1 > "$group/cgroup.kill"
            for pid in $(cat "$group"/*/cgroup.procs); do left=1; kill -9 "$pid"; done
          done
          if [ -n "$mark" ]; then
            for file in $(grep -lasF "$mark" /proc/[0-9]*/environ); do
              pid=${file#/proc/}; left=1; kill -9 "${pid%/environ}"
            done
          fi
          [ -z "$left" ] && break
          round=$((round + 1))
          sleep 0.01
        done
        for group in "$@"; do
          round=0
          while [ -d "$group" ] && [ $round -lt 50 ]; do
            rmdir "$group"/*/; rmdir "$group"
            round=$((round + 1))
            [ ! -d "$group" ] || sleep 0.01
          done
        done
        [ -z "$work" ] || rm -rf "$work"
        """;

    private readonly SafeFileHandle _pipe;
    private readonly SafeFileHandle _pidfd;

    private CommandGuard(SafeFileHandle pipe, SafeFileHandle pidfd)
    {
        _pipe = pipe;
        _pidfd = pidfd;
    }

    /// <summary>Starts it; null when that failed, and then commands may outlive a worker that is killed.</summary>
    public static CommandGuard? TryStart(
        SafeFileHandle nothing, string? mark, string? folder, IEnumerable<string> groups)
    {
        if (SpawnPipe.Create(keepRead: false, out var mine, out var given) != 0)
        {
            return null;
        }

        using (given)
        {
            var texts = new List<byte[]>();
            foreach (var text in (IEnumerable<string>)[Shell, "-c", Script, "muster-guard", mark ?? "", folder ?? ""])
            {
                texts.Add(CommandRequest.Text(text));
            }

            foreach (var group in groups)
            {
                texts.Add(CommandRequest.Text(group));
            }

            var error = SpawnProcess.Start(
                new SpawnRequest
                {
                    Path = CommandRequest.Text(Shell),
                    Arguments = texts.ToArray(),
                    Environment = new[] { CommandRequest.Text("PATH=/usr/bin:/bin") },
                    Input = given!,
                    Output = nothing,
                    Error = nothing,
                    Confinement = new SpawnConfinement { DiesWithParent = false },
                },
                out _,
                out var pidfd,
                out _);
            if (error == 0)
            {
                return new(mine!, pidfd!);
            }
        }

        mine!.Dispose();
        return null;
    }

    /// <summary>Lets it do its work, which is none when everything was cleaned, and waits for that.</summary>
    public void Dispose()
    {
        _pipe.Dispose();
        SpawnWait.Reap(_pidfd);
        _pidfd.Dispose();
    }
}
