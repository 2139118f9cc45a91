#!/usr/bin/env python3
"""The load at the near end of a chain: near_end.py ADDRESS PORT JOBS

JOBS is JSON: [{"do": get|put|both|half|stall|pause|hold|later|connect, "bytes": N, "count": K}, …]; all run at the same time.
Prints one line of JSON for each stream, {"do", "end", "sent", "received", "seconds"}, where end is
  ok        every byte arrived, both digests agree, and the stream ended cleanly after it
  short     a clean end of stream before all of it had come
  reset     the connection was reset
  mismatch  a digest differs
  silent    nothing moved for the time limit
  refused   nobody listens
A stream that is told to `stall` asks like `get`, reads 256 KiB and then nothing more until it is killed.
One that is told to `pause` reads on after PAUSE, and then says {"resumed": number of the stream}.
One that is told to `hold` reads on after SIGUSR1.
One that is told to do it `later` asks, in a thousand bytes, to `put`, and sends the first byte after SIGUSR1.
And, once a stream has received its first 256 KiB, {"flowing": number of the stream}.
"""
import json
import signal
import socket
import sys
import threading
import time

from far_end import receive, send_pattern

QUIET = 45.0
# Longer than any patience that hopper or the kernel has with a silent peer by default.
PAUSE = 30.0
printing = threading.Lock()
go = threading.Event()


def say(**facts):
    with printing:
        print(json.dumps(facts), flush=True)


def exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            break
        data += more
    return data


def transfer(sock, job, number, tally):
    do, total, seed = job["do"], job["bytes"], number + 1
    shown = []

    def seen(count):
        tally["received"] = count
        if count >= 262144 and not shown:
            shown.append(True)
            say(flowing=number)

    ask = {"stall": "get", "pause": "get", "hold": "get", "later": "put"}.get(do, do)
    line = json.dumps({"do": ask, "bytes": total, "seed": seed}).encode()
    sock.sendall((line.ljust(999) if do == "later" else line) + b"\n")
    if do == "later":
        go.wait()
    if do == "stall":
        receive(sock, 262144, seen=seen)
        threading.Event().wait()
    if do in ("put", "later", "half"):
        mine = send_pattern(sock, seed, total)
        tally["sent"] = total
        if do == "half":
            sock.shutdown(socket.SHUT_WR)
        theirs = exactly(sock, 64)
        if len(theirs) < 64:
            return "short"
        if do == "half":
            _, count = receive(sock, total, seen=seen)
            if count < total:
                return "short"
        good = mine == theirs
    else:
        sent, broken, paused = [], [], []

        def pause_once(count):
            seen(count)
            if do == "pause" and count >= 262144 and not paused:
                paused.append(True)
                time.sleep(PAUSE)
                say(resumed=number)
            if do == "hold" and count >= 262144 and not paused:
                paused.append(True)
                go.wait()

        def write():
            try:
                sent.append(send_pattern(sock, seed, total))
            except (ConnectionResetError, BrokenPipeError) as reset:
                broken.append(reset)

        if do == "both":
            writer = threading.Thread(target=write, daemon=True)
            writer.start()
        mine, count = receive(sock, total, seen=pause_once)
        theirs = exactly(sock, 64)
        if count < total or len(theirs) < 64:
            # The system tells a reset once: to the writer, if it asks first. The reader then sees an end.
            if do == "both":
                writer.join()
            if broken:
                raise broken[0]
            return "short"
        good = mine == theirs
        if do == "both":
            writer.join()
            if broken:
                raise broken[0]
            tally["sent"] = total
            good = good and exactly(sock, 64) == sent[0]
    if not good or sock.recv(1):
        return "mismatch"
    return "ok"


def run(address, port, job, number):
    tally = {"sent": 0, "received": 0}
    begun = time.monotonic()
    try:
        quiet = 1.5 if job["do"] == "connect" else QUIET
        with socket.create_connection((address, port), timeout=quiet) as sock:
            end = "ok" if job["do"] == "connect" else transfer(sock, job, number, tally)
    except (ConnectionResetError, BrokenPipeError):
        end = "reset"
    except ConnectionRefusedError:
        end = "refused"
    except TimeoutError:
        end = "silent"
    except OSError as problem:
        end = str(problem)
    say(do=job["do"], end=end, seconds=round(time.monotonic() - begun, 3), **tally)


def main():
    signal.signal(signal.SIGUSR1, lambda *_: go.set())
    address, port, jobs = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    each = [job for job in jobs for _ in range(job.get("count", 1))]
    threads = [
        threading.Thread(target=run, args=(address, port, job, number)) for number, job in enumerate(each)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
