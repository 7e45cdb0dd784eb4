#!/usr/bin/python3
"""The espace's own software, in Python: receives a mesure and pushes each step, up to the first rencontre held.

    /usr/bin/python3 clients/python/espace.py      beside it, as the court's software: node clients/node/journey.mjs

Afterwards read directory.py: how it keeps its place in the directory true, by the same connection. Needs grpcio and protobuf
(Debian: python3-grpcio) and no generated code: the contracts are loaded from a descriptor set.
Environment, all optional on a developer's machine:
  JAFER_ENDPOINTS   the addresses, a JSON file that ./jafer run writes (default .jafer/endpoints.json)
  JAFER_CLIENT_ID   the gestionnaire's client at the issuer (default espace.A69-1), JAFER_CLIENT_SECRET its secret
  JAFER_DESCRIPTORS a descriptor set of protos/ (default: made with buf, `npx buf build protos -o jafer.binpb`)
"""
import base64, json, os, pathlib, random, secrets, signal, subprocess, time, urllib.parse, urllib.request, uuid

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from errors import explain

root = pathlib.Path(__file__).resolve().parents[2]
file = pathlib.Path(os.environ.get("JAFER_ENDPOINTS") or root / ".jafer/endpoints.json")
if not file.exists():
    raise SystemExit(f"espace: FAILED, there is no {file}: start Jafer with ./jafer run")
endpoints = json.loads(file.read_text())
client_id = os.environ.get("JAFER_CLIENT_ID", "espace.A69-1")
# The W3C trace context to continue, so that one trace shows the whole way; else a trace of our own.
trace = (os.environ.get("TRACEPARENT", "").split("-") + [""])[1] or secrets.token_hex(16)
transient = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
# --- Contracts: every message and service of protos/ by its full name, from a descriptor set.
ready = os.environ.get("JAFER_DESCRIPTORS")
contracts = pathlib.Path(ready).read_bytes() if ready else subprocess.check_output(
    [root / "node_modules/.bin/buf", "build", root / "protos", "-o", "-#format=binpb"])
pool = descriptor_pool.DescriptorPool()
for proto in descriptor_pb2.FileDescriptorSet.FromString(contracts).file:
    pool.AddSerializedFile(proto.SerializeToString())
# protobuf 4.22 renamed what Debian 12's 4.21 has; both serve.
message_class = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
# In clear text on the loopback interface; everywhere else with TLS (grpc.secure_channel).
channels = {name: grpc.insecure_channel(urllib.parse.urlsplit(at["grpc"]).netloc) for name, at in endpoints["services"].items()}

def rpc(service, method, streaming=False):
    """The callable of one method and the class of its request."""
    service, _, other = service.partition("/")  # "mesure/Interview": another service of the same package
    name = f"jafer.{service}.v1.{other or service.capitalize()}Service"
    found = pool.FindServiceByName(name).FindMethodByName(method)
    make = channels[service].unary_stream if streaming else channels[service].unary_unary
    request, response = message_class(found.input_type), message_class(found.output_type)
    return make(f"/{name}/{method}", request_serializer=request.SerializeToString, response_deserializer=response.FromString), request
token = ""
def authenticate():
    """Takes a token by client credentials; any OpenID Connect issuer gives it so."""
    global token
    secret = os.environ.get("JAFER_CLIENT_SECRET") or subprocess.check_output(  # in development it is derived, never copied about
        ["node", root / "eng/token.mjs", *client_id.split(".", 1), "--secret"], text=True).strip()
    discovery = json.load(urllib.request.urlopen(endpoints["identity"]["issuer"] + "/.well-known/openid-configuration", timeout=10))
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    form = urllib.request.Request(discovery["token_endpoint"], b"grant_type=client_credentials", {"Authorization": f"Basic {basic}"})
    token = json.load(urllib.request.urlopen(form, timeout=10))["access_token"]
def metadata():
    return [("authorization", f"Bearer {token}"), ("traceparent", f"00-{trace}-{secrets.token_hex(8)}-01")]
def call(service, method, **fields):
    """One call with a deadline, repeated when it may have failed on the way. The request, its request_id included, stays the
    same on every attempt: if the first did reach Jafer, the next is given the first one's answer and changes nothing."""
    send, make = rpc(service, method)
    request = make(request_id=str(uuid.uuid4()), **fields) if "request_id" in make.DESCRIPTOR.fields_by_name else make(**fields)
    for attempt in range(1, 7):
        try:
            return send(request, timeout=10, metadata=metadata())
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAUTHENTICATED and attempt == 1:
                authenticate()
            elif error.code() in transient and attempt < 6:
                time.sleep(0.1 * 2**attempt * random.random())
            else:
                raise SystemExit(f"espace: FAILED, {method}: {explain(error)}")

