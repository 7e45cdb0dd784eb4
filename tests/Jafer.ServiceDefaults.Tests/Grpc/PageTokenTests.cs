using FsCheck;
using FsCheck.Fluent;
using Grpc.Core;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Jafer.ServiceDefaults.Tests.Grpc;

public sealed class PageTokenTests(ProbeHost probe) : IClassFixture<ProbeHost>
{
    private static readonly PageTokens s_tokens = Tokens("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    private static readonly byte[] s_binding = PageTokens.Binding(Organisations.Court, new ListNotesRequest { Prefix = "p" });

    [Fact]
    public async Task List_AnyPageSize_ConcatenatedPagesAreTheWholeList()
    {
        var client = probe.Client(Organisations.Court);
        var texts = Enumerable.Range(0, 23).Select(i => $"page {i:00}").ToList();
        foreach (var text in texts)
        {
            await client.WriteNoteAsync(new() { RequestId = Organisations.New().ToString(), NoteId = Organisations.New().ToString(), Text = text });
        }

        foreach (var size in (int[])[1, 2, 7, 22, 23, 24, 0])
        {
            var read = new List<string>();
            var request = new ListNotesRequest { Prefix = "page ", PageSize = size };
            do
            {
                var page = await client.ListNotesAsync(request);
                Assert.InRange(page.Texts.Count, 1, size == 0 ? 10 : size);
                read.AddRange(page.Texts);
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);

            Assert.Equal(texts, read);
        }
    }

    [Fact]
    public async Task List_TokenOfOtherArgumentsOrOrganisation_IsRefused()
    {
        var client = probe.Client(Organisations.Court);
        foreach (var text in (string[])["bound 1", "bound 2"])
        {
            await client.WriteNoteAsync(new() { RequestId = Organisations.New().ToString(), NoteId = Organisations.New().ToString(), Text = text });
        }

        var first = await client.ListNotesAsync(new() { Prefix = "bound", PageSize = 1 });

        // The page size is no argument of the list.
        Assert.Equal(["bound 2"], (await client.ListNotesAsync(new() { Prefix = "bound", PageSize = 5, PageToken = first.NextPageToken })).Texts);
        await RefusedAsync(client, new() { Prefix = "boun", PageSize = 1, PageToken = first.NextPageToken });
        await RefusedAsync(client, new() { Prefix = "bound", PageSize = 1, PageToken = first.NextPageToken + "A" });
        await RefusedAsync(client, new() { Prefix = "bound", PageSize = 1, PageToken = "not a token" });
        await RefusedAsync(probe.Client(Organisations.OtherCourt), new() { Prefix = "bound", PageSize = 1, PageToken = first.NextPageToken });
    }

    [Fact]
    public void Protect_AnyCursor_ComesBackAndHidesIt() => Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), text =>
    {
        var cursor = new Cursor(text.Get);
        var token = s_tokens.Protect(cursor, s_binding);
        return cursor == s_tokens.TryUnprotect<Cursor>(token, s_binding) && Uri.EscapeDataString(token) == token;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void TryUnprotect_AnyChangedCharacter_IsRefused()
    {
        var token = s_tokens.Protect(new Cursor("somewhere"), s_binding);
        for (var i = 0; i < token.Length - 1; i++)
        {
            var changed = token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..];
            Assert.Null(s_tokens.TryUnprotect<Cursor>(changed, s_binding));
        }
    }

    [Fact]
    public void TryUnprotect_AnyText_NeverThrows() => Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>>(), text =>
        s_tokens.TryUnprotect<Cursor>(text.Get, s_binding) is null).QuickCheckThrowOnFailure();

    [Fact]
    public void TryUnprotect_OtherKey_IsRefused()
    {
        var token = s_tokens.Protect(new Cursor("somewhere"), s_binding);

        Assert.Null(Tokens("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").TryUnprotect<Cursor>(token, s_binding));
        Assert.Null(Tokens(null).TryUnprotect<Cursor>(token, s_binding));
    }

    [Fact]
    public void Key_OfWrongLength_StopsStartUp() => Assert.Throws<InvalidOperationException>(() => Tokens("AAAA"));

    [Fact]
    public void Protect_ManyThreads_AllTokensComeBack() => Parallel.For(0, 20_000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
    {
        var cursor = new Cursor($"{i}");
        Assert.Equal(cursor, s_tokens.TryUnprotect<Cursor>(s_tokens.Protect(cursor, s_binding), s_binding));
    });

    private static async Task RefusedAsync(ProbeService.ProbeServiceClient client, ListNotesRequest request)
    {
        var refusal = await Refusal.OfAsync(client.ListNotesAsync(request));
        Assert.Equal((StatusCode.InvalidArgument, "PAGE_TOKEN_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Equal(["page_token"], refusal.Fields);
    }

    private static PageTokens Tokens(string? key) =>
        new(new ConfigurationBuilder().AddInMemoryCollection([new("PageTokens:Key", key)]).Build(), NullLogger<PageTokens>.Instance);

    private sealed record Cursor(string Text);
}
