using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using static Jafer.Directory.Tests.Domain.Samples;

namespace Jafer.Directory.Tests.Domain;

public class DesignationRulesTests
{
    private static readonly LieuFacts Silent = new(0, LieuAccess.None);
    private static readonly LieuFacts Steps = new(0, LieuAccess.Described);
    private static readonly LieuFacts Ramp = new(0, LieuAccess.Described | LieuAccess.Wheelchair);
    private static readonly LieuFacts Tram = new(0, LieuAccess.Described | LieuAccess.WithoutCar);

    [Fact]
    public void All_Rules_StandOnceWithASource()
    {
        var rules = DesignationRules.All.ToArray();
        Assert.Equal(Enum.GetValues<DesignationRule>().Except([DesignationRule.Unspecified]), rules.Select(r => r.Code).Order());
        Assert.All(rules, r => Assert.NotEmpty(r.LegalSource));
    }

    [Fact]
    public void Findings_NothingAgainstIt_IsEmpty() => Assert.Empty(DesignationRules.Findings(Espace(), Offer(), Needs));

    [Fact]
    public void Findings_ModaliteNotKnown_SaysOnlyThat()
    {
        var finding = Assert.Single(DesignationRules.Findings(Espace(), null, Needs with { Minutes = 60, Besoins = Bit(BesoinAccueil.LienRompu), Situations = 6, ProtectionOrder = true }));
        Assert.Equal((DesignationRule.ModaliteOffered, "C. civ. 373-2-9, 373-2-1"), (finding.Rule, finding.LegalSource));
    }

    [Fact]
    public void Findings_AgrementEnded_NamesItsLastDayAndTheLaw()
    {
        var espace = With(Espace(), agrements: [new(new(Day.AddYears(-9), Day.AddYears(-3)), ulong.MaxValue), new(new(Day.AddYears(-2), Day.AddDays(-1)), ulong.MaxValue)]);

        var finding = Assert.Single(DesignationRules.Findings(espace, Offer(espace), Needs with { Besoins = Bit(BesoinAccueil.FauteuilRoulant) }));

        Assert.Equal(new Finding(DesignationRule.AgrementValid, "CASF D216-1", Day.AddDays(-1), 0), finding);
        Assert.Empty(DesignationRules.Findings(espace, Offer(espace), Needs with { Decision = Day.AddDays(-1) }));
    }

    [Fact]
    public void Findings_AgrementToCome_NamesItsFirstDay()
    {
        var espace = With(Espace(), agrements: [new(new(Day.AddDays(30), null), ulong.MaxValue), new(new(Day.AddDays(9), null), ulong.MaxValue)]);

        Assert.Equal(Day.AddDays(9), Assert.Single(DesignationRules.Findings(espace, Offer(espace), Needs)).Date);
    }

    [Theory]
    [InlineData(ModaliteState.Ouverte, false, null)]
    [InlineData(ModaliteState.Limitee, false, null)]
    [InlineData(ModaliteState.ListeAttente, false, null)]
    [InlineData(ModaliteState.Complete, false, DesignationRule.ModaliteOpen)]
    [InlineData(ModaliteState.Fermee, false, DesignationRule.ModaliteOffered)]
    [InlineData(ModaliteState.Complete, true, null)]
    [InlineData(ModaliteState.Fermee, true, null)]
    public void Findings_StateOfTheModalite_ExcludesUnlessItReopens(ModaliteState state, bool reopens, DesignationRule? expected)
    {
        var offer = new Offer { Espace = Espace(), Modalite = Modalite.Visite, State = state, ReopensOn = reopens ? Day.AddDays(60) : null };

        Assert.Equal(expected is { } rule ? [rule] : [], DesignationRules.Findings(offer.Espace, offer, Needs).Select(f => f.Rule));
    }

