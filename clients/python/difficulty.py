#!/usr/bin/python3
"""The espace's own software and a difficulty, in Python: it has no room, tells the judge at once, and learns what was decided.

    /usr/bin/python3 clients/python/difficulty.py      beside it, as the court's software: node clients/node/judge.mjs

Same environment as espace.py, whose connection it uses. An espace does not refuse a mesure: it refers a difficulty to the judge,
and nothing stops meanwhile (article 1180-5 of the Code de procédure civile).
"""
import time

from espace import begin, call, code, report, watch


def main():
    begin()
    feed = watch()
    for event in feed:
        if event.type == "mesure.mesure-transmitted.v1" and event.recorded_time.seconds > time.time() - 60:
            mesure = call("mesure", "GetMesure", mesure_id=event.aggregate_id).mesure
            if code(mesure.summary, "state") == "TRANSMISE":
                break
    mesure_id = mesure.summary.mesure_id
    call("mesure", "AcknowledgeMesure", mesure_id=mesure_id)
    report(f"{mesure.summary.reference} received, retrieved and acknowledged")

    # The reason is a code; the comment states facts, for the judge alone. Neither stands in an event or a mail.
    difficulty_id = call("mesure", "ReportDifficulty", mesure_id=mesure_id, reason="DIFFICULTY_REASON_CAPACITY",
                         comment="Aucune place avant sept mois.").difficulty_id
    report("difficulty CAPACITY referred to the judge")
    for event in feed:
        if event.aggregate_id != mesure_id:
            continue
        if event.type in ("mesure.difficulty-acknowledged.v1", "mesure.difficulty-answered.v1"):
            report(f"event {event.type}")
        if event.type == "mesure.mesure-closed.v1":
            break

    # Closed for us, and going on elsewhere: what was decided stands in the mesure.
    mesure = call("mesure", "GetMesure", mesure_id=mesure_id).mesure
    answered = next(d for d in mesure.difficulties if d.difficulty_id == difficulty_id)
    report(f"answered by {code(answered, 'answer')}; {mesure.summary.reference} is {code(mesure.summary, 'state')}, {code(mesure.closure, 'reason')}")
    if code(mesure.closure, "reason") != "TRANSFERT":
        raise SystemExit("espace: FAILED, the mesure was not sent elsewhere")


if __name__ == "__main__":
    main()
