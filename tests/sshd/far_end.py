#!/usr/bin/env python3
"""The data server at the far end of a chain: far_end.py ADDRESS PORT [--silent]

Each connection begins with one line of JSON: {"do": get|put|both|half, "bytes": N, "seed": S}.
  get   sends N bytes and their SHA-256
  put   reads N bytes, answers with their SHA-256
  both  does both at once
  half  reads until the client shuts down writing, answers with the SHA-256 of all that, then N bytes
With --silent it accepts and never says a word.
"""
import hashlib
import json
import random
import socket
import sys
import threading

PIECE = 65536


def pattern(seed, total):
    """Bytes that depend on the seed and on their place, so that lost or swapped ones show."""
    block = random.Random(seed).randbytes(PIECE)
    for number, start in enumerate(range(0, total, PIECE)):
        piece = number.to_bytes(8, "big") + block[8:]
        yield piece[: min(PIECE, total - start)]


def send_pattern(sock, seed, total):
    digest = hashlib.sha256()
    for piece in pattern(seed, total):
        digest.update(piece)
        sock.sendall(piece)
    return digest.hexdigest().encode()


def receive(sock, total, early=b"", seen=None):
    """Reads exactly `total` bytes, or until the end when that is None. Returns digest and count."""
    digest, count = hashlib.sha256(early), len(early)
    while total is None or count < total:
        data = sock.recv(PIECE if total is None else min(PIECE, total - count))
        if not data:
            break
        digest.update(data)
        count += len(data)
        if seen:
            seen(count)
    return digest.hexdigest().encode(), count


def serve(sock):
    try:
        line = b""
        while not line.endswith(b"\n"):
            byte = sock.recv(1)
            if not byte:
                return
            line += byte
        ask = json.loads(line)
        total, seed = ask["bytes"], ask["seed"]
        if ask["do"] == "get":
            sock.sendall(send_pattern(sock, seed, total))
        elif ask["do"] == "put":
            sock.sendall(receive(sock, total)[0])
        elif ask["do"] == "both":
            got = []
            reader = threading.Thread(target=lambda: got.append(receive(sock, total)[0]), daemon=True)
            reader.start()
            sock.sendall(send_pattern(sock, seed, total))
            reader.join()
            sock.sendall(got[0])
        elif ask["do"] == "half":
            sock.sendall(receive(sock, None)[0])
            send_pattern(sock, seed, total)
    except OSError as problem:
        print(f"stream ended: {problem}", flush=True)
    finally:
        sock.close()


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    silent = "--silent" in sys.argv[3:]
    listener = socket.create_server((address, port), backlog=512)
    held = []
    while True:
        sock, _ = listener.accept()
        if silent:
            held.append(sock)
            continue
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


if __name__ == "__main__":
    main()
