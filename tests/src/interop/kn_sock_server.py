"""A server as kn-sock's users write them: a thread for each client, blocking sockets, an echo.

kn_sock_server.py tls|mutual|plain loop|once [certificate key ca]
"loop" answers until the client goes, "once" ends the connection after the first answer, as kn-sock's own handlers do.
"""
import socket
import ssl
import sys
import threading

kind, manner, *files = sys.argv[1:]
context = None
if kind != "plain":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files[0], files[1])
    if kind == "mutual":
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(files[2])


def handle(conn):
    try:
        if context:
            conn = context.wrap_socket(conn, server_side=True)
        while data := conn.recv(65536):
            conn.sendall(data)
            if manner == "once":
                break
    except OSError:
        pass
    finally:
        conn.close()


server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(64)
print(server.getsockname()[1], flush=True)
while True:
    client, _ = server.accept()
    threading.Thread(target=handle, args=(client,), daemon=True).start()