def watch(resume_token=""):
    """The feed. The stream may end at any time: it is taken up again after the last token received, so no event is lost.
    Real software stores that token with its own data and begins there; here the past is read again and passed over."""
    (send, make), failures = rpc("notification", "WatchEvents", streaming=True), 0
    while failures < 6:
        stream = send(make(resume_token=resume_token), metadata=metadata())
        try:
            for response in stream:
                failures, resume_token = 0, response.resume_token
                if response.HasField("event"):  # without one it is a heartbeat
                    yield response.event
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                authenticate()
            elif error.code() not in transient:
                raise SystemExit(f"espace: FAILED, WatchEvents: {explain(error)}")
        finally:
            stream.cancel()
        failures += 1
        time.sleep(0.1 * 2**failures)
    raise SystemExit("espace: FAILED, WatchEvents: the stream cannot be kept open")
def report(text, last=[time.monotonic()]):
    print(f"espace      {(time.monotonic() - last[0]) * 1000:6.0f} ms  {text}\n", end="", flush=True)
    last[0] = time.monotonic()
def code(message, field):
    """The value of an enum field without its prefix: MESURE_STATE_RECUE of the field state is RECUE."""
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return enum.values_by_number[getattr(message, field)].name.removeprefix(prefix)
def begin():
    """Takes a token; whatever happens, the program ends after 60 s."""
    signal.signal(signal.SIGALRM, lambda *_: os.write(2, b"espace: FAILED, not all steps arrived within 60 s\n") and os._exit(1))
    signal.alarm(60)
    authenticate()
    report(f"token of {endpoints['identity']['issuer']} for {client_id}")

def main():
    begin()
    # Dates for first interviews, one of which the court books as it transmits. The same external id again changes nothing.
    mine, start = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["organisation"], int(time.time()) + 3 * 86400
    for espace in call("directory", "ListEspaces", gestionnaire_id=mine).espaces:
        call("mesure/Interview", "PublishInterviewSlots", espace_id=espace.espace_id, slots=[
            {"external_id": f"entretien-{start}", "start_time": {"seconds": start}, "duration_minutes": 45, "party_role": "PARTY_ROLE_VISITEUR"}])
    feed = watch()  # a mesure to come is told there
    for event in feed:
        if event.type == "mesure.mesure-transmitted.v1" and event.recorded_time.seconds > time.time() - 60:
            mesure = call("mesure", "GetMesure", mesure_id=event.aggregate_id).mesure  # the first reading is proof of retrieval
            if code(mesure.summary, "state") == "TRANSMISE":
                break
    mesure_id = mesure.summary.mesure_id
    report(f"{mesure.summary.reference} received and retrieved, {len(mesure.children)} children")

    def act(method, **fields):
        response = call("mesure", method, mesure_id=mesure_id, **fields)
        report(f"{method}: {code(response.mesure, 'state')}")
        return response

    act("AcknowledgeMesure")
    act("TakeCharge")
    for role in ("HOTE", "VISITEUR"):
        act("RecordContact", party_role=f"PARTY_ROLE_{role}", outcome="CONTACT_OUTCOME_REACHED")
    for role in ("HOTE", "VISITEUR", "ENFANT"):
        act("RecordInterview", party_role=f"PARTY_ROLE_{role}")
    # A real rencontre lies ahead; this one begins now, so that it can be said to be held before the end of this program.
    booked = act("ScheduleRencontre", start_time={"seconds": int(time.time())}, duration_minutes=60)
    act("RecordRencontreOutcome", rencontre_id=booked.rencontre_id, outcome="RENCONTRE_OUTCOME_HELD", visiteur_present=True,
        present_child_ids=[child.child_id for child in mesure.children])
    posted = call("messaging", "PostMessage", mesure_id=mesure_id, body="La première rencontre a eu lieu.")
    report(f"message {posted.position} of the thread posted")
    answer = next(event for event in feed if event.type == "messaging.message-posted.v1"
                  and event.aggregate_id == mesure_id and event.aggregate_version > posted.position)
    report(f"answered by message {answer.aggregate_version}")

if __name__ == "__main__":
    main()
