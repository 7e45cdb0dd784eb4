#!/usr/bin/python3
"""Both sides of a conversation, in Python: a question and its answer, something urgent and its acknowledgement, and the proof.

    /usr/bin/python3 clients/python/conversation.py      alone: it plays the espace and the operator of Jafer

Same environment as espace.py, whose connection it uses; the operator's client is JAFER_OPERATOR_CLIENT_ID (default
operateur.national). The thread of an espace is used, which needs no mesure: that of a mesure is the same with mesure_id.
The exported file is verified here without anything of Jafer's: the hash of each message is computed from what the file says of it.
"""
import base64, hashlib, json, os, time

import espace
from espace import begin, call, code, metadata, report, rpc

clients = {"espace": espace.client_id, "operateur": os.environ.get("JAFER_OPERATOR_CLIENT_ID", "operateur.national")}
tokens = {}


def speak_as(side):
    """From here on calls are those of one side."""
    espace.client_id = clients[side]
    if side not in tokens:
        espace.authenticate()
        tokens[side] = espace.token
    espace.token = tokens[side]


def export(thread):
    """The thread as a file: what it is first, then its bytes, which are as long as was said and have the SHA-256 that was said."""
    send, make = rpc("messaging", "GetThreadExport", streaming=True)
    file, data = None, b""
    for part in send(make(format="EXPORT_FORMAT_JSON", **thread), timeout=20, metadata=metadata()):
        file, data = (part.file, data) if part.HasField("file") else (file, data + part.data)
    if (len(data), hashlib.sha256(data).digest()) != (file.size_bytes, file.sha256):
        raise SystemExit("espace: FAILED, the file is not the one announced")
    return data


def canonical_text(thread, message, previous):
    """docs/messaging.md, The chain: what the hash of a message is computed from."""
    field = lambda name: message.get(name, "-")
    origin, person = message.get("origin"), message.get("authorPersonId")
    lines = [
        "jafer-thread-1", f"thread {thread['kind']} {thread['threadId']}", f"position {message['position']}", f"message {message['messageId']}",
        f"author {message['authorKind']} {field('authorOrganisationId')}", f"person {'-' if person is None else person.encode().hex()}",
        f"kind {field('kind')}", f"corrects {field('correctsMessageId')}", f"answers {field('answersMessageId')}", f"answer-due {field('answerDueTime')}",
        f"template {message['templateCode']} {message['templateVersion']}" if "templateCode" in message else "template -",
        "origin " + (" ".join(origin[part] for part in ("mesureId", "messageId", "authorKind", "kind", "createTime")) if origin else "-"),
        f"created {message['createTime']}", f"event {field('eventType')}", f"body {field('bodyDigest')}",
        f"attachments {','.join(message.get('attachmentDigests', [])) or '-'}", f"previous {previous}"]
    return "".join(line + "\n" for line in lines)


def verify(file):
    """The position of the first message that was altered, left out or moved; None when there is none."""
    previous = "0" * 64
    for position, message in enumerate(file["messages"], 1):
        digest = "body" in message and hashlib.sha256(bytes.fromhex(message["salt"]) + message["body"].encode()).hexdigest()
        if message["position"] != position or (digest and digest != message["bodyDigest"]):
            return position
        previous = hashlib.sha256(canonical_text(file["thread"], message, previous).encode()).hexdigest()
        if previous != message["hash"]:
            return position
    whole = len(file["messages"]) == file["thread"]["messageCount"] and previous == file["thread"].get("headHash", previous)
    return None if whole else len(file["messages"]) + 1


def expect(holds, what):
    if not holds:
        raise SystemExit(f"espace: FAILED, {what}")


def main():
    begin()
    tokens["espace"] = espace.token
    mine = json.loads(base64.urlsafe_b64decode(espace.token.split(".")[1] + "=="))["organisation"]
    thread = {"espace_id": call("directory", "ListEspaces", gestionnaire_id=mine).espaces[0].espace_id}

    # A question names until when an answer is expected, and the thread whose turn it is.
    speak_as("operateur")
    template = call("messaging", "ListTemplates").templates[0]
    question = call("messaging", "PostMessage", body=template.body.format(informations="horaires d'accueil", date_limite="20 mars"),
                    template_code=template.code, template_version=template.version, answer_due_time={"seconds": int(time.time()) + 86400}, **thread)
    speak_as("espace")
    awaited = next(e for e in call("messaging", "GetThread", **thread).thread.expectations if e.message_id == question.message_id)
    expect((code(awaited, "must_act"), awaited.must_act_organisation_id) == ("ESPACE", mine), "the question does not say who must answer")
    call("messaging", "MarkThreadRead", message_id=question.message_id, **thread)
    answer = call("messaging", "PostMessage", body="Nos horaires sont confirmés.", answers_message_id=question.message_id, **thread)
    report(f"question {question.position} of the operator answered by {answer.position}")

    # Urgent: the other side must say that it was seen.
    urgent = call("messaging", "PostMessage", body="Le bâtiment est fermé ce matin : dégât des eaux.", kind="MESSAGE_KIND_DIFFICULTE", **thread)
    speak_as("operateur")
    waiting = call("messaging", "ListMessages", state="ATTENTION_TO_ACKNOWLEDGE", **thread).messages
    expect(urgent.message_id in [m.message_id for m in waiting], "what must be acknowledged is not listed")
    seen = call("messaging", "AcknowledgeMessage", message_id=urgent.message_id, **thread).expectation
    report(f"difficulty {urgent.position} acknowledged: {code(seen, 'state')}")

    # The proof: by the file alone, and against the last hash that the service has.
    speak_as("espace")
    file = json.loads(export(thread))
    expect(verify(file) is None, "the exported thread is broken")
    head = call("messaging", "GetThread", **thread).thread.head_hash.hex()
    expect(file["thread"]["headHash"] == head, "the exported thread is not the one of the service")
    file["messages"][answer.position - 1]["body"] += " "
    expect(verify(file) == answer.position, "an altered text was not found")
    report(f"{len(file['messages'])} messages exported and verified; a text altered in the file is found at position {answer.position}")


if __name__ == "__main__":
    main()
