#!/usr/bin/python3
"""The espace's own software and the directory, in Python: it answers who asks for room, declares its waits and confirms the rest.

    /usr/bin/python3 clients/python/directory.py      beside it, as the court's software: node clients/node/search.mjs

Same environment as espace.py, whose connection it uses. Judges choose by what stands in the directory. What nobody confirms
grows stale, and a stale capacity is asked for again: it is less work to keep it true than to answer.
"""
from espace import begin, call, code, report, watch


def day(date):
    return f"{date.day}/{date.month}/{date.year}"


def stale(espace, group):
    """Keys of a group (codes of modalités, or the empty one) that were not confirmed for longer than their rule allows."""
    return [p.key for p in espace.provenances if code(p, "group") == group and p.stale]


def enquiry_of(espace, modalite):
    """The next enquiry that waits for us: from the feed, for it holds identifiers only and is asked for afterwards."""
    for event in watch():
        if event.type == "directory.capacity-enquiry-opened.v1":
            enquiry = call("directory", "GetCapacityEnquiry", enquiry_id=event.aggregate_id).enquiry
            if (code(enquiry, "state"), enquiry.espace_id, code(enquiry, "modalite")) == ("PENDING", espace.espace_id, modalite):
                return enquiry


def main():
    begin()
    # --- What should be looked after: the worklist of this gestionnaire, the most overdue first.
    work = call("directory", "ListUpkeepItems", page_size=200)
    report(f"{work.total_count} things to look after: {', '.join(sorted({code(item, 'kind') for item in work.items})) or 'nothing'}")
    gestionnaire_id = work.items[0].gestionnaire_id if work.items else None
    if gestionnaire_id is None:
        return report("all of it is fresh: the directory answers for us")
    espace = call("directory", "ListEspaces", gestionnaire_id=gestionnaire_id).espaces[0]
    report(f"{espace.name}: quality {espace.quality.score} of 100")

    # --- An anonymous enquiry: ages and needs, no name and no commune. It is put to us only while our own word is too old.
    # The answer refreshes the directory, so that the next one who asks is answered at once.
    if "VISITE" in stale(espace, "MODALITE"):
        enquiry = enquiry_of(espace, "VISITE")
        report(f"asked for {code(enquiry, 'modalite')}, {enquiry.child_count or 'any number of'} children from {enquiry.youngest_age} to {enquiry.oldest_age}")
        answered = call("directory", "AnswerCapacity", enquiry_id=enquiry.enquiry_id, answer="CAPACITY_ANSWER_HAS_CAPACITY",
                        wait_days=45, waiting_families=0).enquiry
        report(f"answered {code(answered, 'answer')}, {answered.wait_days} days; it holds until {answered.expire_time.ToDatetime():%d/%m/%Y}")

    # --- Waits: days from transmission to first rencontre, for each modalité, with the day for which they hold (today when none is
    # given). Pushed every day, also when nothing has changed: a figure older than 30 days is shown as stale.
    espace = call("directory", "GetEspace", espace_id=espace.espace_id).espace
    for offered in espace.modalites:
        if offered.HasField("declared_wait") and code(offered, "state") != "FERMEE":
            wait = call("directory", "DeclareWait", espace_id=espace.espace_id, modalite=offered.modalite, days=offered.declared_wait.days)
            report(f"wait of {code(offered, 'modalite')}: {wait.declared_wait.days} days on {day(wait.declared_wait.as_of_date)}")

    # --- "Still true", in one call for the whole espace, waits apart. With the etag it fails if somebody was faster.
    etag = call("directory", "GetEspace", espace_id=espace.espace_id).espace.etag
    confirmed = call("directory", "ConfirmEspace", espace_id=espace.espace_id, etag=etag)
    report(f"{len(confirmed.provenances)} groups, {sum(p.stale for p in confirmed.provenances)} still stale")
    # A call that changes less than the whole names the fields: UpdateEspace with an update_mask. See docs/integrators.md.
    espace = call("directory", "GetEspace", espace_id=espace.espace_id).espace
    report(f"{espace.name}: quality {espace.quality.score} of 100")


if __name__ == "__main__":
    main()
