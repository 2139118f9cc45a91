#!/usr/bin/env python3
"""Carries bytes for the benchmark as fast as it can, and counts them.

flow.py sink PORT               accepts; the first byte says u (read all) or d (send until told to stop) or p (answer)
flow.py up|down PORT SECONDS    one stream through 127.0.0.1:PORT; prints bytes per second of the middle stretch
flow.py take PORT BYTES         one stream; prints the seconds until it has so many bytes
flow.py stall PORT COUNT        so many streams that ask, read a little and then nothing; says so, and waits
flow.py answers PORT            says that it is ready, then waits until the far end answers
"""
import socket
import sys
import threading
import time

PIECE = bytes(262144)


def serve(sock):
    with sock:
        try:
            kind = sock.recv(1)
            if kind == b"p":
                sock.sendall(b"p")
            while kind == b"u" and sock.recv(262144):
                pass
            while kind == b"d":
                sock.sendall(PIECE)
        except OSError:
            pass


def sink(port):
    listener = socket.create_server(("127.0.0.1", port), backlog=64)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


def carry(kind, port, seconds):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(b"u" if kind == "up" else b"d")
        view, count = bytearray(262144), 0
        begun, warm = time.monotonic(), None
        while (now := time.monotonic()) < begun + seconds + 0.5:
            if warm is None and now > begun + 0.5:
                warm = (now, count)
            count += sock.send(PIECE) if kind == "up" else sock.recv_into(view)
        print(count, (count - warm[1]) / (now - warm[0]))


def take(port, count):
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.sendall(b"d")
        view = bytearray(262144)
        while count > 0:
            n = sock.recv_into(view)
            if not n:
                sys.exit("cut short")
            count -= n
    print(time.monotonic() - begun)


def stall(port, count):
    held = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(count)]
    for sock in held:
        sock.sendall(b"d")
    for sock in held:
        sock.recv(65536)
    print("stalled", flush=True)
    threading.Event().wait()


def answers(port):
    print("ready", flush=True)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
                sock.sendall(b"p")
                if sock.recv(1) == b"p":
                    return
        except OSError:
            pass
        time.sleep(0.002)
    sys.exit("no answer")


if __name__ == "__main__":
    verb, door = sys.argv[1], int(sys.argv[2])
    if verb == "sink":
        sink(door)
    elif verb == "answers":
        answers(door)
    elif verb == "take":
        take(door, int(sys.argv[3]))
    elif verb == "stall":
        stall(door, int(sys.argv[3]))
    else:
        carry(verb, door, float(sys.argv[3]))
