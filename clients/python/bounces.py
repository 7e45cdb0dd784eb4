#!/usr/bin/python3
"""Mails that came back, in Python: what a mailbox of returned mails (Mail:BounceAddress) is read by; it tells Jafer of them.

    /usr/bin/python3 clients/python/bounces.py < notification.eml
                                        one delivery status notification (RFC 3464), as a mail server hands it to a program:
                                        in Postfix an alias  retours: "|/usr/bin/python3 …/bounces.py"
    … bounces.py --try                  in development: what a server would send of the latest mail in the catcher

Same environment as espace.py, whose connection it uses; the operator's client is JAFER_OPERATOR_CLIENT_ID (default
operateur.national). A mail is known by its id: the envelope id of the notification, or the Message-ID of what came back with it.
No address is read, kept or sent on. What is no notification, or tells of a delay alone, changes nothing.
"""
import email, email.policy, json, os, re, sys, time, urllib.request, uuid

import grpc

import espace
from espace import metadata, report, rpc

espace.client_id = os.environ.get("JAFER_OPERATOR_CLIENT_ID", "operateur.national")
MAIL_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def read(notification):
    """Id of the mail that came back and the status of its failure; None for what tells of no failure."""
    report_part = next((p for p in notification.walk() if p.get_content_type() == "message/delivery-status"), None)
    if report_part is None:
        return None
    fields = report_part.get_payload()  # one block for the mail, then one for each recipient
    failed = next((f for f in fields[1:] if f.get("action", "").strip().lower() == "failed"), None)
    if failed is None:
        return None
    returned = [p.get_payload() if p.get_content_type() == "text/rfc822-headers" else p.as_string()
                for p in notification.walk() if p.get_content_type() in ("message/rfc822", "text/rfc822-headers")]
    ids = [fields[0].get("original-envelope-id", "")] + [m for text in returned for m in re.findall(r"(?im)^message-id:\s*<([^@>]+)@", text)]
    mail_id = next((m.group() for m in map(MAIL_ID.search, ids) if m), None)
    status = re.match(r"[45]\.\d{1,3}\.\d{1,3}", failed.get("status", "").strip())
    return (mail_id, status.group()) if mail_id and status else None


def record(mail_id, status, request_id):
    """How many notices are refused now; None when Jafer knows no such mail."""
    send, make = rpc("notification/Notice", "RecordBounce")
    try:
        return send(make(mail_id=mail_id, status=status, request_id=request_id), timeout=10, metadata=metadata()).refused_count
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.NOT_FOUND:
            return None
        raise SystemExit(f"bounces: FAILED, {error.code().name}")  # the mail server keeps it and tries again


def written_by_a_server(mail_id, action, status):
    """A notification as Postfix writes it."""
    return (f'From: MAILER-DAEMON@mx.test\nTo: retours@jafer.example\nSubject: Undelivered Mail\nMIME-Version: 1.0\n'
            f'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\nContent-Type: text/plain\n\nSorry.\n\n'
            f'--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; x@y.test\n'
            f'Action: {action}\nStatus: {status}\n\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{mail_id}@jafer.example>\n\n--b--\n')


def try_it():
    """Takes the latest mails of the catcher until one is Jafer's of today, and returns it as a server would."""
    for attempt in range(60):
        mails = json.load(urllib.request.urlopen(espace.endpoints["mail"]["web"].rstrip("/") + "/api/email", timeout=10))
        for mail in reversed(mails[-20:]):
            found = MAIL_ID.search(mail["headers"].get("message-id", ""))
            if not found:
                continue
            parse = lambda action, status: read(email.message_from_string(written_by_a_server(found.group(), action, status), policy=email.policy.compat32))
            if parse("delayed", "4.4.1") is not None or read(email.message_from_string("Subject: Absent\n\nJe reviens lundi.\n")) is not None:
                raise SystemExit("bounces: FAILED, what is no failure was taken for one")
            back = parse("failed", "5.1.1")
            request_id = str(uuid.uuid4())
            refused = record(*back, request_id)
            if not refused:
                continue
            if record(*back, request_id) != refused or record(*back, str(uuid.uuid4())) != 0:
                raise SystemExit("bounces: FAILED, a mail came back twice")
            send, make = rpc("notification/Notice", "ListMailRefusals")
            refusals = send(make(page_size=200), timeout=10, metadata=metadata()).refusals
            if not any(r.last_error == "BOUNCE_5.1.1" for r in refusals):
                raise SystemExit("bounces: FAILED, the refusal is not shown")
            return report(f"a mail came back: {refused} notices are refused, and the operator sees whose")
        time.sleep(1)
    raise SystemExit("bounces: FAILED, there was no mail to come back")


def main():
    espace.authenticate()
    if "--try" in sys.argv or sys.stdin.isatty():
        return try_it()
    back = read(email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.compat32))
    refused = record(*back, str(uuid.uuid4())) if back else None
    report("no notification of a failure" if not back else "no mail of Jafer's, or long forgotten" if refused is None else f"{refused} notices are refused")


if __name__ == "__main__":
    main()
