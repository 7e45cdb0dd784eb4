using System.Globalization;
using Google.Protobuf.Collections;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Proto = Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Mesures;

/// <summary>Validates the parts of a mesure and turns them into the domain's own types.</summary>
internal static class MesureChecks
{
    private const int MaxChildren = 20;
    private const int MaxOffset = 120;
    private const int MaxText = 2000;

    public static Decision Decision(FieldChecks check, string path, Proto.Decision? decision, DateOnly today)
    {
        if (decision is null)
        {
            check.Add(path, "is required");
            return new Decision();
        }

        var periodicity = decision.Periodicity;
        Periodicity(check, $"{path}.periodicity", periodicity);
        var principal = Situations(check, path, decision.Situations, decision.PrincipalSituation);
        var date = check.OptionalDate($"{path}.decision_date", decision.DecisionDate);
        check.That(date is null || date <= today, $"{path}.decision_date", "must not lie in the future");
        var tiers = decision.TiersDeConfiance;
        var appealed = check.OptionalDate($"{path}.appeal_date", decision.AppealDate);
        check.That(appealed is null || decision.AppealLodged, $"{path}.appeal_date", "belongs to an appeal that was lodged");
        check.That(appealed is null || (appealed <= today && !(appealed < date)), $"{path}.appeal_date", "must lie neither in the future nor before the decision");
        return new Decision
        {
            Nature = check.KnownOrUnspecified($"{path}.nature", decision.Nature),
            RgNumber = check.Text($"{path}.rg_number", decision.RgNumber, 50),
            Date = date,
            LegalBasis = check.KnownOrUnspecified($"{path}.legal_basis", decision.LegalBasis),
            JudgeName = check.Text($"{path}.judge_name", decision.JudgeName, 200),
            ParentalAuthority = check.KnownOrUnspecified($"{path}.parental_authority", decision.ParentalAuthority),
            DurationMonths = decision.DurationMonths == 0 ? null : check.Range($"{path}.duration_months", decision.DurationMonths, 1, 60),
            TermStart = check.KnownOrUnspecified($"{path}.term_start", decision.TermStart),
            PeriodicityCount = periodicity?.RencontreCount,
            PeriodicityInterval = periodicity?.IntervalCount,
            PeriodicityUnit = periodicity?.Unit ?? PeriodicityUnit.Unspecified,
            RencontreMinutes = decision.RencontreMinutes == 0 ? null : check.Range($"{path}.rencontre_minutes", decision.RencontreMinutes, 5, 720),
            TermsLeftToService = decision.TermsLeftToService,
            Modalite = check.KnownOrUnspecified($"{path}.modalite", decision.Modalite),
            OutingGranted = decision.OutingGranted,
            Situations = [.. decision.Situations.Distinct()],
            PrincipalSituation = principal,
            InterdictionDeContact = decision.InterdictionDeContact,
            TiersDeConfianceName = tiers is null ? null : check.Text($"{path}.tiers_de_confiance.full_name", tiers.FullName, 200, required: true),
            TiersDeConfianceConsent = tiers?.WrittenConsent ?? false,
            SubsidiaryEspaceId = check.OptionalUuid($"{path}.subsidiary_espace_id", decision.SubsidiaryEspaceId),
            ContactDeadline = check.OptionalDate($"{path}.contact_deadline", decision.ContactDeadline),
            ProvisionalEnforcement = decision.ProvisionalEnforcement,
            Restrictions = check.Text($"{path}.restrictions", decision.Restrictions, 2000),
            ReplacementJudgeName = check.Text($"{path}.replacement_judge_name", decision.ReplacementJudgeName, 200),
            RemiseGranted = decision.RemiseGranted,
            ThirdPartyPresence = check.KnownOrUnspecified($"{path}.third_party_presence", decision.ThirdPartyPresence),
            AppealLodged = decision.AppealLodged,
            AppealDate = appealed,
        };
    }