    [Fact]
    public void Findings_WhatTheOfferCannot_EachHasItsRuleAndFigure()
    {
        var offer = new Offer
        {
            Espace = With(Espace(), languages: ["ar"]),
            Modalite = Modalite.Visite,
            State = ModaliteState.Ouverte,
            MinAge = 6,
            MaxAge = 12,
            MaxSiblings = 2,
            MinMinutes = 60,
            MaxMinutes = 120,
            Frequencies = [Frequency.Of(2, 1, PeriodicityUnit.Month)],
            Situations = 1 << (int)SituationParticuliere.Addiction,
            Publics = 1 << (int)PublicAccueilli.EnfantHandicap,
        };
        var needs = Needs with
        {
            YoungestAge = 5,
            OldestAge = 13,
            Children = 3,
            Minutes = 45,
            Frequency = Frequency.Of(1, 2, PeriodicityUnit.Week),
            Situations = 1 << (int)SituationParticuliere.Addiction | 1 << (int)SituationParticuliere.ViolencesIntrafamiliales,
            ProtectionOrder = true,
            Languages = ["ar", "tr"],
            Besoins = Bit(BesoinAccueil.EnfantHandicap) | Bit(BesoinAccueil.LienRompu),
            Excluded = new HashSet<Guid> { offer.Espace.Id },
        };

        Assert.Equal(
            [
                (DesignationRule.AgesReceived, 6), (DesignationRule.AgesReceived, 12), (DesignationRule.SiblingsReceived, 2), (DesignationRule.SituationsReceived, (int)SituationParticuliere.ViolencesIntrafamiliales),
                (DesignationRule.ProtectionOrderReceived, 0), (DesignationRule.LengthOffered, 60), (DesignationRule.PeriodicityOffered, 0), (DesignationRule.LanguagesSpoken, 0),
                (DesignationRule.NeedsMet, (int)BesoinAccueil.LienRompu), (DesignationRule.NotExcludedByCaller, 0),
            ],
            DesignationRules.Findings(offer.Espace, offer, needs).Select(f => (f.Rule, f.Value)));
        Assert.Equal(12, Assert.Single(DesignationRules.Findings(offer.Espace, offer, Needs with { YoungestAge = 6, OldestAge = 13 })).Value);
        Assert.Equal(120, Assert.Single(DesignationRules.Findings(offer.Espace, offer, Needs with { YoungestAge = 6, Minutes = 121 })).Value);
        Assert.Equal("CPC 1180-5", Assert.Single(DesignationRules.Findings(offer.Espace, offer, Needs with { YoungestAge = 6, Minutes = 121 })).LegalSource);
    }

    [Theory]
    [InlineData(2, 4, PeriodicityUnit.Week, true)]
    [InlineData(1, 2, PeriodicityUnit.Week, true)]
    [InlineData(1, 1, PeriodicityUnit.Week, false)]
    [InlineData(1, 2, PeriodicityUnit.Month, false)]
    public void Findings_Frequency_IsComparedInItsLowestTerms(int rencontres, int intervals, PeriodicityUnit unit, bool offered)
    {
        var offer = new Offer { Espace = Espace(), Modalite = Modalite.Visite, State = ModaliteState.Ouverte, Frequencies = [Frequency.Of(3, 6, PeriodicityUnit.Week)] };

        Assert.Equal(offered, DesignationRules.Findings(offer.Espace, offer, Needs with { Frequency = Frequency.Of(rencontres, intervals, unit) }).Count == 0);
    }

    [Fact]
    public void SuitableLieux_WheelchairNeeded_PrefersKnownToUnknownAndLeavesOutTheOthers()
    {
        var needs = Needs with { Besoins = Bit(BesoinAccueil.FauteuilRoulant) };

        Assert.Equal(0b10UL, DesignationRules.SuitableLieux(Espace(1, Silent, Ramp, Steps), needs));
        Assert.Equal(0b01UL, DesignationRules.SuitableLieux(Espace(1, Silent, Steps), needs));
        Assert.Equal(0b00UL, DesignationRules.SuitableLieux(Espace(1, Steps, Tram), needs));
        Assert.Equal(0b11UL, DesignationRules.SuitableLieux(Espace(1, Steps, Tram), Needs));
    }

    [Fact]
    public void Findings_NoSingleLieuMeetsAllNeeds_NamesTheNeedThatFails()
    {
        var needs = Needs with { Besoins = Bit(BesoinAccueil.FauteuilRoulant) | Bit(BesoinAccueil.SansVoiture) };
        var espace = Espace(1, Ramp, Tram);

        var finding = Assert.Single(DesignationRules.Findings(espace, Offer(espace), needs));

        Assert.Equal((DesignationRule.NeedsMet, (int)BesoinAccueil.SansVoiture), (finding.Rule, finding.Value));
        Assert.Empty(DesignationRules.Findings(Espace(1, Ramp, Silent), Offer(Espace(1, Ramp, Silent)), needs));
    }

