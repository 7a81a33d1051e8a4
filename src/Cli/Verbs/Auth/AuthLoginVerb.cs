// SPDX-License-Identifier: Apache-2.0
using System.CommandLine;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Cli.Arguments;
using Muster.Cli.Output;
using Muster.Client;
using Muster.Core;
using Muster.Identity.Joining;

namespace Muster.Cli.Verbs;

/// <summary>muster auth login, logout and whoami: this user's way to a cell on another host.</summary>
internal static class AuthLoginVerb
{
    public static Command Login(VerbContext context)
    {
        var line = new Argument<string>("line")
        {
            Description = "TOKEN@HOST:PORT as 'muster auth issue' prints it; - reads it from standard input",
            HelpName = "TOKEN@HOST:PORT",
        };
        var verb = new Command("login", "Keep a token and whom to believe, mode 0600, for all commands of this user")
        {
            line,
        };
        verb.SetAction(async result =>
        {
            var parsed = JoinLines.Parse(result.GetRequiredValue(line));
            try
            {
                var made = await Enrolment.DiscoverAsync(parsed, context.Ending);
                var known = await Enrolment.AskAsync(new CellCredential(made), context.Ending);
                made.Save(ContextFile.DefaultPath);
                context.Terminal.Line(
                    $"logged in to cell '{made.Cell}' as '{known.Name}'; kept in {ContextFile.DefaultPath}");
                return ExitCodes.Success;
            }
            catch (RpcException failure)
            {
                throw RpcFailure.Translate(failure, context.Ending);
            }
        });
        return verb;
    }

    public static Command Logout(VerbContext context)
    {
        var verb = new Command("logout", "Forget what login kept; the token itself counts on until it is revoked");
        verb.SetAction(_ =>
        {
            var path = ContextFile.DefaultPath;
            var isThere = File.Exists(path);
            File.Delete(path);
            context.Terminal.Line(isThere ? $"removed {path}" : "there was no login");
            return ExitCodes.Success;
        });
        return verb;
    }

    public static Command WhoAmI(VerbContext context)
    {
        var address = SharedOptions.Address();
        var cell = SharedOptions.Cell();
        var format = SharedOptions.Format();
        var verb = new Command("whoami", "Show whom the cell takes this user for") { cell, address, format };
        verb.SetAction(async result =>
        {
            var isCellGiven = result.GetResult(cell) is { Implicit: false };
            var place = CellAddress.Resolve(
                isCellGiven ? null : CellAddress.Given(result.GetValue(address)), result.GetRequiredValue(cell));
            var answer = await AskAsync(place, context.Ending);
            context.Terminal.Line(result.GetValue(format) == SharedOptions.Json
                ? JsonLines.Write(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("name", answer.Name);
                    writer.WriteString("id", answer.Id);
                    writer.WriteStartArray("grants");
                    foreach (var grant in answer.Grants)
                    {
                        writer.WriteStringValue(grant);
                    }

                    writer.WriteEndArray();
                    writer.WriteNumber("expires_unix_us", answer.ExpiresUnixUs);
                    writer.WriteEndObject();
                })
                : $"{answer.Name}: {string.Join(' ', answer.Grants)}");
            return ExitCodes.Success;
        });
        return verb;
    }

    private static async Task<V1.GetIdentityResponse> AskAsync(string address, CancellationToken cancellationToken)
    {
        try
        {
            var credential = await CredentialSource.For(address).GetAsync(cancellationToken)
                ?? new CellCredential(new ContextFile { Address = address, Authority = [] });
            return await Enrolment.AskAsync(credential, cancellationToken);
        }
        catch (RpcException failure)
        {
            throw RpcFailure.Translate(failure, cancellationToken);
        }
    }
}
