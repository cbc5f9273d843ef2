"""A client of knsock/1 that uses nothing but Python's standard library, written from docs/wire-format.md alone.

    python3 knsock_client.py self-test docs/wire-format.md
    python3 knsock_client.py connect --ca ca.pem [--cert c.pem --key k.pem] [--name NAME] HOST PORT STEP...

Steps run in order: `message:TEXT`, `request:TEXT`, `receive` (the next message), `ping`, `close` and `close:CODE TEXT`. Each prints
one line of JSON. A refusal prints one too, and exits with 3.
"""

import argparse
import collections
import json
import os
import socket
import ssl
import struct
import sys

KINDS = ["WELCOME", "REFUSED", "MESSAGE", "REQUEST", "RESPONSE", "ERROR", "CANCEL", "REJECTED", "GOAWAY", "CLOSE", "PING", "PONG"]
DATA = {"MESSAGE", "REQUEST", "RESPONSE"}
WITH_ID = {"REQUEST", "RESPONSE", "ERROR", "CANCEL", "REJECTED", "GOAWAY"}
# The least and the most bytes of a body; None: bounded by maxMessage.
SIZES = {
    "WELCOME": (8, 4096), "REFUSED": (1, 4096), "MESSAGE": (0, None), "REQUEST": (8, None), "RESPONSE": (8, None),
    "ERROR": (9, 4096), "CANCEL": (8, 8), "REJECTED": (9, 4096), "GOAWAY": (8, 8), "CLOSE": (0, 4096),
    "PING": (8, 8), "PONG": (8, 8),
}
MAX_ID = 2**53 - 1
ALPN = "knsock/1"
CLOSE_CODE = "close-code"


class Violation(Exception):
    """The peer broke the protocol."""


class Refused(Exception):
    """The server doesn't take us."""

    def __init__(self, reason, text):
        super().__init__(f"{reason}: {text}")
        self.reason = reason
        self.text = text


class Failed(Exception):
    """A request was answered by ERROR or REJECTED."""

    def __init__(self, frame):
        super().__init__(json.dumps(frame))
        self.frame = frame


# --- frames: dictionaries as in the page's table of vectors, payload and token as bytes


def encode(frame):
    kind = frame["kind"]
    body = b""
    if kind in WITH_ID:
        body += struct.pack(">Q", frame["lastId" if kind == "GOAWAY" else "id"])
    if kind == "WELCOME":
        body += struct.pack(">II", frame["maxMessage"], frame["maxInFlight"])
        for name, parameters in frame.get("features", {}).items():
            body += bytes([len(name)]) + name.encode() + bytes([len(parameters)]) + parameters
    elif kind in DATA:
        body += frame["payload"]
    elif kind in ("PING", "PONG"):
        body += frame["token"]
    elif kind in ("REFUSED", "REJECTED"):
        body += word_and_text(frame["reason"], frame["text"])
    elif kind == "ERROR" or (kind == "CLOSE" and "code" in frame):
        body += word_and_text(frame["code"], frame["text"])
    return struct.pack(">IB", len(body) + 1, KINDS.index(kind) + 1) + body


def word_and_text(word, text):
    encoded = word.encode()
    return bytes([len(encoded)]) + encoded + text.encode()


class Decoder:
    """Turns bytes, however they are cut, into frames."""

    def __init__(self, max_message):
        self.max_message = max_message
        self.buffer = bytearray()

    def feed(self, data):
        self.buffer += data
        frames = []
        while (frame := self.next_frame()) is not None:
            frames.append(frame)
        return frames

    def next_frame(self):
        if len(self.buffer) < 5:
            return None
        length, byte = struct.unpack_from(">IB", self.buffer)
        kind = self.check(length, byte)
        if len(self.buffer) < 4 + length:
            return None
        body = bytes(self.buffer[5 : 4 + length])
        del self.buffer[: 4 + length]
        return parse(kind, body)

    def check(self, length, byte):
        if length == 0:
            raise Violation("a length of 0")
        if byte & 0xE0:
            raise Violation("a flag is set")
        if not 1 <= byte <= len(KINDS):
            raise Violation(f"unknown kind {byte}")
        kind = KINDS[byte - 1]
        least, most = SIZES[kind]
        if most is None:
            most = self.max_message + (8 if kind in WITH_ID else 0)
        if not least <= length - 1 <= most:
            raise Violation(f"{kind} of {length - 1} bytes, {least} to {most} allowed")
        return kind


