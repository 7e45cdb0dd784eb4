using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using static Jafer.Mesures.Tests.Slices.RencontreFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Where a mesure can go on, with a real directory beside.</summary>
[Collection(RencontreFixture.Together)]
public sealed class RedesignationTests(MesuresFixture jafer, RencontreFixture beside)
{
    [Fact]
    public async Task ListAlternativeEspaces_PresentOneCannotTakeIt_TellsWhyAndWhereItCan()
    {
        var present = await beside.EspaceAsync(4, e => e.Modalites[0].MaxAge = 3);
        var other = await beside.EspaceAsync(4, e =>
        {
            (e.Gestionnaire.ExternalId, e.Gestionnaire.Siret) = ("G9", "44306184100047");
            e.Modalites[0].DeclaredWait = new DeclaredWait { Days = 20, AsOfDate = Today.AddDays(-40).ToProto() };
        });
        var id = await beside.WaitingAsync(present, r => r.Decision.SubsidiaryEspaceId = beside.Espace.ToString());

        var answer = await beside.Redesignations.ListAlternativeEspacesAsync(new ListAlternativeEspacesRequest { MesureId = id, PageSize = 100 });

        Assert.Equal([DesignationRule.AgesReceived], answer.Present.Findings.Select(f => f.Rule));
        Assert.Equal(present.ToString(), answer.Present.Espace.EspaceId);
        Assert.DoesNotContain(present.ToString(), answer.Alternatives.Select(a => a.Espace.EspaceId));
        Assert.Equal(answer.TotalCount, answer.Alternatives.Count);
        var alternative = answer.Alternatives.Single(a => a.Espace.EspaceId == other.ToString());
        Assert.Equal((StableIds.Gestionnaire("test", "G9").ToString(), false), (alternative.GestionnaireId, alternative.Subsidiary));
        Assert.Equal((20, Today.AddDays(-40).ToProto(), true), (alternative.Espace.DeclaredWait.Days, alternative.Espace.DeclaredWait.AsOfDate, alternative.Espace.DeclaredWait.Stale));
        Assert.Contains(ResultWarningCode.WaitStale, alternative.Espace.Warnings.Select(w => w.Code));
        Assert.NotNull(alternative.Espace.ExpectedFirstVisitDate);
        Assert.True(alternative.Espace.HoteTravel.Reachable && alternative.Espace.VisiteurTravel.Reachable);
        Assert.True(answer.Alternatives.Single(a => a.Espace.EspaceId == beside.Espace.ToString()).Subsidiary);

        // The difficulty is answered by one of them.
        var difficulty = (await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Capacity, RequestId = NewId() })).DifficultyId;
        var decided = await beside.AsCourt.AnswerDifficultyAsync(new AnswerDifficultyRequest
        {
            MesureId = id,
            DifficultyId = difficulty,
            Answer = DifficultyAnswer.Redesignate,
            Redesignation = new Redesignation { EspaceId = alternative.Espace.EspaceId, DecisionDate = Today.ToProto() },
            RequestId = NewId(),
        });
        Assert.Equal(other.ToString(), decided.Successor.EspaceId);
    }

    [Fact]
    public async Task ListAlternativeEspaces_ByADifficultyOfCapacity_TellsDaysGainedAndMinutesAdded()
    {
        var present = await beside.EspaceAsync(4, e => e.Modalites[0].DeclaredWait = new DeclaredWait { Days = 200, AsOfDate = Today.ToProto() });
        var other = await beside.EspaceAsync(4, e =>
        {
            e.Lieux[0].CommuneInsee = "69264";
            e.Modalites[0].DeclaredWait = new DeclaredWait { Days = 10, AsOfDate = Today.ToProto() };
        });
        var id = await beside.WaitingAsync(present);
        var difficulty = (await jafer.AsEspace.ReportDifficultyAsync(new() { MesureId = id, Reason = DifficultyReason.Capacity, RequestId = NewId() })).DifficultyId;

        var answer = await beside.Redesignations.ListAlternativeEspacesAsync(new ListAlternativeEspacesRequest { DifficultyId = difficulty, PageSize = 100 });

        Assert.Equal(id, answer.MesureId);
        var alternative = answer.Alternatives.Single(a => a.Espace.EspaceId == other.ToString());
        var here = answer.Present.Espace;
        Assert.Equal(DayOf(here) - DayOf(alternative.Espace), alternative.DaysGained);
        Assert.InRange(alternative.DaysGained, 170, 200);
        Assert.Equal(answer.Alternatives.Where(a => a.HasDaysGained).Max(a => a.DaysGained), answer.BestDaysGained);
        Assert.Equal(alternative.Espace.HoteTravel.Minutes - here.HoteTravel.Minutes, alternative.HoteMinutesAdded);
        Assert.Equal(alternative.Espace.VisiteurTravel.Minutes - here.VisiteurTravel.Minutes, alternative.VisiteurMinutesAdded);
        // Villefranche is farther from Lyon than Lyon.
        Assert.Contains(true, new[] { alternative.HoteMinutesAdded > 0, alternative.VisiteurMinutesAdded > 0 });

        // What is scheduled here counts, not what could be expected of the queue.
        await beside.BookAsync(id, DaysTo(DayOfWeek.Wednesday));
        var booked = await beside.Redesignations.ListAlternativeEspacesAsync(new ListAlternativeEspacesRequest { MesureId = id, DifficultyId = difficulty, PageSize = 100 });
        Assert.Equal(
            Today.DayNumber + DaysTo(DayOfWeek.Wednesday) - DayOf(alternative.Espace), booked.Alternatives.Single(a => a.Espace.EspaceId == other.ToString()).DaysGained);

        // Neither of another mesure, nor of one that is not there.
        var another = await beside.WaitingAsync(present);
        foreach (var request in new ListAlternativeEspacesRequest[] { new() { MesureId = another, DifficultyId = difficulty }, new() { DifficultyId = NewId() } })
        {
            Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(beside.Redesignations.ListAlternativeEspacesAsync(request))).Reason);
        }

        var elsewhere = new RedesignationService.RedesignationServiceClient(jafer.First.Channel("juridiction", OtherCourt));
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(elsewhere.ListAlternativeEspacesAsync(new() { DifficultyId = difficulty }))).Reason);

        static int DayOf(EspaceResult espace) => new DateOnly(espace.ExpectedFirstVisitDate.Year, espace.ExpectedFirstVisitDate.Month, espace.ExpectedFirstVisitDate.Day).DayNumber;
        static int DaysTo(DayOfWeek day) => (((int)day - (int)Today.DayOfWeek + 6) % 7) + 1;
    }

    [Fact]
    public async Task ListAlternativeEspaces_ProtectedAddress_SaysNothingOfThatWay()
    {
        var id = await beside.WaitingAsync(change: r => r.Parties[0].AddressProtected = true);

        var answer = await beside.Redesignations.ListAlternativeEspacesAsync(new ListAlternativeEspacesRequest { MesureId = await OtherThanAsync(id) });

        Assert.All(answer.Alternatives, a => Assert.Equal((true, false), (a.Espace.HoteTravel is null, a.Espace.VisiteurTravel is null)));
        Assert.All(answer.Alternatives, a => Assert.Equal((false, true), (a.HasHoteMinutesAdded, a.HasVisiteurMinutesAdded)));
        Assert.Null(answer.Present.Espace.HoteTravel);
    }

    [Fact]
    public async Task ListAlternativeEspaces_CommuneThatTheDirectoryDoesNotKnow_IsAnsweredWithoutTheWays()
    {
        var id = await beside.WaitingAsync(change: r => r.Parties[0].CommuneInsee = "69999");

        var answer = await beside.Redesignations.ListAlternativeEspacesAsync(new ListAlternativeEspacesRequest { MesureId = await OtherThanAsync(id) });

        Assert.All(answer.Alternatives, a => Assert.Equal((true, true), (a.Espace.HoteTravel is null, a.Espace.VisiteurTravel is null)));
    }

    [Fact]
    public async Task ListAlternativeEspaces_PageByPage_TellsEachOnceAndThePresentOneOnce()
    {
        await beside.EspaceAsync(4);
        var id = await OtherThanAsync(await beside.WaitingAsync());
        var request = new ListAlternativeEspacesRequest { MesureId = id, PageSize = 1 };
        var seen = new List<string>();
        var total = 0;
        do
        {
            var page = await beside.Redesignations.ListAlternativeEspacesAsync(request);
            Assert.Equal(seen.Count == 0, page.Present is not null);
            total = page.TotalCount;
            seen.AddRange(page.Alternatives.Select(a => a.Espace.EspaceId));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0 && seen.Count < 100);

        Assert.InRange(total, 2, 100);
        Assert.Equal(total, seen.Distinct().Count());
        Assert.Equal(total, seen.Count);
    }

    [Fact]
    public async Task ListAlternativeEspaces_MesureChangedBetweenPages_HasToBeginAnew()
    {
        await beside.EspaceAsync(4);
        var id = await OtherThanAsync(await beside.WaitingAsync());
        var first = await beside.Redesignations.ListAlternativeEspacesAsync(new ListAlternativeEspacesRequest { MesureId = id, PageSize = 1 });
        var next = new ListAlternativeEspacesRequest { MesureId = id, PageSize = 1, PageToken = first.NextPageToken };

        var another = await Refusal.OfAsync(beside.Redesignations.ListAlternativeEspacesAsync(new(next) { MesureId = await beside.WaitingAsync() }));
        await beside.AsCourt.ModifyMesureAsync(new ModifyMesureRequest { MesureId = id, Modification = new() { DecisionDate = Today.ToProto(), RencontreMinutes = 90 }, RequestId = NewId() });
        var changed = await Refusal.OfAsync(beside.Redesignations.ListAlternativeEspacesAsync(next));

        Assert.All(new[] { another, changed }, r => Assert.Equal((StatusCode.InvalidArgument, "PAGE_TOKEN_INVALID"), (r.Code, r.Reason)));
    }

    [Theory]
    [InlineData(MesureState.Completee)]
    [InlineData(MesureState.Cloturee)]
    public async Task ListAlternativeEspaces_MesureThatCannotBeRedesignated_IsRefused(MesureState state)
    {
        var refusal = await Refusal.OfAsync(beside.Redesignations.ListAlternativeEspacesAsync(new ListAlternativeEspacesRequest { MesureId = await jafer.MesureInAsync(state) }));

        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task ListAlternativeEspaces_OfAnotherOrMissing_IsRefusedAlike()
    {
        var theirs = await jafer.MesureInAsync(MesureState.Recue);
        foreach (var (role, organisation) in new[] { ("juridiction", OtherCourt), ("espace", Gestionnaire), ("operateur", MesuresFixture.Court) })
        {
            var client = new RedesignationService.RedesignationServiceClient(jafer.First.Channel(role, organisation));
            var refused = await Refusal.OfAsync(client.ListAlternativeEspacesAsync(new ListAlternativeEspacesRequest { MesureId = theirs }));
            var missing = await Refusal.OfAsync(client.ListAlternativeEspacesAsync(new ListAlternativeEspacesRequest { MesureId = NewId() }));

            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refused.Code, refused.Reason));
            Assert.Equal((refused.Code, refused.Reason, refused.Message), (missing.Code, missing.Reason, missing.Message));
        }
    }

    [Fact]
    public async Task ListAlternativeEspaces_DirectoryAway_IsUnavailable()
    {
        var client = new RedesignationService.RedesignationServiceClient(jafer.First.Channel("juridiction", MesuresFixture.Court));

        var refusal = await Refusal.OfAsync(client.ListAlternativeEspacesAsync(new ListAlternativeEspacesRequest { MesureId = await jafer.MesureInAsync(MesureState.Recue) }));

        Assert.Equal((StatusCode.Unavailable, "SERVICE_UNAVAILABLE"), (refusal.Code, refusal.Reason));
    }

    /// <summary>The mesure, once there is another espace that could take it.</summary>
    private async Task<string> OtherThanAsync(string mesureId)
    {
        await beside.EspaceAsync(4);
        return mesureId;
    }
}