    /// <summary>What parents agreed with an espace, as terms like those of a decision.</summary>
    public static Decision Agreement(FieldChecks check, string path, Proto.Agreement? agreement, DateOnly today)
    {
        if (agreement is null)
        {
            check.Add(path, "is required");
            return new Decision();
        }

        var date = check.Date($"{path}.agreement_date", agreement.AgreementDate);
        check.That(date <= today, $"{path}.agreement_date", "must not lie in the future");
        var periodicity = agreement.Periodicity;
        Periodicity(check, $"{path}.periodicity", periodicity);
        return new Decision
        {
            Date = date,
            Modalite = check.Known($"{path}.modalite", agreement.Modalite),
            DurationMonths = agreement.DurationMonths == 0 ? null : check.Range($"{path}.duration_months", agreement.DurationMonths, 1, 60),
            PeriodicityCount = periodicity?.RencontreCount,
            PeriodicityInterval = periodicity?.IntervalCount,
            PeriodicityUnit = periodicity?.Unit ?? PeriodicityUnit.Unspecified,
            RencontreMinutes = agreement.RencontreMinutes == 0 ? null : check.Range($"{path}.rencontre_minutes", agreement.RencontreMinutes, 5, 720),
            OutingGranted = agreement.OutingGranted,
            RemiseGranted = agreement.RemiseGranted,
            PrincipalSituation = Situations(check, path, agreement.Situations, agreement.PrincipalSituation),
            Situations = [.. agreement.Situations.Distinct()],
        };
    }

    public static void Periodicity(FieldChecks check, string path, Periodicity? periodicity)
    {
        if (periodicity is not null)
        {
            check.Range($"{path}.rencontre_count", periodicity.RencontreCount, 1, 31);
            check.Range($"{path}.interval_count", periodicity.IntervalCount, 1, 12);
            check.Known($"{path}.unit", periodicity.Unit);
        }
    }

    public static List<Party> Parties(FieldChecks check, string path, IReadOnlyList<Proto.Party> parties, Guid mesureId, DateTimeOffset now)
    {
        var result = new List<Party>();
        for (var i = 0; i < parties.Count; i++)
        {
            var at = Index(path, i);
            var party = parties[i];
            var role = check.Known($"{at}.role", party.Role);
            check.That(role != Proto.PartyRole.Enfant, $"{at}.role", "must be the hôte or the visiteur");
            check.That(result.All(p => p.Role != role), $"{at}.role", "stands twice");
            for (var n = 0; n < party.Needs.Count; n++)
            {
                check.Known(Index($"{at}.needs", n), party.Needs[n]);
            }

            check.That(party.Phone.All(c => char.IsAsciiDigit(c) || c is '+' or ' ' or '.' or '-'), $"{at}.phone", "must be digits, spaces and a leading +");
            check.That(party.Email.Length == 0 || party.Email.IndexOf('@', StringComparison.Ordinal) is > 0 and var a && a < party.Email.Length - 1, $"{at}.email", "must be an e-mail address");
            check.That(party.CommuneInsee.Length == 0 || IsInsee(party.CommuneInsee), $"{at}.commune_insee", "must be an INSEE code of 5 characters");
            check.That(party.Address != MesureMapping.Masked, $"{at}.address", "is the mask of a protected address: send the address, or leave the parties as they are");
            check.That(party.InterpreterLanguage.Length is 0 or 2 or 3 && party.InterpreterLanguage.All(char.IsAsciiLetterLower), $"{at}.interpreter_language", "must be an ISO 639 code");
            result.Add(new Party
            {
                Id = Guid.CreateVersion7(now),
                MesureId = mesureId,
                Role = role,
                Kind = check.KnownOrUnspecified($"{at}.kind", party.Kind),
                GivenName = check.Text($"{at}.given_name", party.GivenName, 100),
                FamilyName = check.Text($"{at}.family_name", party.FamilyName, 100, required: true),
                Phone = check.Text($"{at}.phone", party.Phone, 25),
                Email = check.Text($"{at}.email", party.Email, 254),
                Address = check.Text($"{at}.address", party.Address, 300),
                CommuneInsee = party.CommuneInsee,
                AddressProtected = party.AddressProtected,
                Needs = [.. party.Needs.Distinct()],
                InterpreterLanguage = party.InterpreterLanguage,
                ArrivalOffsetMinutes = check.Range($"{at}.arrival_offset_minutes", party.ArrivalOffsetMinutes, -MaxOffset, MaxOffset),
                DepartureOffsetMinutes = check.Range($"{at}.departure_offset_minutes", party.DepartureOffsetMinutes, -MaxOffset, MaxOffset),
            });
        }

        return result;
    }