def parse(kind, body):
    frame = {"kind": kind}
    if kind in WITH_ID:
        (number,) = struct.unpack_from(">Q", body)
        body = body[8:]
        if number > MAX_ID or (number == 0 and kind != "GOAWAY"):
            raise Violation(f"{kind} with id {number}")
        frame["lastId" if kind == "GOAWAY" else "id"] = number
    if kind == "WELCOME":
        frame["maxMessage"], frame["maxInFlight"] = struct.unpack_from(">II", body)
        features = parse_features(body[8:])
        if features:
            frame["features"] = features
    elif kind in DATA:
        frame["payload"] = body
    elif kind in ("PING", "PONG"):
        frame["token"] = body
    elif kind in ("REFUSED", "REJECTED"):
        frame["reason"], frame["text"] = split(kind, body)
    elif kind == "ERROR" or (kind == "CLOSE" and body):
        frame["code"], frame["text"] = split(kind, body)
    return frame


def parse_features(rest):
    features = {}
    while rest:
        name, rest = word(rest)
        parameters, rest = word(rest)
        if any(not 0x20 <= byte <= 0x7E for byte in name):
            raise Violation("the name of a feature isn't printable ASCII")
        features.setdefault(name.decode(), parameters)
    return features


def word(rest):
    end = 1 + rest[0] if rest else 1
    if end > len(rest):
        raise Violation("WELCOME ends inside one of its features")
    return rest[1:end], rest[end:]


def split(kind, body):
    end = 1 + body[0]
    if end > len(body):
        raise Violation(f"the word of {kind} reaches past its end")
    word = body[1:end]
    if kind != "ERROR" and any(not 0x20 <= byte <= 0x7E for byte in word):
        raise Violation(f"the word of {kind} isn't printable ASCII")
    return word.decode(errors="replace"), body[end:].decode(errors="replace")


# --- the connection


class Client:
    """One connection; blocking, and one request at a time."""

    def __init__(self, host, port, ca, cert=None, key=None, name=None, timeout=10, max_message=1 << 20):
        context = ssl.create_default_context(cafile=ca)
        context.set_alpn_protocols([ALPN])
        if cert:
            context.load_cert_chain(cert, key)
        plain = socket.create_connection((host, port), timeout)
        self.socket = context.wrap_socket(plain, server_hostname=name or host)
        if self.socket.selected_alpn_protocol() != ALPN:
            raise Violation("the server doesn't speak knsock/1")
        self.decoder = Decoder(max_message)
        self.frames = collections.deque()
        self.messages = collections.deque()
        self.last_id = 0
        self.draining = False
        self.closing = False
        self.knows_codes = False
        self.welcome = self.read()
        if self.welcome["kind"] == "CLOSE":
            self.socket.close()
            raise EOFError(f"the server ended: {self.welcome}")
        if self.welcome["kind"] != "WELCOME":
            raise Violation(f"{self.welcome['kind']} in place of WELCOME")
        self.knows_codes = CLOSE_CODE in self.welcome.get("features", {})
        features = {CLOSE_CODE: b""}
        self.write({"kind": "WELCOME", "maxMessage": max_message, "maxInFlight": 0, "features": features})

    def send(self, payload):
        self.check_size(payload)
        self.write({"kind": "MESSAGE", "payload": payload})

    def request(self, payload):
        self.check_size(payload)
        if self.draining or self.welcome["maxInFlight"] == 0:
            raise RuntimeError("the server takes no requests (any more)")
        self.last_id += 1
        self.write({"kind": "REQUEST", "id": self.last_id, "payload": payload})
        answer = self.read_until(lambda frame: frame.get("id") == self.last_id and frame["kind"] != "REQUEST")
        if answer["kind"] != "RESPONSE":
            raise Failed(answer)
        return answer["payload"]

    def receive(self):
        if not self.messages:
            self.messages.append(self.read_until(lambda frame: frame["kind"] == "MESSAGE")["payload"])
        return self.messages.popleft()

    def ping(self):
        token = os.urandom(8)
        self.write({"kind": "PING", "token": token})
        self.read_until(lambda frame: frame["kind"] == "PONG" and frame["token"] == token)

    def close(self, code=None, text=""):
        """Ends cleanly, in words of ours where the server knows them, and says whether the server ended cleanly too."""
        if code is not None and self.knows_codes:
            self.write({"kind": "CLOSE", "code": code, "text": text})
        else:
            self.write({"kind": "CLOSE"})
        self.closing = True
        frame = self.read_until(lambda frame: frame["kind"] == "CLOSE")
        self.socket.close()
        return self.is_clean(frame)

    def is_clean(self, close):
        code = close.get("code")
        return code is None or (self.knows_codes and 1 <= len(code) <= 64 and not code.startswith("KNSOCK_"))

    def read_until(self, wanted):
        while True:
            frame = self.read()
            if wanted(frame):
                return frame
            self.handle(frame)

    def handle(self, frame):
        kind = frame["kind"]
        if kind == "MESSAGE":
            self.messages.append(frame["payload"])
        elif self.closing:
            return  # our CLOSE was the last frame that we may send
        elif kind == "PING":
            self.write({"kind": "PONG", "token": frame["token"]})
        elif kind == "REQUEST":
            self.write({"kind": "REJECTED", "id": frame["id"], "reason": "busy", "text": "this client takes no requests"})
        elif kind == "GOAWAY":
            self.draining = True
        elif kind == "CLOSE":
            if self.is_clean(frame):
                self.write({"kind": "CLOSE"})
            self.socket.close()
            raise EOFError(f"the server ended: {frame.get('code', 'cleanly')} {frame.get('text', '')}".strip())
        elif kind == "WELCOME":
            raise Violation("a second WELCOME")

    def read(self):
        while not self.frames:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError("the connection ended without CLOSE")
            self.frames.extend(self.decoder.feed(data))
        frame = self.frames.popleft()
        if frame["kind"] == "REFUSED":
            self.socket.close()
            raise Refused(frame["reason"], frame["text"])
        return frame

    def write(self, frame):
        self.socket.sendall(encode(frame))

    def check_size(self, payload):
        if len(payload) > self.welcome["maxMessage"]:
            raise ValueError(f"{len(payload)} bytes, the server takes {self.welcome['maxMessage']}")


