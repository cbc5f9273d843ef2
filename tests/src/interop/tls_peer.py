"""Speaks TLS by Python's ssl alone: `client PORT CA CERT KEY` sends standard input and prints what comes,
`server PORT CA CERT KEY` sends everything back."""

import socket
import ssl
import sys
import threading

side, port, ca, cert, key = sys.argv[1:]
purpose = ssl.Purpose.SERVER_AUTH if side == "client" else ssl.Purpose.CLIENT_AUTH
context = ssl.create_default_context(purpose, cafile=ca)
context.load_cert_chain(cert, key)


def send_input(tls):
    for line in sys.stdin:
        tls.sendall(line.encode())


def client():
    with socket.create_connection(("localhost", int(port))) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            threading.Thread(target=send_input, args=(tls,), daemon=True).start()
            while data := tls.recv(4096):
                print(data.decode(), end="", flush=True)


def server():
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while True:
            plain, _ = listener.accept()
            try:
                with context.wrap_socket(plain, server_side=True) as tls:
                    while data := tls.recv(4096):
                        tls.sendall(data)
            except OSError:
                continue  # a client that only checked whether we listen


client() if side == "client" else server()
