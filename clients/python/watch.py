#!/usr/bin/python3
"""A watcher of the feed that may die at any moment, in Python: it keeps each event with its token, and goes on from there.

    /usr/bin/python3 clients/python/watch.py           alone: watches in a process that it kills again and again, and proves that
                                                       nothing is missing and nothing is there twice
    /usr/bin/python3 clients/python/watch.py FILE      watches until it is stopped; FILE keeps what was handled

Same environment as espace.py, whose connection it uses.
"""
import os, pathlib, signal, subprocess, sys, tempfile, time, urllib.parse

import grpc

from espace import authenticate, begin, call, endpoints, metadata, report, rpc, transient


def read(path):
    """The whole lines of a journal: token and event id of each event handled, oldest first."""
    text = path.read_text() if path.exists() else ""
    return [tuple(line.split(" ")) for line in text[:text.rfind("\n") + 1].splitlines()]


class Journal:
    """What was handled: a line for each event, with the token after it. Real software keeps both in its own database, in the
    transaction that handles the event: then neither can be there without the other."""

    def __init__(self, path):
        kept = read(path)
        self.token = kept[-1][0] if kept else ""
        self.file = open(path, "r+b" if kept else "wb")  # what the end of a process cut off a line was never handled
        self.file.truncate(sum(len(token) + len(event_id) + 2 for token, event_id in kept))
        self.file.seek(0, os.SEEK_END)

    def keep(self, token, event_id):
        self.file.write(f"{token} {event_id}\n".encode())
        self.file.flush()
        os.fsync(self.file.fileno())  # handled once this returns, whatever happens next
        self.token = token


def follow(path, token=""):
    """Watches for ever, from the last token kept; `token` where nothing is kept yet."""
    journal, failures = Journal(pathlib.Path(path)), 0
    authenticate()
    send, make = rpc("notification", "WatchEvents", streaming=True)
    while failures < 6:
        stream = send(make(resume_token=journal.token or token), metadata=metadata())
        try:
            for response in stream:
                failures = 0
                if response.HasField("event"):
                    journal.keep(response.resume_token, response.event.event_id)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAUTHENTICATED:
                authenticate()
            elif error.code() not in transient:
                # RESUME_TOKEN_EXPIRED (OUT_OF_RANGE) after 90 days away: docs/integrators.md says how to resynchronise.
                raise
        failures += 1
        time.sleep(0.1 * 2**failures)


def after(token):
    """Every event after a token, page by page, and the token at the end."""
    events, more = [], True
    while more:
        page = call("notification", "ListEvents", resume_token=token, page_size=500)
        events, token, more = events + [event.event_id for event in page.events], page.resume_token, page.more
    return events, token


def alone():
    begin()
    mesures = call("mesure", "ListMesures", page_size=200).mesures
    mesure_id = next(m.mesure_id for m in mesures if m.espace_id)
    _, start = after("")
    with tempfile.TemporaryDirectory() as folder:
        path, posted, kills = pathlib.Path(folder, "handled"), 0, 0
        while kills < 4:
            watcher = subprocess.Popen([sys.executable, __file__, str(path), start])
            # What happens meanwhile: messages, of which the author's own feed tells too.
            known, due = len(read(path)), time.monotonic() + 10
            while len(read(path)) < known + 3:  # it is alive, and in the middle of it
                call("messaging", "PostMessage", mesure_id=mesure_id, body=f"Message fictif {posted}.")
                posted += 1
                if time.monotonic() > due:
                    raise SystemExit("espace: FAILED, the watcher does not watch")
            watcher.send_signal(signal.SIGKILL)
            watcher.wait()
            kills += 1
        for _ in range(5):  # while nobody watches
            call("messaging", "PostMessage", mesure_id=mesure_id, body=f"Message fictif {posted}.")
            posted += 1
        watcher, due = subprocess.Popen([sys.executable, __file__, str(path), start]), time.monotonic() + 20
        expected, _ = after(start)
        while (handled := [event_id for _, event_id in read(path)])[:len(expected)] != expected or len(expected) < posted:
            if time.monotonic() > due:
                raise SystemExit(f"espace: FAILED, {len(handled)} events handled where the feed has {len(expected)}")
            time.sleep(0.05)
            expected, _ = after(start)
        watcher.kill()
        watcher.wait()
    if len(set(handled)) != len(handled):
        raise SystemExit("espace: FAILED, an event was handled twice")
    report(f"watcher killed {kills} times: {len(handled)} events of {urllib.parse.urlsplit(endpoints['services']['notification']['grpc']).netloc} "
           "handled, none missing, none twice, all in the feed's order")


if __name__ == "__main__":
    follow(*sys.argv[1:]) if len(sys.argv) > 1 else alone()
