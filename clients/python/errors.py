"""Why Jafer refused, in Python: the stable reason of every error and the fields or rules it names (docs/integrators.md, Errors).

They stand in the trailer grpc-status-details-bin, a google.rpc.Status. Reading them takes no generated code: every part that
matters is a length-delimited field.
"""


def fields(data):
    """Number and bytes of each length-delimited field."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                return value

    while at < len(data):
        tag, length = varint(), varint()  # of a number there is no more than its value
        if tag % 8 == 2:
            yield tag >> 3, data[at:at + length]
            at += length


def reason_of(error):
    """The reason of a grpc.RpcError, such as STATE_FORBIDS, and what it names: paths of wrong fields, codes of violated rules."""
    status = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")  # empty: the transport itself refused
    details = {}
    for number, detail in fields(status):
        if number == 3:
            parts = dict(fields(detail))
            details[parts[1].decode().rpartition(".")[2]] = parts.get(2, b"")
    named = [dict(fields(violation)).get(1, b"").decode()
             for kind in ("BadRequest", "PreconditionFailure") for number, violation in fields(details.get(kind, b"")) if number == 1]
    return dict(fields(details.get("ErrorInfo", b""))).get(1, b"").decode(), named


def explain(error):
    """The reason, what it names and the text for the log; a program acts on the reason, never on the text."""
    reason, named = reason_of(error)
    return " ".join([reason or error.code().name, *named]) + f": {error.details()}"
