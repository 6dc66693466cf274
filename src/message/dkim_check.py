"""Verifies every DKIM signature of a message with dkimpy (Debian: python3-dkim).

    dkim_check.py MESSAGE RECORDS

RECORDS has a line for each key: the name, a space, the TXT record. Exits 0 when there are as many
signatures as records and all of them hold, 1 when one does not, and 77 where dkimpy is missing.
"""
import sys

try:
    import dkim
    import nacl.signing  # noqa: F401, dkimpy needs it for Ed25519 and asks for it late
except ImportError:
    sys.exit(77)

message = open(sys.argv[1], "rb").read()
records = dict(line.rstrip("\n").split(" ", 1) for line in open(sys.argv[2]))


def dns(name, timeout=5):
    return records.get(name.decode().rstrip("."), "").encode()


verifier = dkim.DKIM(message)
signatures = sum(name.lower() == b"dkim-signature" for name, _ in verifier.headers)
if signatures != len(records):
    sys.exit(f"found {signatures} signatures, expected {len(records)}")
try:
    sys.exit(0 if all(verifier.verify(idx=i, dnsfunc=dns) for i in range(signatures)) else 1)
except dkim.DKIMException:
    sys.exit(1)
