"""Behaves on the wire as kn-sock does, by Python's ssl alone.

`sync-server`   one client at a time: one recv(1024), the handler's answer, close
`async-server`  asyncio: reads of 1024 in a loop, an answer for each, until the client ends
`client PORT MESSAGE`         connects, sends, and closes without reading, as kn-sock's client does
`client-read PORT MESSAGE`    the same, and reads once
`clients PORT MESSAGE COUNT`  so many of the latter at the same time

Servers print their port. A message `much:N` is answered with N bytes, anything else with `Secure response to …`.
"""

import argparse
import asyncio
import socket
import ssl
import sys
import threading

parser = argparse.ArgumentParser()
parser.add_argument("role")
parser.add_argument("rest", nargs="*")
for name in ("cafile", "certfile", "keyfile", "tls"):
    parser.add_argument(f"--{name}")
parser.add_argument("--require-client-cert", action="store_true")
arguments = parser.parse_args()


def make_context(purpose):
    context = ssl.create_default_context(purpose, cafile=arguments.cafile)
    if arguments.certfile:
        context.load_cert_chain(arguments.certfile, arguments.keyfile)
    if arguments.require_client_cert:
        context.verify_mode = ssl.CERT_REQUIRED
    version = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}[arguments.tls]
    context.minimum_version = context.maximum_version = version
    return context


def answer(data):
    words = data.decode()
    if words.startswith("much:"):
        return b"m" * int(words.split(":")[1])
    return b"Secure response to " + data


def sync_server():
    context = make_context(ssl.Purpose.CLIENT_AUTH)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            plain, _ = listener.accept()
            with context.wrap_socket(plain, server_side=True) as client:
                data = client.recv(1024)
                if data:
                    client.sendall(answer(data))


async def async_server():
    async def handle(reader, writer):
        while data := await reader.read(1024):
            writer.write(answer(data))
            await writer.drain()
        writer.close()

    context = make_context(ssl.Purpose.CLIENT_AUTH)
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def send(port, message, read):
    context = make_context(ssl.Purpose.SERVER_AUTH)
    with socket.create_connection(("localhost", int(port))) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as client:
            client.sendall(message.encode())
            if read:
                line = f"{client.version()} {client.recv(1024).decode()}\n"
                sys.stdout.write(line)  # whole, since threads share the stream
                sys.stdout.flush()


role, rest = arguments.role, arguments.rest
if role == "sync-server":
    sync_server()
elif role == "async-server":
    asyncio.run(async_server())
elif role == "clients":
    port, message, count = rest
    threads = [
        threading.Thread(target=send, args=(port, f"{message} {number}", True)) for number in range(int(count))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
else:
    send(rest[0], rest[1], role == "client-read")