# --- the vectors of the page


def self_test(page):
    with open(page, encoding="utf-8") as file:
        valid, tolerated, malformed = tables(file.read())
    for name, source, hexed in valid:
        frame, data = from_json(source), bytes.fromhex(hexed)
        assert encode(frame) == data, f"{name}: encoded as {encode(frame).hex(' ')}"
    for name, source, hexed in valid + tolerated:
        frame, data = from_json(source), bytes.fromhex(hexed)
        for size in (1, 3, len(data)):
            decoder = Decoder(1 << 20)
            frames = [f for at in range(0, len(data), size) for f in decoder.feed(data[at : at + size])]
            assert frames == [frame], f"{name}: decoded as {frames}"
    for name, hexed in malformed:
        try:
            Decoder(16).feed(bytes.fromhex(hexed))
        except Violation:
            continue
        raise AssertionError(f"{name}: not refused")
    return {"valid": len(valid), "tolerated": len(tolerated), "malformed": len(malformed)}


def tables(page):
    """The three tables under "Test vectors", each a list of rows of cells without backquotes."""
    section = page.split("\n## Test vectors\n")[1].split("\n## ")[0]
    found = []
    for line in section.splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split(" | ")]
        if line.startswith("| name "):
            found.append([])
        elif line.startswith("| "):
            found[-1].append(cells)
    return found


def from_json(source):
    frame = json.loads(source)
    for field in ("payload", "token"):
        if field in frame:
            frame[field] = bytes.fromhex(frame[field])
    if "features" in frame:
        frame["features"] = {name: bytes.fromhex(value) for name, value in frame["features"].items()}
    return frame


# --- the command


def run_step(client, step):
    word, _, text = step.partition(":")
    if word == "message":
        return client.send(text.encode())
    if word == "request":
        return client.request(text.encode()).decode()
    if word == "receive":
        return client.receive().decode()
    if word == "ping":
        return client.ping()
    if word == "close":
        return client.close(*text.split(" ", 1)) if text else client.close()
    raise SystemExit(f"unknown step {step}")


def run_steps(options):
    try:
        client = Client(options.host, options.port, options.ca, options.cert, options.key, options.name)
        print(json.dumps({"welcome": client.welcome}, default=bytes.hex), flush=True)
        for step in options.steps:
            try:
                print(json.dumps({"step": step, "result": run_step(client, step)}), flush=True)
            except Failed as failure:
                print(json.dumps({"step": step, "failed": failure.frame}), flush=True)
    except Refused as refusal:
        print(json.dumps({"refused": refusal.reason, "text": refusal.text}), flush=True)
        raise SystemExit(3) from None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    test = commands.add_parser("self-test")
    test.add_argument("page")
    connect = commands.add_parser("connect")
    connect.add_argument("host")
    connect.add_argument("port", type=int)
    connect.add_argument("--ca", required=True)
    connect.add_argument("--cert")
    connect.add_argument("--key")
    connect.add_argument("--name")
    connect.add_argument("steps", nargs="*")
    options = parser.parse_args()
    if options.command == "self-test":
        print(json.dumps(self_test(options.page)))
    else:
        run_steps(options)


if __name__ == "__main__":
    main()
