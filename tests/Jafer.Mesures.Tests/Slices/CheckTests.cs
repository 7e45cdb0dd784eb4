using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using Date = Jafer.Contracts.Type.V1.Date;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What the check says beside the law: other mesures of the family, the espace's own conditions, the typed content itself.</summary>
public sealed class CheckTests(MesuresFixture jafer)
{
    [Fact]
    public async Task CheckMesure_SameCaseAndChildWrittenOtherwise_IsADuplicateThatNamesTheOther()
    {
        var content = Content();
        var first = (await jafer.AsCourt.CreateMesureAsync(content)).Mesure.MesureId;
        var number = content.Decision.RgNumber[3..];
        var second = await jafer.MesureInAsync(MesureState.Ordonnee, r =>
        {
            r.Decision.RgNumber = $"RG n° 2026/{number}";
            r.Children[0].GivenName = content.Children[0].GivenName.ToUpperInvariant();
            r.Children[0].FamilyName = content.Children[0].FamilyName;
        });

        var finding = Assert.Single(await FindingsAsync(second));
        Assert.Equal(("DUPLICATE", FindingSeverity.Warning, first), (finding.Code, finding.Severity, Assert.Single(finding.MesureIds)));
        Assert.Equal(second, Assert.Single(Assert.Single(await FindingsAsync(first)).MesureIds));

        // It never blocks; and once the other is closed there is no duplicate any more.
        await jafer.AsCourt.CompleteMesureAsync(new CompleteMesureRequest { MesureId = second, RequestId = NewId() });
        await jafer.AsCourt.CloseMesureAsync(new CloseMesureRequest { MesureId = first, Reason = ClosureReason.Doublon, RequestId = NewId() });
        Assert.Empty(await FindingsAsync(second));
    }

    [Fact]
    public async Task CheckMesure_SameCaseChildOrParents_IsASiblingCase()
    {
        var content = Content();
        var first = (await jafer.AsCourt.CreateMesureAsync(content)).Mesure.MesureId;
        foreach (var change in new Action<CreateMesureRequest>[]
        {
            r => r.Decision.RgNumber = content.Decision.RgNumber,
            r => r.Children[0] = content.Children[0].Clone(),
            r =>
            {
                (r.Parties[0], r.Parties[1]) = (content.Parties[1].Clone(), content.Parties[0].Clone());
                (r.Parties[0].Role, r.Parties[1].Role) = (PartyRole.Hote, PartyRole.Visiteur);
            },
        })
        {
            var other = await jafer.MesureInAsync(MesureState.Ordonnee, change);

            var finding = Assert.Single(await FindingsAsync(other));
            Assert.Equal("SIBLING_CASE", finding.Code);
            Assert.Contains(first, finding.MesureIds);
            await jafer.AsCourt.CloseMesureAsync(new CloseMesureRequest { MesureId = other, Reason = ClosureReason.ErreurDeSaisie, RequestId = NewId() });
        }

        // One parent alone tells nothing: names are worn by many.
        var namesake = await jafer.MesureInAsync(MesureState.Ordonnee, r => r.Parties[0] = content.Parties[0].Clone());
        Assert.Empty(await FindingsAsync(namesake));
    }

    [Fact]
    public async Task CheckMesure_SameFamilyAtAnotherCourt_IsNotTold()
    {
        var content = Content();
        var ours = (await jafer.AsCourt.CreateMesureAsync(content)).Mesure.MesureId;
        var theirs = content.Clone();
        theirs.RequestId = NewId();
        var id = (await jafer.AsOtherCourt.CreateMesureAsync(theirs)).Mesure.MesureId;

        Assert.Empty((await jafer.AsOtherCourt.CheckMesureAsync(new CheckMesureRequest { MesureId = id })).Findings);
        Assert.Equal(2, await jafer.Database.ReadAsync<long>(
            $"select count(distinct rg_index) from mesures where id in ('{ours}', '{id}')"));
    }

