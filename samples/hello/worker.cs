// SPDX-License-Identifier: Apache-2.0
#:project jobs/Jobs.csproj
#:project ../../src/Worker/Worker.csproj
#:property PublishAot=false
using Microsoft.Extensions.Hosting;
using Muster;

var builder = Host.CreateApplicationBuilder(args);
builder.AddMusterWorker().Handle(Jobs.Fib, Jobs.Compute);
builder.Build().Run();
