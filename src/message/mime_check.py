"""Reads a message with Python's email package and compares it with what was meant.

    mime_check.py MESSAGE WANT

WANT holds the fields of mime_test.c's check_with_python, each ended by a NUL. Exits 0 when all
agree, and otherwise says what differs.
"""
import email
import email.header
import email.policy
import re
import sys

message_bytes = open(sys.argv[1], "rb").read()
want = [field.decode() for field in open(sys.argv[2], "rb").read().split(b"\0")]
(from_name, from_address, to_name, to_address, reply_name, reply_address, subject, text, html,
 unsubscribe_url) = want[:10]
wrong = []


def check(what, found, expected):
    if found != expected:
        wrong.append(f"{what}: found {found!r}, expected {expected!r}")


for line in message_bytes.split(b"\r\n"):
    check("line break", b"\n" in line or b"\r" in line, False)
    check("length of a line", len(line) <= 998, True)
    check("bytes beyond ASCII", all(32 <= byte < 127 or byte == 9 for byte in line), True)

# Python's reader forgives what others do not, so the form of encoded words is checked here.
head = message_bytes.split(b"\r\n\r\n")[0].decode()
for line in head.split("\r\n"):
    rest = re.sub(r"=\?utf-8\?(?:Q\?(?:[A-Za-z0-9!*+/_-]|=[0-9A-F]{2})+|B\?[A-Za-z0-9+/]+=*)\?=", "", line)
    check("malformed encoded word", "=?" in rest, False)
    check("length of an encoded line", rest == line or len(line) <= 76 or "<" in line, True)

message = email.message_from_bytes(message_bytes, policy=email.policy.default)
check("defects", [d for part in message.walk() for d in part.defects], [])
known = {"From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "List-Id",
         "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID", "X-Dult-Message",
         "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding"}
check("unknown fields", set(message.keys()) - known, set())
check("fields given twice", len(message.keys()), len(set(message.keys())))


# The older, literal reader for words: the newer one normalises spaces in phrases.
raw = email.message_from_bytes(message_bytes, policy=email.policy.compat32)


def words(value):
    unfolded = value.replace("\r\n", "")
    return str(email.header.make_header(email.header.decode_header(unfolded)))


def mailbox(name, expected_name, expected_address):
    if not expected_address:
        check(name, raw[name], None)
        return
    one, = message[name].addresses
    check(name + " address", f"{one.username}@{one.domain}", expected_address)
    display, address = email.utils.parseaddr(raw[name].replace("\r\n", ""))
    check(name + " address, older reader", address, expected_address)
    check(name + " name", words(display) if "=?" in raw[name] else display, expected_name.strip())


mailbox("From", from_name, from_address)
mailbox("To", to_name, to_address)
mailbox("Reply-To", reply_name, reply_address)
check("Subject", words(raw["Subject"]), subject.strip())
check("List-Unsubscribe", f"<{unsubscribe_url}>" in raw["List-Unsubscribe"], True)
check("Date", message["Date"].datetime is not None, True)


def body(part):
    return part.get_payload(decode=True).decode().replace("\r\n", "\n")


parts = [part for part in message.walk() if not part.is_multipart()]
expected = [(kind, said) for kind, said in (("text/plain", text), ("text/html", html)) if said]
check("parts", [part.get_content_type() for part in parts], [kind for kind, _ in expected])
for part, (kind, said) in zip(parts, expected):
    found = body(part)
    if not message.is_multipart() and found.endswith("\n"):
        found = found[:-1]  # the message's last line break, which every message has
    check(kind, found, said.replace("\r\n", "\n"))
    for line in part.get_payload().split("\n"):
        if part["Content-Transfer-Encoding"] == "quoted-printable":
            check("length of a quoted line", len(line.rstrip("\r")) <= 76, True)
            check("white space at the end of a line", line.rstrip("\r")[-1:] in (" ", "\t"), False)

print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(1 if wrong else 0)
