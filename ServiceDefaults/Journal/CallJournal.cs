using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Jafer.ServiceDefaults.Access;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>What the journal knows of one call: what it asked about, and what of it is on record already.</summary>
internal sealed class CallJournal
{
    private const int MostRefused = 1000;

    private static readonly object s_key = new();

    private readonly ServerCallContext _call;
    private readonly bool _personal;
    private readonly NameList _asked = new();
    private readonly NameList _found = new();
    private readonly HashSet<string> _onRecord = new(StringComparer.Ordinal);
    private bool _any;
    private bool _writes;

    private CallJournal(ServerCallContext call, bool personal) => (_call, _personal) = (call, personal);

    /// <summary>Begins with a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="personal">Whether its rpc concerns persons.</param>
    public static CallJournal Begin(ServerCallContext call, bool personal)
    {
        var journal = new CallJournal(call, personal);
        call.UserState[s_key] = journal;
        return journal;
    }

    /// <summary>That of a call.</summary>
    /// <param name="call">The call.</param>
    public static CallJournal Of(ServerCallContext call) => (CallJournal)call.UserState[s_key];

    /// <summary>Notes what a request names.</summary>
    /// <param name="request">The request, or one of a stream.</param>
    public void Asked(IMessage request)
    {
        lock (_asked)
        {
            _writes = ResourceNames.IsWrite(request.Descriptor);
            ResourceNames.AddTo(_asked, request, asked: true);
        }
    }

    /// <summary>Notes what a call turned out to be about, and neither request nor answer names.</summary>
    /// <param name="resource">Its name.</param>
    public void Found(string resource)
    {
        lock (_asked)
        {
            _found.Add(resource);
            _asked.Add(resource);
        }
    }

    /// <summary>The line of a write, for its transaction; <see cref="Committed"/> once that is committed.</summary>
    /// <param name="resource">What is written.</param>
    /// <param name="request">The request.</param>
    /// <param name="response">The answer; null when it names nothing more.</param>
    public JournalEntry ToWrite(string resource, IMessage? request = null, IMessage? response = null)
    {
        var names = new NameList();
        names.Add(resource);
        if (request is not null)
        {
            ResourceNames.AddTo(names, request, asked: true);
        }

        if (response is not null)
        {
            ResourceNames.AddTo(names, response, asked: false);
        }

        lock (_asked)
        {
            foreach (var name in _found.Names)
            {
                names.Add(name);
            }
        }

        return Line(_call.Caller(), JournalEntry.Done, isWrite: true, names);
    }

    /// <summary>Notes that a line is on record.</summary>
    /// <param name="line">The line.</param>
    public void Committed(JournalEntry line)
    {
        lock (_asked)
        {
            _any = true;
            _onRecord.UnionWith(line.Resources);
        }
    }

    /// <summary>The line without which an answer must not be given; null when all that it names is on record.</summary>
    /// <param name="answer">The answer, or one of a stream; null for the end of a stream.</param>
    public JournalEntry? ToAnswer(IMessage? answer)
    {
        if (!_personal || _call.TryGetCaller() is not { } caller)
        {
            return null;
        }

        lock (_asked)
        {
            var answered = new NameList();
            if (answer is not null)
            {
                ResourceNames.AddTo(answered, answer, asked: false);
            }

            // Of a further message of a stream only what is new: it takes no room from what is.
            var names = new NameList();
            foreach (var name in _asked.Names.Concat(answered.Names).Where(n => !_onRecord.Contains(n)))
            {
                names.Add(name);
            }

            return _any && names.Names.Count == 0 ? null : Line(caller, JournalEntry.Done, isWrite: false, names);
        }
    }

    /// <summary>The line of a call that failed; null when it tells nothing of anybody.</summary>
    /// <param name="code">The status.</param>
    public JournalEntry? ToRefuse(StatusCode code)
    {
        if (_call.TryGetCaller() is not { } caller)
        {
            return null;
        }

        var outcome = code switch
        {
            StatusCode.PermissionDenied => JournalEntry.Denied,
            // Nothing came of it, and the caller asks again or is gone.
            StatusCode.Cancelled or StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Unimplemented or StatusCode.ResourceExhausted => null,
            _ => _personal ? JsonNamingPolicy.SnakeCaseUpper.ConvertName(code.ToString()) : null,
        };
        lock (_asked)
        {
            if (outcome is null)
            {
                return null;
            }

            // Nothing was done: what somebody makes up need not all be kept.
            var names = new NameList();
            foreach (var name in _asked.Names.Take(MostRefused))
            {
                names.Add(name);
            }

            return Line(caller, outcome, _writes, names);
        }
    }

    private JournalEntry Line(Caller caller, string outcome, bool isWrite, NameList names) => new()
    {
        Subject = caller.Subject,
        Issuer = caller.Issuer,
        Role = caller.Role,
        OrganisationId = caller.OrganisationId,
        IsPerson = caller.IsPerson,
        OnBehalfOf = caller.OnBehalfOf,
        Rpc = _call.Method,
        Resources = [.. names.Names],
        Purpose = Purpose.Read(_call.RequestHeaders),
        Outcome = outcome,
        IsWrite = isWrite,
    };
}