    [Fact]
    public void Findings_SeveralSituationsAndNeeds_EachIsAFindingOfItsOwn()
    {
        var offer = new Offer { Espace = Espace(1, Tram), Modalite = Modalite.Visite, State = ModaliteState.Ouverte, Publics = 1 << (int)PublicAccueilli.EnfantHandicap };
        var needs = Needs with
        {
            Situations = 0b1110,
            Besoins = Bit(BesoinAccueil.FauteuilRoulant) | Bit(BesoinAccueil.SansVoiture) | Bit(BesoinAccueil.BoucleMagnetique) | Bit(BesoinAccueil.EnfantHandicap)
                | Bit(BesoinAccueil.LienRompu) | Bit(BesoinAccueil.TresJeuneEnfant),
        };

        Assert.Equal(
            [
                (DesignationRule.SituationsReceived, 1), (DesignationRule.SituationsReceived, 2), (DesignationRule.SituationsReceived, 3),
                (DesignationRule.NeedsMet, (int)BesoinAccueil.FauteuilRoulant), (DesignationRule.NeedsMet, (int)BesoinAccueil.BoucleMagnetique),
                (DesignationRule.NeedsMet, (int)BesoinAccueil.LienRompu), (DesignationRule.NeedsMet, (int)BesoinAccueil.TresJeuneEnfant),
            ],
            DesignationRules.Findings(offer.Espace, offer, needs).Select(f => (f.Rule, f.Value)));
    }

    [Fact]
    public void Findings_NoAgrementAndNeedsNotMet_TellsBoth()
    {
        var espace = With(Espace(1, Steps), agrements: [new(new(Day.AddYears(-9), Day.AddDays(-1)), ulong.MaxValue)]);
        var offer = new Offer { Espace = espace, Modalite = Modalite.Visite, State = ModaliteState.Ouverte, Publics = 1 << (int)PublicAccueilli.EnfantHandicap };

        Assert.Equal(
            [(DesignationRule.AgrementValid, 0), (DesignationRule.NeedsMet, (int)BesoinAccueil.FauteuilRoulant), (DesignationRule.NeedsMet, (int)BesoinAccueil.LienRompu)],
            DesignationRules.Findings(espace, offer, Needs with { Besoins = Bit(BesoinAccueil.FauteuilRoulant) | Bit(BesoinAccueil.LienRompu) }).Select(f => (f.Rule, f.Value)));
        Assert.Equal([DesignationRule.AgrementValid], DesignationRules.Findings(espace, offer, Needs).Select(f => f.Rule));
    }

    [Fact]
    public void Findings_AgrementOfAnotherPlace_IsANeedWithoutName()
    {
        var espace = With(Espace(), agrements: [new(new(Day.AddYears(-1), null), 0)]);

        Assert.Equal((DesignationRule.NeedsMet, 0), DesignationRules.Findings(espace, Offer(espace), Needs).Select(f => (f.Rule, f.Value)).Single());
    }

