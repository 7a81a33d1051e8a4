// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>
/// 105 bytes of machine code that make the system calls of a <see cref="SpawnPlan"/>: some in this process, among them
/// the one that makes the child, and the others in the child until it is another program. Managed code cannot run in a
/// child that shares this process's memory, and posix_spawn(3) has no room for limits, privileges and control groups.
/// </summary>
/// <remarks>
/// Every step holds a number, six arguments, a place for the result and a kind; rbx is the plan, rbp the step:
/// <code>
/// endbr64; push rbx; push rbp; mov rbx, rdi; lea rbp, [rdi+16]
/// next:    mov rax, [rbp]; test rax, rax; js done        a number below 0 ends the plan
///          mov rdi, [rbp+8];  mov rsi, [rbp+16]; mov rdx, [rbp+24]
///          mov r10, [rbp+32]; mov r8, [rbp+40];  mov r9, [rbp+48]
///          syscall; mov [rbp+56], rax
///          mov ecx, [rbp+64]; test ecx, ecx; jz must      kind 0: may not fail
///          dec ecx; jz advance                            kind 1: may fail
///          test rax, rax; jnz advance                     kind 2: here the child begins, where rax is 0
///          mov rbp, [rbx]; jmp next                       with the first of its own steps
/// must:    test rax, rax; jns advance
///          mov [rbx+8], rbp                               tells the parent which step failed
/// out:     mov edi, 127; mov eax, 231; syscall; jmp out   exit_group(127)
/// advance: add rbp, 72; jmp next
/// done:    pop rbp; pop rbx; ret
/// </code>
/// The child touches no stack. The parent's thread stands still until the child has left its memory, as with vfork(2),
/// with all signals held back, so nothing else runs in this code. The page is never writable and executable at once.
/// </remarks>
internal static unsafe partial class SpawnCode
{
    private const int PROT_READ = 1;
    private const int PROT_WRITE = 2;
    private const int PROT_EXEC = 4;
    private const int MAP_PRIVATE = 0x02;
    private const int MAP_ANONYMOUS = 0x20;
    private const nuint PageBytes = 4_096;

    private static readonly delegate* unmanaged<void*, void> s_run = Load();

    private static ReadOnlySpan<byte> Code =>
    [
        0xf3, 0x0f, 0x1e, 0xfa, 0x53, 0x55, 0x48, 0x89, 0xfb, 0x48, 0x8d, 0x6f, 0x10,
        0x48, 0x8b, 0x45, 0x00, 0x48, 0x85, 0xc0, 0x78, 0x50,
        0x48, 0x8b, 0x7d, 0x08, 0x48, 0x8b, 0x75, 0x10, 0x48, 0x8b, 0x55, 0x18,
        0x4c, 0x8b, 0x55, 0x20, 0x4c, 0x8b, 0x45, 0x28, 0x4c, 0x8b, 0x4d, 0x30,
        0x0f, 0x05, 0x48, 0x89, 0x45, 0x38,
        0x8b, 0x4d, 0x40, 0x85, 0xc9, 0x74, 0x0e, 0xff, 0xc9, 0x74, 0x21,
        0x48, 0x85, 0xc0, 0x75, 0x1c, 0x48, 0x8b, 0x2b, 0xeb, 0xc4,
        0x48, 0x85, 0xc0, 0x79, 0x12, 0x48, 0x89, 0x6b, 0x08,
        0xbf, 0x7f, 0x00, 0x00, 0x00, 0xb8, 0xe7, 0x00, 0x00, 0x00, 0x0f, 0x05, 0xeb, 0xf2,
        0x48, 0x83, 0xc5, 0x48, 0xeb, 0xa7, 0x5d, 0x5b, 0xc3,
    ];

    /// <summary>Whether programs can be started on this processor.</summary>
    public static bool IsSupported => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Makes the calls of a plan, from its first step in this process.</summary>
    public static void Run(void* plan) => s_run(plan);

    private static delegate* unmanaged<void*, void> Load()
    {
        if (!IsSupported)
        {
            throw new PlatformNotSupportedException("commands are started on x64 only");
        }

        var page = mmap(null, PageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if ((nint)page == -1)
        {
            throw new InvalidOperationException("no page for the code that starts programs");
        }

        Code.CopyTo(new Span<byte>(page, Code.Length));
        return mprotect(page, PageBytes, PROT_READ | PROT_EXEC) == 0
            ? (delegate* unmanaged<void*, void>)page
            : throw new PlatformNotSupportedException("this system refuses executable memory, which .NET needs too");
    }

    [LibraryImport("libc")]
    private static partial void* mmap(void* addr, nuint length, int prot, int flags, int fd, long offset);

    [LibraryImport("libc")]
    private static partial int mprotect(void* addr, nuint len, int prot);
}