    [Fact]
    public async Task KeyedIndex_FilledOnCreateAndUpdate_HoldsNoPlainTextAndIsUsed()
    {
        var id = await jafer.MesureInAsync(MesureState.Ordonnee);
        var before = await jafer.Database.ReadAsync<string>($"select identity_index from children where mesure_id = '{id}'");
        Assert.Matches("^[0-9a-f]{32}$", before);
        var update = new UpdateMesureRequest { MesureId = id, Children = new ChildList(), RequestId = NewId() };
        update.Children.Children.Add(new Child { GivenName = NewId(), FamilyName = "Fictif", BirthDate = new Date { Year = 2020, Month = 1, Day = 2 } });
        await jafer.AsCourt.UpdateMesureAsync(update);
        Assert.NotEqual(before, await jafer.Database.ReadAsync<string>($"select identity_index from children where mesure_id = '{id}'"));

        foreach (var (sql, index) in new[]
        {
            ("select id from mesures where rg_index = 'x'", "mesures_by_rg_index"),
            ("select mesure_id from children where identity_index = any('{x,y}')", "children_by_identity_index"),
            ("select mesure_id from parties where identity_index = 'x'", "parties_by_identity_index"),
        })
        {
            var plan = await jafer.Database.ReadAllAsync<string>($"set enable_seqscan = off; explain {sql}");
            Assert.Contains(plan, line => line.Contains(index, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task CheckMesure_DirectoryFindsTheEspaceUnfit_SaysWhyAndWhatTheTermLeaves()
    {
        var directory = new Answering(new CheckDesignationResponse
        {
            Findings = { new RuleFinding { Rule = DesignationRule.AgesReceived, LegalSource = "capacité de l'espace" }, new RuleFinding { Rule = DesignationRule.AgesReceived } },
            Result = new EspaceResult
            {
                ExpectedFirstVisitDate = new DateOnly(2026, 8, 2).ToProto(),
                Forecast = new() { EarliestDate = new DateOnly(2026, 7, 1).ToProto(), LatestDate = new DateOnly(2026, 11, 3).ToProto() },
            },
        });
        await using var host = await ServiceHost.StartAsync(
            b => MesuresModule.Build([], b), jafer.Settings, b => b.Services.AddScoped(_ => new DirectoryForecast(TimeProvider.System, directory)));
        var client = new MesureService.MesureServiceClient(host.Channel("juridiction", MesuresFixture.Court));
        var id = await jafer.MesureInAsync(MesureState.Ordonnee, r =>
        {
            r.Decision.DurationMonths = 6;
            r.Decision.LegalBasis = LegalBasis.Article51511;
            r.Decision.InterdictionDeContact = true;
            r.Decision.Situations.Add(SituationParticuliere.ViolencesIntrafamiliales);
            r.Parties[0].Needs.Add(PartyNeed.NoCar);
            r.Parties[1].InterpreterLanguage = "ar";
            r.Children[0].Needs.Add(ChildNeed.Disability);
        });

        var check = await client.CheckMesureAsync(new CheckMesureRequest { MesureId = id });

        Assert.Equal(["ESPACE_AGES_RECEIVED_UNMET", "TERM_TOO_SHORT_FOR_WAIT"], check.Findings.Select(f => f.Code));
        Assert.Equal("Une mesure de six mois, cinq mois d'attente : un mois de visites.", check.Findings[1].DescriptionFr);
        Assert.True(check.Completable);
        Assert.Equal((new DateOnly(2026, 7, 1).ToProto(), new DateOnly(2026, 11, 3).ToProto()), (check.FirstVisitEarliestDate, check.FirstVisitLatestDate));
        var asked = directory.Asked!.Mesure;
        Assert.True(asked.ProtectionOrder);
        Assert.Equal(("tj69123", 6, 120, 2), (asked.CourtCode, asked.DurationMonths, asked.RencontreMinutes, asked.Periodicity.RencontreCount));
        Assert.Equal([6], asked.ChildAges);
        Assert.Equal(["ar"], asked.Languages);
        Assert.Equal([BesoinAccueil.SansVoiture, BesoinAccueil.EnfantHandicap, BesoinAccueil.ParentsSepares], asked.Besoins);
        // No commune leaves the file for a check that does not need it.
        Assert.Equal(("", ""), (asked.HoteCommuneInsee, asked.VisiteurCommuneInsee));
    }

    [Fact]
    public async Task CreateMesure_WholeTypedContent_IsReadBackAsItWasSent()
    {
        var content = Content(r =>
        {
            r.Decision.ReplacementJudgeName = "Juge remplaçante";
            r.Decision.RemiseGranted = true;
            r.Decision.ThirdPartyPresence = ThirdPartyPresence.None;
            r.Decision.AppealLodged = true;
            r.Decision.AppealDate = new Date { Year = 2026, Month = 3, Day = 20 };
            r.Parties[0].ArrivalOffsetMinutes = -15;
            r.Parties[1].DepartureOffsetMinutes = 20;
            r.Children[0].Needs.Add(ChildNeed.Care);
        });
        var id = (await jafer.AsCourt.CreateMesureAsync(content)).Mesure.MesureId;

        var whole = await jafer.GetAsync(id);
        whole.Children[0].ChildId = "";
        Assert.Equal(content.Decision.ReplacementJudgeName, whole.Decision.ReplacementJudgeName);
        Assert.Equal((true, ThirdPartyPresence.None, true, content.Decision.AppealDate), (whole.Decision.RemiseGranted, whole.Decision.ThirdPartyPresence, whole.Decision.AppealLodged, whole.Decision.AppealDate));
        Assert.Equal(content.Parties, whole.Parties);
        Assert.Equal(content.Children, whole.Children);

        // And it goes on with the mesure to another espace.
        await jafer.AsCourt.CompleteMesureAsync(new CompleteMesureRequest { MesureId = id, RequestId = NewId() });
        await jafer.AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = NewId() });
        var successor = await jafer.AsCourt.RedesignateMesureAsync(new RedesignateMesureRequest
        {
            MesureId = id,
            Redesignation = new Redesignation { EspaceId = YoungEspace.ToString(), DecisionDate = new Date { Year = 2026, Month = 4, Day = 1 } },
            RequestId = NewId(),
        });
        var moved = await jafer.GetAsync(successor.Successor.MesureId);
        moved.Children[0].ChildId = "";
        Assert.Equal((content.Parties, content.Children), (moved.Parties, moved.Children));
        Assert.Equal(2, await jafer.Database.ReadAsync<long>($"select count(distinct m.id) from mesures m join children c on c.mesure_id = m.id where m.rg_index is not null and c.identity_index is not null and m.id in ('{id}', '{moved.Summary.MesureId}')"));
    }

    [Fact]
    public async Task CreateMesure_AppealAndOffsetsWrong_AreNamed()
    {
        var request = Content(r =>
        {
            r.Decision.AppealDate = new Date { Year = 2026, Month = 2, Day = 1 };
            r.Decision.ThirdPartyPresence = (ThirdPartyPresence)99;
            r.Decision.ReplacementJudgeName = new string('x', 201);
            r.Parties[0].ArrivalOffsetMinutes = -121;
            r.Parties[1].DepartureOffsetMinutes = 121;
            r.Children[0].Needs.Add(ChildNeed.Unspecified);
        });

        Assert.Equal(
            new[]
            {
                "decision.appeal_date", "decision.appeal_date", "decision.third_party_presence", "decision.replacement_judge_name", "parties[0].arrival_offset_minutes",
                "parties[1].departure_offset_minutes", "children[0].needs[0]",
            }.Order(StringComparer.Ordinal),
            (await Refusal.OfAsync(jafer.AsCourt.CreateMesureAsync(request))).Fields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task RecordContact_AttemptByTelephone_IsKeptWithItsChannelAndTheFirstIsAMilestone()
    {
        var id = await jafer.MesureInAsync(MesureState.PriseEnCharge);
        var at = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 3, 9, 8, 0, 0, TimeSpan.Zero));
        await jafer.AsEspace.RecordContactAsync(new RecordContactRequest
        {
            MesureId = id,
            PartyRole = PartyRole.Visiteur,
            Outcome = ContactOutcome.NotReached,
            Channel = ContactChannel.Telephone,
            OccurredTime = at,
            RequestId = NewId(),
        });
        await jafer.AsEspace.RecordContactAsync(new RecordContactRequest { MesureId = id, PartyRole = PartyRole.Visiteur, Outcome = ContactOutcome.Reached, Channel = ContactChannel.Letter, RequestId = NewId() });

        var whole = await jafer.GetAsync(id);
        Assert.Equal(at, whole.Milestones.FirstContactAttemptTime);
        Assert.NotEqual(at, whole.Milestones.VisiteurContactTime);
        var events = (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events;
        Assert.Equal([ContactChannel.Telephone, ContactChannel.Letter], events.Where(e => e.ContactChannel != ContactChannel.Unspecified).Select(e => e.ContactChannel));
    }

    private async Task<IReadOnlyList<Finding>> FindingsAsync(string mesureId) => [.. (await jafer.AsCourt.CheckMesureAsync(new CheckMesureRequest { MesureId = mesureId })).Findings];

    private sealed class Answering(CheckDesignationResponse answer) : DirectoryService.DirectoryServiceClient
    {
        public CheckDesignationRequest? Asked { get; private set; }

        public override AsyncUnaryCall<CheckDesignationResponse> CheckDesignationAsync(CheckDesignationRequest request, CallOptions options)
        {
            Asked = request;
            return new(Task.FromResult(answer), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }
    }
}
