"""Asks the server of `peer-server.py` to run a source, with the output and the status of this process.

Arguments: the path of the server's socket, the number of its process, the source, and its arguments.
"""
import json
import os
import socket
import sys
import time

path, server, source, *args = sys.argv[1:]
connection = socket.socket(socket.AF_UNIX)
while True:
    try:
        connection.connect(path)
        break
    except OSError:
        os.kill(int(server), 0)  # Throws once the server has ended.
        time.sleep(0.02)
request = json.dumps({"source": source, "args": args, "folder": os.getcwd()}).encode() + b"\n"
sent = socket.send_fds(connection, [request], [1, 2])
connection.sendall(request[sent:])
status = connection.recv(16)
sys.exit(int(status) if status else "The server of Python ended in the middle of the source.")
