using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>The documents of a mesure, on the real service.</summary>
public sealed class DocumentTests(MesuresFixture jafer)
{
    private readonly DocumentService.DocumentServiceClient _court = new(jafer.First.Channel("juridiction", Court));
    private readonly DocumentService.DocumentServiceClient _otherCourt = new(jafer.First.Channel("juridiction", OtherCourt));
    private readonly DocumentService.DocumentServiceClient _espace = new(jafer.Second.Channel("espace", Gestionnaire));
    private readonly DocumentService.DocumentServiceClient _otherEspace = new(jafer.First.Channel("espace", OtherGestionnaire));

    [Fact]
    public async Task AttachDecision_OfTenMegabytes_IsReadBackByteForByte()
    {
        var id = await jafer.MesureInAsync(MesureState.Completee);
        var file = TestPdf.Make(streamLength: Jafer.ServiceDefaults.Files.FileLimits.MaxBytes - 400);

        var attached = await AttachAsync(_court, Header(id, file), file, piece: 700_000);

        Assert.Equal((1, file.Length), (attached.Document.Number, attached.Document.SizeBytes));
        await jafer.AsCourt.TransmitMesureAsync(new() { MesureId = id, RequestId = NewId() });
        var (document, bytes) = await ReadAsync(_espace, id);
        Assert.Equal(attached.Document, document);
        Assert.True(file.AsSpan().SequenceEqual(bytes));
        Assert.Equal(1, await CountAsync($"select count(*) from journal.entries where 'decision-documents/{document.DocumentId}' = any(resources) and rpc like '%/GetDecisionDocument' and role = 'espace'"));
    }

    [Fact]
    public async Task AttachDecision_TheEvent_HoldsIdsSizeAndHashAlone()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var file = TestPdf.Make();

        var attached = await AttachAsync(_court, Header(id, file), file);