    [Fact]
    public void Each_AnyEspaceAndNeeds_BeginsWithWhatStandsAgainstIt() =>
        Prop.ForAll(Cases().ToArbitrary(), one =>
        {
            var (offer, needs) = one;
            foreach (var rule in DesignationRules.All)
            {
                if (rule.Each is { } each)
                    Assert.Equal(rule.Against(offer.Espace, offer, needs), each(offer.Espace, offer, needs).Cast<Obstacle?>().FirstOrDefault());
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(BesoinAccueil.SanitairesAdaptes, LieuAccess.AdaptedToilets)]
    [InlineData(BesoinAccueil.BoucleMagnetique, LieuAccess.InductionLoop)]
    [InlineData(BesoinAccueil.GuidageVisuel, LieuAccess.VisualGuidance)]
    [InlineData(BesoinAccueil.StationnementReserve, LieuAccess.ReservedParking)]
    internal void SuitableLieux_AccessNeeded_IsTheLieuThatHasIt(BesoinAccueil need, LieuAccess access)
    {
        var espace = Espace(1, Steps, new LieuFacts(0, LieuAccess.Described | access), Silent);

        Assert.Equal(0b010UL, DesignationRules.SuitableLieux(espace, Needs with { Besoins = Bit(need) }));
        Assert.Equal([need], DesignationRules.Unknown(Offer(espace), 2, Needs with { Besoins = Bit(need) }));
    }

    [Fact]
    public void SuitableLieux_AgrementOfOneLieu_LeavesOutTheOthers()
    {
        var espace = With(Espace(1, Silent, Ramp), agrements: [new(new(Day, null), 0b01)]);

        Assert.Equal(0b01UL, DesignationRules.SuitableLieux(espace, Needs));
        Assert.Equal(0b01UL, DesignationRules.SuitableLieux(espace, Needs with { Besoins = Bit(BesoinAccueil.FauteuilRoulant) }));
    }

    [Fact]
    public void Unknown_NotSaid_IsToldAndNothingElse()
    {
        var needs = Needs with { Besoins = 0b1_1111_1110, Languages = ["fsl"] };
        var offer = Offer(Espace(1, Silent));

        Assert.Equal(
            [BesoinAccueil.FauteuilRoulant, BesoinAccueil.SansVoiture, BesoinAccueil.EnfantHandicap, BesoinAccueil.ParentHandicap, BesoinAccueil.GrandePrecarite,
                BesoinAccueil.ParentsSepares, BesoinAccueil.LienRompu, BesoinAccueil.ParentMineur, BesoinAccueil.Unspecified],
            DesignationRules.Unknown(offer, 0, needs));
        Assert.Empty(DesignationRules.Findings(offer.Espace, offer, needs));
        Assert.Empty(DesignationRules.Unknown(offer, 0, Needs));
    }

    [Fact]
    public void Findings_InterpreterOrSupport_MeetTheNeed()
    {
        var espace = new EspaceFacts { Id = Guid.Empty, Departement = "69", State = EspaceState.Ouvert, Agrements = Espace().Agrements, Lieux = [Silent], Interpreter = true, PrecariousnessSupport = true };
        var offer = new Offer { Espace = espace, Modalite = Modalite.Visite, State = ModaliteState.Ouverte, Publics = 1 << (int)PublicAccueilli.LienRompu };
        var needs = Needs with { Languages = ["tr"], Besoins = Bit(BesoinAccueil.GrandePrecarite) };

        Assert.Empty(DesignationRules.Findings(espace, offer, needs));
        Assert.Empty(DesignationRules.Unknown(offer, 0, needs));
    }

    private static uint Bit(BesoinAccueil need) => 1u << (int)need;

    private static Gen<(Offer Offer, MesureNeeds Needs)> Cases() =>
        from lieux in Gen.Elements(Silent, Steps, Ramp, Tram, new LieuFacts(0, LieuAccess.Described | LieuAccess.InductionLoop)).NonEmptyListOf()
        from covered in Gen.Choose(0, 7)
        from ended in Gen.Elements(true, false)
        from publics in Gen.Choose(0, 127)
        from situations in Gen.Choose(0, 31)
        from wanted in Gen.Choose(0, 31)
        from besoins in Gen.Choose(0, (1 << 14) - 1)
        from ages in Gen.Choose(0, 17).Four()
        let espace = With(Espace(1, [.. lieux]), agrements: [new(new(Day.AddYears(-1), ended ? Day.AddDays(-1) : null), (ulong)covered)])
        select (
            new Offer { Espace = espace, Modalite = Modalite.Visite, State = ModaliteState.Ouverte, MinAge = ages.Item1, MaxAge = ages.Item2, Publics = (uint)publics, Situations = (uint)situations },
            Needs with { Besoins = (uint)besoins & ~1u, Situations = (uint)wanted, YoungestAge = ages.Item3, OldestAge = Math.Max(ages.Item3, ages.Item4) });

    private static EspaceFacts With(EspaceFacts espace, AgrementFacts[]? agrements = null, string[]? languages = null) => new()
    {
        Id = espace.Id,
        Departement = espace.Departement,
        State = espace.State,
        Agrements = agrements ?? espace.Agrements,
        Lieux = espace.Lieux,
        Languages = languages ?? [],
    };
}
