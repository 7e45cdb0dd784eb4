#!/usr/bin/python3
"""A file that goes with a message, in Python: uploaded, waited for until it is cleared, sent, and downloaded in two parts.

    /usr/bin/python3 clients/python/attachments.py [FILE]      alone: it plays the espace and the operator of Jafer

Without a file it sends a text of its own. Same environment as espace.py, whose connection it uses, and as conversation.py, which
plays both sides in the same way. The file belongs to its organisation until a message names it. Nobody asks again and again whether
it is cleared: the feed says so (messaging.attachment-cleared.v1).
"""
import base64, hashlib, json, pathlib, sys, uuid

import grpc

import espace
from conversation import expect, speak_as, tokens
from espace import begin, call, code, metadata, report, rpc, watch
from errors import explain

name = "jafer.messaging.v1.AttachmentService"


def upload(thread, file_name, file, request_id):
    """The first request announces the file, all of them carry bytes, at most 1 MiB each. When it is not known whether an answer
    was lost, the same again with the same request_id: the file is stored once."""
    method = espace.pool.FindServiceByName(name).FindMethodByName("UploadAttachment")
    make, answer = espace.message_class(method.input_type), espace.message_class(method.output_type)
    send = espace.channels["messaging"].stream_unary(f"/{name}/UploadAttachment", request_serializer=make.SerializeToString, response_deserializer=answer.FromString)

    def requests():
        yield make(file_name=file_name, size_bytes=len(file), sha256=hashlib.sha256(file).digest(), request_id=request_id, **thread)
        for at in range(0, len(file), 1 << 20):
            yield make(data=file[at:at + (1 << 20)])

    return send(requests(), timeout=60, metadata=metadata()).attachment


def download(attachment_id, offset=0):
    """The bytes from an offset on; a download that broke off goes on at what it has."""
    send, make = rpc("messaging/Attachment", "GetAttachmentContent", streaming=True)
    return b"".join(part.data for part in send(make(attachment_id=attachment_id, offset=offset), timeout=60, metadata=metadata()))


def main():
    begin()
    tokens["espace"] = espace.token
    mine = json.loads(base64.urlsafe_b64decode(espace.token.split(".")[1] + "=="))["organisation"]
    thread = {"espace_id": call("directory", "ListEspaces", gestionnaire_id=mine).espaces[0].espace_id}
    given = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    file = given.read_bytes() if given else f"Horaires d'accueil, essai {uuid.uuid4()}\n".encode() * 20_000
    try:
        upload(thread, "programme.pdf", b"MZ\0\0 no document", str(uuid.uuid4()))
        expect(False, "what is no document was taken")
    except grpc.RpcError as error:
        expect(error.code() == grpc.StatusCode.INVALID_ARGUMENT, explain(error))
        report("what is no document was refused")

    request_id = str(uuid.uuid4())
    attachment = upload(thread, given.name if given else "horaires.txt", file, request_id)
    again = upload(thread, given.name if given else "horaires.txt", file, request_id)
    expect(again.attachment_id == attachment.attachment_id, "the same request made a second file")
    report(f"{attachment.media_type} of {attachment.size_bytes} bytes uploaded: {code(attachment, 'state')}")
    for event in watch():
        if event.type.startswith("messaging.attachment-") and event.data["attachmentId"] == attachment.attachment_id:
            expect(event.type == "messaging.attachment-cleared.v1", "the file was refused")
            break
    report("cleared, as the feed says")

    posted = call("messaging", "PostMessage", body="Ci-joint nos horaires.", attachment_ids=[attachment.attachment_id], **thread)
    speak_as("operateur")
    received = next(m for m in call("messaging", "ListMessages", page_size=200, kinds=["MESSAGE_KIND_ORDINAIRE"], from_time=posted.create_time, **thread).messages
                    if m.message_id == posted.message_id).attachments[0]
    part = len(file) // 3
    whole = download(received.attachment_id)[:part] + download(received.attachment_id, part)
    expect(hashlib.sha256(whole).digest() == received.sha256 == hashlib.sha256(file).digest(), "what was downloaded is not what was uploaded")
    report(f"{received.file_name} downloaded by the other side, the rest from byte {part} on: the same {len(whole)} bytes")


if __name__ == "__main__":
    main()