    public static List<Child> Children(FieldChecks check, string path, IReadOnlyList<Proto.Child> children, Guid mesureId, DateTimeOffset now, DateOnly today)
    {
        check.That(children.Count <= MaxChildren, path, string.Create(CultureInfo.InvariantCulture, $"must be at most {MaxChildren}"));
        var result = new List<Child>();
        for (var i = 0; i < Math.Min(children.Count, MaxChildren); i++)
        {
            var at = Index(path, i);
            var birth = check.OptionalDate($"{at}.birth_date", children[i].BirthDate);
            check.That(birth is null || birth <= today, $"{at}.birth_date", "must not lie in the future");
            for (var n = 0; n < children[i].Needs.Count; n++)
            {
                check.Known(Index($"{at}.needs", n), children[i].Needs[n]);
            }

            result.Add(new Child
            {
                Id = Guid.CreateVersion7(now),
                MesureId = mesureId,
                Position = i,
                GivenName = check.Text($"{at}.given_name", children[i].GivenName, 100, required: true),
                FamilyName = check.Text($"{at}.family_name", children[i].FamilyName, 100),
                BirthDate = birth,
                Needs = [.. children[i].Needs.Distinct()],
            });
        }

        return result;
    }

    /// <summary>A difficulty as an espace refers it.</summary>
    public static (Proto.DifficultyReason Reason, string Comment) Difficulty(FieldChecks check, string path, Proto.DifficultyReason given, string comment)
    {
        var reason = check.Known($"{path}reason", given);
        check.That(reason is not (Proto.DifficultyReason.DecisionContent or Proto.DifficultyReason.EspaceFerme), $"{path}reason", "is not referred by an espace");
        return (reason, check.Text($"{path}comment", comment, MaxText, required: reason == Proto.DifficultyReason.Other));
    }

    /// <summary>The reason of a proposal to close.</summary>
    public static Proto.ClosureReason SansSuite(FieldChecks check, string path, Proto.ClosureReason given)
    {
        var reason = check.Known(path, given);
        check.That(reason == Proto.ClosureReason.Unspecified || Closures.IsSansSuite(reason), path, "must be one of SANS_SUITE");
        return reason;
    }

    /// <summary>Why an interview is given up.</summary>
    public static Proto.InterviewReleaseReason Release(FieldChecks check, string path, Proto.InterviewReleaseReason given)
    {
        var reason = check.Known(path, given);
        check.That(reason is not (Proto.InterviewReleaseReason.MesureEnded or Proto.InterviewReleaseReason.SlotWithdrawn), path, "is given by Jafer alone");
        return reason;
    }

    /// <summary>An IANA time zone; null when it is none, or when none is named.</summary>
    public static TimeZoneInfo? Zone(FieldChecks check, string field, string id)
    {
        TimeZoneInfo? zone = null;
        check.That(
            id.Length == 0 || (id.Length <= 50 && id.Contains('/', StringComparison.Ordinal) && TimeZoneInfo.TryFindSystemTimeZoneById(id, out zone)),
            field, "must be an IANA time zone");
        return zone;
    }

    private static SituationParticuliere Situations(
        FieldChecks check, string path, RepeatedField<SituationParticuliere> situations, SituationParticuliere given)
    {
        for (var i = 0; i < situations.Count; i++)
        {
            check.Known(Index($"{path}.situations", i), situations[i]);
        }

        var principal = check.KnownOrUnspecified($"{path}.principal_situation", given);
        check.That(principal == SituationParticuliere.Unspecified || situations.Contains(principal), $"{path}.principal_situation", "must be one of the situations");
        return principal;
    }

    public static string Index(string path, int index) => string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");

    private static bool IsInsee(string code) =>
        code.Length == 5 && char.IsAsciiDigit(code[0]) && (char.IsAsciiDigit(code[1]) || code[1] is 'A' or 'B') && code.AsSpan(2).IndexOfAnyExceptInRange('0', '9') < 0;
}
