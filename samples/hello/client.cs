// SPDX-License-Identifier: Apache-2.0
#:project jobs/Jobs.csproj
#:project ../../src/Client/Client.csproj
#:property PublishAot=false
using Muster;

await using var muster = MusterClient.Connect();
Console.WriteLine(await muster.RunAsync(Jobs.Fib, 30));
await foreach (var (n, value) in muster.MapAsync(Jobs.Fib, Enumerable.Range(1, 40)))
    Console.WriteLine($"fib({n}) = {value}");