        var payload = await jafer.Database.ReadAsync<string>($"select details::text from mesure_facts where mesure_id = '{id}' and act = 'ATTACH_DECISION'");
        Assert.Contains(attached.Document.DocumentId, payload, StringComparison.Ordinal);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(file)), payload, StringComparison.Ordinal);
        Assert.Equal(MesureState.Transmise, attached.Mesure.State);
        Assert.Equal(MesureAct.AttachDecision, (await jafer.AsCourt.ListMesureEventsAsync(new() { MesureId = id })).Events[^1].Act);
    }

    [Fact]
    public async Task AttachDecision_ACorrectedFile_ReplacesAndKeepsTheOldOne()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var (old, corrected) = (TestPdf.Make(seed: 1), TestPdf.Make(seed: 2));

        var first = await AttachAsync(_court, Header(id, old), old);
        var second = await AttachAsync(_court, Header(id, corrected), corrected);

        var listed = (await jafer.GetAsync(id)).DecisionDocuments;
        Assert.Equal([second.Document.DocumentId, first.Document.DocumentId], listed.Select(d => d.DocumentId));
        Assert.Null(listed[0].ReplacedTime);
        Assert.NotNull(listed[1].ReplacedTime);
        var before = (await jafer.AsCourt.GetMesureAsync(new GetMesureRequest { MesureId = id, AsOfTime = first.Document.AttachedTime })).Mesure.DecisionDocuments;
        Assert.Equal((first.Document.DocumentId, null), (Assert.Single(before).DocumentId, before[0].ReplacedTime));
        Assert.Equal(corrected, (await ReadAsync(_espace, id)).Bytes);
        Assert.Equal(old, (await ReadAsync(_espace, id, first.Document.DocumentId)).Bytes);
    }

    [Fact]
    public async Task AttachDecision_SameRequestTwice_GivesTheFirstAnswerAndStoresOnce()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var file = TestPdf.Make(streamLength: 600_000);
        var header = Header(id, file);

        var first = await AttachAsync(_court, header, file);
        var second = await AttachAsync(_court, header, file);

        Assert.Equal(first, second);
        Assert.Equal(1, await CountAsync($"select count(*) from decision_documents where mesure_id = '{id}'"));
        var other = TestPdf.Make(seed: 9);
        var reused = Header(id, other);
        reused.RequestId = header.RequestId;
        Assert.Equal("REQUEST_ID_REUSED", (await RefusalAsync(_court, reused, other)).Reason);
    }

    [Fact]
    public async Task AttachDecision_StaleEtag_IsAbortedAndStoresNothing()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var file = TestPdf.Make();
        var header = Header(id, file);
        header.Etag = "1";

        var refusal = await RefusalAsync(_court, header, file);

        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH"), (refusal.Code, refusal.Reason));
        header.Etag = refusal.Metadata["etag"];
        Assert.Equal(1, (await AttachAsync(_court, header, file)).Document.Number);
    }

    [Fact]
    public async Task AttachDecision_WrongAnnouncement_NamesEachField()
    {
        var refusal = await RefusalAsync(_court, new AttachDecisionRequest { MesureId = "x", SizeBytes = 10485761, Sha256 = ByteString.CopyFrom(1), Etag = "x", RequestId = "x" }, []);

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Equal(["mesure_id", "etag", "request_id", "size_bytes", "sha256"], refusal.Fields);
    }

    [Fact]
    public async Task AttachDecision_NothingSent_IsInvalid()
    {
        using var call = _court.AttachDecision();
        await call.RequestStream.CompleteAsync();

        Assert.Equal(StatusCode.InvalidArgument, (await Refusal.OfAsync(() => call.ResponseAsync)).Code);
    }

    [Fact]
    public async Task AttachDecision_BytesOtherThanAnnounced_IsRefusedAndStoresNothing()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var chunks = await CountAsync("select count(*) from decision_document_chunks");
        var file = TestPdf.Make();
        foreach (var (field, sent) in new (string, byte[])[] { ("sha256", TestPdf.Make(seed: 7)), ("size_bytes", file[..^1]), ("size_bytes", [.. file, 10]) })
        {
            var refusal = await RefusalAsync(_court, Header(id, file), sent);

            Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
            Assert.Contains(field, refusal.Fields);
        }

        Assert.Empty((await jafer.GetAsync(id)).DecisionDocuments);
        Assert.Equal(0, await CountAsync($"select count(*) from decision_documents where mesure_id = '{id}'"));
        Assert.Equal(0, await CountAsync("select count(*) from decision_document_chunks c where not exists (select from decision_documents d where d.id = c.document_id)"));
        Assert.True(chunks <= await CountAsync("select count(*) from decision_document_chunks"));
    }

    [Theory]
    [InlineData("/S /JavaScript")]
    [InlineData("/Encrypt 3 0 R")]
    public async Task AttachDecision_APdfThatNoGreffeHandsOn_IsRefused(string entry)
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var file = TestPdf.Make(packed: entry);

        var refusal = await RefusalAsync(_court, Header(id, file), file);

        Assert.Equal((StatusCode.InvalidArgument, "data"), (refusal.Code, Assert.Single(refusal.Fields)));
    }

    [Fact]
    public async Task AttachDecision_NoPdf_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var file = "PK\u0003\u0004 a text document"u8.ToArray();

        Assert.Equal(["data"], (await RefusalAsync(_court, Header(id, file), file)).Fields);
    }

    [Fact]
    public async Task AttachDecision_TheStreamBreaks_LeavesNothingBehind()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var file = TestPdf.Make(streamLength: 3_000_000);
        using (var call = _court.AttachDecision())
        {
            var header = Header(id, file);
            header.Data = ByteString.CopyFrom(file.AsSpan(0, 1_000_000));
            await call.RequestStream.WriteAsync(header);
            await call.RequestStream.WriteAsync(new AttachDecisionRequest { Data = ByteString.CopyFrom(file.AsSpan(1_000_000, 1_000_000)) });
            // Its chunks are on their way when the client goes.
        }

        await Eventually.BecomesAsync(
            () => CountAsync("select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'"), n => n == 0, "no transaction left open");
        Assert.Equal(0, await CountAsync("select count(*) from decision_document_chunks c where not exists (select from decision_documents d where d.id = c.document_id)"));
        Assert.Empty((await jafer.GetAsync(id)).DecisionDocuments);
    }

    [Fact]
    public async Task AttachDecision_NotRenderedOrClosed_IsForbiddenByTheState()
    {
        var draft = await jafer.MesureInAsync(MesureState.Ordonnee, r => r.Decision.DecisionDate = null);
        var closed = await jafer.MesureInAsync(MesureState.Transmise);
        await jafer.AsCourt.CloseMesureAsync(new() { MesureId = closed, Reason = ClosureReason.Doublon, RequestId = NewId() });
        var file = TestPdf.Make();

        foreach (var id in new[] { draft, closed })
        {
            var refusal = await RefusalAsync(_court, Header(id, file), file);
            Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
        }
    }

    [Fact]
    public async Task AnyRpc_MesureOfAnotherOrMissing_IsRefusedAlike()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var file = TestPdf.Make();
        foreach (var named in new[] { id, NewId() })
        {
            Func<Task>[] calls =
            [
                () => AttachAsync(_otherCourt, Header(named, file), file),
                () => AttachAsync(_espace, Header(named, file), file),
                .. new[] { _otherCourt, _otherEspace }.SelectMany(c => new Func<Task>[]
                {
                    () => ReadAsync(c, named),
                    () => c.GetParentNoticeAsync(new() { MesureId = named, PartyRole = PartyRole.Hote }).ResponseAsync,
                    () => c.GetFactualNoteAsync(new() { MesureId = named }).ResponseAsync,
                }),
            ];
            foreach (var call in calls)
            {
                var refusal = await Refusal.OfAsync(call);
                Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
            }
        }
    }

    [Fact]
    public async Task GetDecisionDocument_EspaceBeforeTransmission_SeesNothing()
    {
        var id = await jafer.MesureInAsync(MesureState.Completee);
        var file = TestPdf.Make();
        await AttachAsync(_court, Header(id, file), file);

        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(() => ReadAsync(_espace, id))).Code);
        Assert.Equal(file, (await ReadAsync(_court, id)).Bytes);
    }

    [Fact]
    public async Task GetDecisionDocument_NoneOrAnothers_IsRefused()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var other = await jafer.MesureInAsync(MesureState.Transmise);
        var file = TestPdf.Make();
        var attached = await AttachAsync(_court, Header(other, file), file);

        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(() => ReadAsync(_court, id))).Reason);
        Assert.Equal(["document_id"], (await Refusal.OfAsync(() => ReadAsync(_court, id, attached.Document.DocumentId))).Fields);
        Assert.Equal(["mesure_id", "document_id"], (await Refusal.OfAsync(() => ReadAsync(_court, "x", "x"))).Fields);
    }

    [Fact]
    public async Task RedesignateMesure_WithADecision_IsReadAtTheOtherEspace()
    {
        var id = await jafer.MesureInAsync(MesureState.Recue);
        var file = TestPdf.Make();
        await AttachAsync(_court, Header(id, file), file);

        var successor = (await jafer.AsCourt.RedesignateMesureAsync(new()
        {
            MesureId = id,
            Redesignation = new() { EspaceId = YoungEspace.ToString(), DecisionDate = new() { Year = 2026, Month = 4, Day = 1 } },
            RequestId = NewId(),
        })).Successor.MesureId;

        Assert.Equal(file, (await ReadAsync(_espace, successor)).Bytes);
        var corrected = TestPdf.Make(seed: 2);
        await AttachAsync(_court, Header(successor, corrected), corrected);
        Assert.Equal(file, (await ReadAsync(_court, id)).Bytes);
        Assert.Equal(corrected, (await ReadAsync(_espace, successor)).Bytes);
    }

    /// <summary>Every field that a party or a child has is filled with a word of its own: none of the other side's may show.</summary>
    [Theory]
    [InlineData(PartyRole.Hote)]
    [InlineData(PartyRole.Visiteur)]
    public async Task GetParentNotice_ForOneParty_HoldsNothingOfTheOtherNorOfTheChildren(PartyRole role)
    {
        var secrets = new List<string>();
        var id = await jafer.MesureInAsync(MesureState.Transmise, request =>
        {
            foreach (var party in request.Parties.Where(p => p.Role != role))
            {
                Fill(party);
            }

            foreach (var child in request.Children)
            {
                Fill(child);
            }

            request.Decision.RgNumber = Secret("rg");
            request.Decision.JudgeName = Secret("juge");
            request.Decision.Restrictions = Secret("restrictions");
            request.Decision.TiersDeConfiance = new TiersDeConfiance { FullName = Secret("tiers"), WrittenConsent = true };
            request.Decision.InterdictionDeContact = true;
            var own = request.Parties.Single(p => p.Role == role);
            (own.GivenName, own.FamilyName, own.Address) = ("Lecteur", "Attendu", Secret("adresse"));
        });

        var notice = await _court.GetParentNoticeAsync(new() { MesureId = id, PartyRole = role });

        Assert.Contains("Lecteur Attendu", notice.Html, StringComparison.Ordinal);
        Assert.True(secrets.Count > 10);
        Assert.All(secrets, s => Assert.DoesNotContain(s, notice.Html, StringComparison.OrdinalIgnoreCase));

        void Fill(IMessage message)
        {
            foreach (var field in message.Descriptor.Fields.InDeclarationOrder().Where(f => f.FieldType == Google.Protobuf.Reflection.FieldType.String && f.Name != "child_id"))
            {
                field.Accessor.SetValue(message, field.Name switch
                {
                    "phone" => Keep("06 39 98 12 34"),
                    "email" => Keep("secret@exemple.fr"),
                    "commune_insee" => Keep("42218"),
                    "interpreter_language" => "ar",
                    _ => Secret(field.Name.Replace('_', '-')),
                });
            }
        }

        string Secret(string of) => Keep($"zq-{of}-{secrets.Count}");

        string Keep(string value)
        {
            secrets.Add(value);
            return value;
        }
    }

    [Fact]
    public async Task GetParentNotice_AnInterviewBookedByTheTransmission_IsOnTheNoticeOfItsPartyAlone()
    {
        var slot = await jafer.SlotAsync();
        var id = await jafer.MesureInAsync(MesureState.Completee);
        await jafer.InterviewsAsCourt.HoldInterviewSlotAsync(new() { MesureId = id, SlotId = slot.SlotId, PartyRole = PartyRole.Hote, RequestId = NewId() });
        await jafer.AsCourt.TransmitMesureAsync(new() { MesureId = id, InterviewSlotIds = { slot.SlotId }, RequestId = NewId() });

        var hote = await _court.GetParentNoticeAsync(new() { MesureId = id, PartyRole = PartyRole.Hote });
        var visiteur = await _court.GetParentNoticeAsync(new() { MesureId = id, PartyRole = PartyRole.Visiteur });

        var start = TimeZoneInfo.ConvertTime(slot.StartTime.ToDateTimeOffset(), TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris"));
        Assert.Contains($"{Jafer.ServiceDefaults.Printing.French.DayAndDate(DateOnly.FromDateTime(start.DateTime))} à", hote.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("Vous avez un rendez-vous", visiteur.Html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetParentNotice_WithoutTheDirectory_IsWholeAllTheSame()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);

        var notice = await _espace.GetParentNoticeAsync(new() { MesureId = id, PartyRole = PartyRole.Visiteur });

        Assert.False(notice.DirectoryAvailable);
        Assert.Contains("Demandez-la au greffe", notice.Html, StringComparison.Ordinal);
        Assert.StartsWith("%PDF-", notice.Pdf.ToStringUtf8()[..5], StringComparison.Ordinal);
        Assert.Equal(1, await CountAsync($"select count(*) from journal.entries where 'mesures/{id}' = any(resources) and rpc like '%GetParentNotice'"));
    }

    [Fact]
    public async Task GetParentNotice_WhatCannotBe_IsRefused()
    {
        var draft = await jafer.MesureInAsync(MesureState.Ordonnee, r => r.Decision.DecisionDate = null);
        var alone = await jafer.MesureInAsync(MesureState.Ordonnee, r => r.Parties.RemoveAt(1));
        var nowhere = await jafer.MesureInAsync(MesureState.Ordonnee, r => r.EspaceId = "");

        var agreed = (await jafer.AsEspace.RegisterNonJudicialMesureAsync(NonJudicial())).Mesure.MesureId;

        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(_espace.GetParentNoticeAsync(new() { MesureId = agreed, PartyRole = PartyRole.Hote }))).Reason);
        Assert.Equal("STATE_FORBIDS", (await Notice(draft, PartyRole.Hote)).Reason);
        Assert.Equal("STATE_FORBIDS", (await Notice(nowhere, PartyRole.Hote)).Reason);
        Assert.Equal(["party_role"], (await Notice(alone, PartyRole.Visiteur)).Fields);
        Assert.Equal(["party_role"], (await Notice(alone, PartyRole.Enfant)).Fields);

        Task<Refusal> Notice(string id, PartyRole role) => Refusal.OfAsync(_court.GetParentNoticeAsync(new() { MesureId = id, PartyRole = role }));
    }

    [Fact]
    public async Task GetFactualNote_NoJudgeOrderedIt_SpeaksOfTheAgreement()
    {
        var agreed = (await jafer.AsEspace.RegisterNonJudicialMesureAsync(NonJudicial())).Mesure.MesureId;

        var answer = await _espace.GetFactualNoteAsync(new() { MesureId = agreed });

        Assert.Equal(MesureNature.NonJudiciaire, answer.Note.Nature);
        Assert.Contains("Accord du", answer.Html, StringComparison.Ordinal);
        Assert.All(["Décision", "Transmission"], word => Assert.DoesNotContain(word, answer.Html, StringComparison.Ordinal));
    }

    [Fact]
    public async Task GetFactualNote_AfterARencontre_SaysWhoCameAndHoldsNoFreeText()
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee, r => r.Decision.Restrictions = "texte-libre");
        var mesure = await jafer.GetAsync(id);
        await jafer.AsEspace.RecordRencontreOutcomeAsync(new()
        {
            MesureId = id,
            RencontreId = mesure.Rencontres[0].RencontreId,
            Outcome = RencontreOutcome.Held,
            VisiteurPresent = true,
            PresentChildIds = { mesure.Children[0].ChildId },
            RequestId = NewId(),
        });
        await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Other, Comment = "commentaire-libre", RequestId = NewId() });

        var answer = await _espace.GetFactualNoteAsync(new() { MesureId = id });

        Assert.Equal(120, answer.Note.HeldMinutes);
        Assert.Equal([(PartyRole.Hote, 0), (PartyRole.Visiteur, 120), (PartyRole.Enfant, 120)], answer.Note.Persons.Select(p => (p.Role, p.PresentMinutes)));
        Assert.Equal([MesureAct.ContactReached], answer.Note.Steps.Select(s => s.Act));
        Assert.All(["texte-libre", "commentaire-libre"], text => Assert.DoesNotContain(text, answer.Html + answer.Note, StringComparison.Ordinal));
        Assert.Contains("Note provisoire", answer.Html, StringComparison.Ordinal);
        Assert.StartsWith("%PDF-", answer.Pdf.ToStringUtf8()[..5], StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetFactualNote_BeforeTransmission_IsForbiddenByTheState()
    {
        var id = await jafer.MesureInAsync(MesureState.Completee);

        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(_court.GetFactualNoteAsync(new() { MesureId = id }))).Reason);
    }

    private static AttachDecisionRequest Header(string mesureId, byte[] file) => new()
    {
        MesureId = mesureId,
        SizeBytes = file.Length,
        Sha256 = ByteString.CopyFrom(SHA256.HashData(file)),
        RequestId = NewId(),
    };

    private static async Task<AttachDecisionResponse> AttachAsync(DocumentService.DocumentServiceClient client, AttachDecisionRequest header, byte[] file, int piece = 1 << 20)
    {
        using var call = client.AttachDecision();
        try
        {
            await call.RequestStream.WriteAsync(header);
            foreach (var bytes in file.Chunk(piece))
            {
                await call.RequestStream.WriteAsync(new AttachDecisionRequest { Data = ByteString.CopyFrom(bytes) });
            }

            await call.RequestStream.CompleteAsync();
        }
#pragma warning disable RS0030 // A client's catch.
        catch (Exception e) when (e is RpcException or InvalidOperationException)
#pragma warning restore RS0030
        {
            // Refused before the end: the answer tells why.
        }

        return await call;
    }

    private static Task<Refusal> RefusalAsync(DocumentService.DocumentServiceClient client, AttachDecisionRequest header, byte[] file) =>
        Refusal.OfAsync(() => AttachAsync(client, header, file));

    private static async Task<(DecisionDocument Document, byte[] Bytes)> ReadAsync(DocumentService.DocumentServiceClient client, string mesureId, string documentId = "")
    {
        using var call = client.GetDecisionDocument(new() { MesureId = mesureId, DocumentId = documentId });
        DecisionDocument? document = null;
        using var bytes = new MemoryStream();
        await foreach (var response in call.ResponseStream.ReadAllAsync())
        {
            document ??= response.Document;
            response.Data.WriteTo(bytes);
        }

        return (document!, bytes.ToArray());
    }

    private Task<long> CountAsync(string sql) => jafer.Database.ReadAsync<long>(sql);
}
