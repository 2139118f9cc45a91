#!/usr/bin/env python3
"""hopper beside `ssh -J` over the same hosts in the same run; see tests/bench/run."""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

from bed import Bed, cost, must, wait_for

HERE = pathlib.Path(__file__).parent
FLOW = HERE / "flow.py"
FAR, NEAR = 7000, 7001
GCM = "aes256-gcm@openssh.com"


class Ssh:
    """One `ssh -J … -L …`, its ciphers set in a config file: on the command line they miss the jumps."""

    program = "ssh"

    def __init__(self, bed, cipher):
        self.bed, self.cipher = bed, cipher
        home = bed.folder / "home" / ".ssh"
        self.config = bed.folder / "ssh_config"
        ciphers = f"  Ciphers {cipher}\n" if cipher else ""
        self.config.write_text(
            f"Host *\n  User root\n  IdentityFile {home}/id_ed25519\n  UserKnownHostsFile {home}/known_hosts\n"
            f"  StrictHostKeyChecking yes\n  ExitOnForwardFailure yes\n  LogLevel ERROR\n{ciphers}"
        )

    def start(self):
        jumps = ",".join(self.bed.name(host) for host in range(1, self.bed.last))
        words = ["ssh", "-F", self.config, "-N", "-L", f"127.0.0.1:{NEAR}:127.0.0.1:{FAR}"]
        words += ["-J", jumps] if jumps else []
        self.child = self.bed.start(0, *words, self.bed.name(self.bed.last))

    def said(self):
        return (self.bed.folder / "noise.log").read_text()[-2000:]

    def stop(self):
        self.child.terminate()
        self.child.wait()
        wait_for("ssh gone", lambda: not self.bed.local_processes("ssh"))


class Hopper:
    """`hopper up` in the foreground, with its own choice of cipher."""

    program = "hopper"

    def __init__(self, bed, binary, carrier="channel"):
        self.bed, self.binary, self.carrier = bed, binary, carrier
        ids = [f"h{host}" for host in range(1, bed.last + 1)]
        hosts = {f"h{host}": {"address": bed.name(host), "user": "root"} for host in range(1, bed.last + 1)}
        forward = {"listen": NEAR, "to": f"{ids[-1]}/127.0.0.1:{FAR}"}
        text = {"hopper": 1, "name": "bench", "hosts": hosts, "links": ["local -> " + " -> ".join(ids)],
                "forwards": {"flow": forward}}
        self.file = bed.folder / "bench.json"
        self.file.write_text(json.dumps(text))

    def start(self):
        home = self.bed.folder
        env = {"PATH": os.environ["PATH"], "HOME": f"{home}/home", "USER": "root", "XDG_RUNTIME_DIR": f"{home}/run",
               "XDG_STATE_HOME": f"{home}/state"}
        words = [self.binary, "up", self.file, "--carrier", self.carrier, "--progress", "plain", "-v"]
        self.child = self.bed.start(0, *words, log="hopper.log", env=env)

    def said(self):
        return (self.bed.folder / "hopper.log").read_text()[-2000:]

    def stop(self):
        self.child.terminate()
        self.child.wait()
        wait_for("hopper gone", lambda: not self.bed.local_processes("hopper"))


def flow(bed, *words):
    done = subprocess.run(bed.on(0, sys.executable, FLOW, *words), capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stderr.strip()}")
    return done.stdout.split()


def measure(bed, client, seconds):
    """One round of one client: every figure of the table."""
    words = bed.on(0, sys.executable, FLOW, "answers", NEAR)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as asker:
        asker.stdout.readline()
        begun = time.monotonic()
        client.start()
        status = asker.wait()
        figures = {"answers": (time.monotonic() - begun) * 1000}
    try:
        if status:
            raise RuntimeError(f"{client.program} does not come up; see its log: {client.said()}")
        for kind in ("up", "down"):
            pids = bed.local_processes(client.program)
            before, _ = cost(pids)
            count, rate = map(float, flow(bed, kind, NEAR, seconds))
            after, resident = cost(pids)
            figures |= {kind: rate / 1e6, f"{kind} cpu": (after - before) / (count / 1e9)}
        figures["rss"] = resident
        return figures
    finally:
        client.stop()


COLUMNS = [("answers", "answers after, ms", 0), ("up", "up MB/s", 0), ("up cpu", "CPU s/GB up", 2),
           ("down", "down MB/s", 0), ("down cpu", "CPU s/GB down", 2), ("rss", "RSS MB", 1)]


def shown(rounds, name, digits):
    values = [figures[name] for figures in rounds]
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def named(label, bed):
    """The label with the cipher hopper says it uses, so that no ratio stands without one."""
    log = bed.folder / "hopper.log"
    if not label.startswith("hopper") or not log.exists():
        return label
    ciphers = sorted(set(re.findall(r"aes\d+-(?:gcm|ctr)|chacha20-poly1305", log.read_text())))
    return f"{label}, {' and '.join(ciphers) or 'cipher not told'}"


def compare(bed, contenders, repeats, seconds):
    """Interleaved rounds, the first of each thrown away; a row of medians with their range for each."""
    rounds = {label: [] for label, _ in contenders}
    for number in range(repeats + 1):
        for label, make in contenders:
            figures = measure(bed, make(), seconds if number else 0.5)
            if number:
                rounds[label].append(figures)
            print(f"{bed.last} hops, round {number}, {label}: {figures}", file=sys.stderr)
    for label, results in rounds.items():
        cells = [shown(results, name, digits) for name, _, digits in COLUMNS]
        print(f"| {bed.last} | {named(label, bed)} | " + " | ".join(cells) + " |", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("binary")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--seconds", type=float, default=4)
    options.add_argument("--hops", default="1,4")
    options.add_argument("--only-ssh", action="store_true", help="leave hopper out, to try the bench itself")
    asked = options.parse_args()
    binary = pathlib.Path(asked.binary).resolve()
    version = subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr.strip()
    header = False
    for hops in map(int, asked.hops.split(",")):
        with Bed(hops) as bed:
            if not header:
                print(f"{version}; {os.cpu_count()} cores shared by clients, servers and load; congestion control "
                      f"{bed.congestion()}; median of {asked.repeats} interleaved rounds (lowest-highest)\n")
                print("| hops | client, cipher | " + " | ".join(title for _, title, _ in COLUMNS) + " |")
                print("|---" * (len(COLUMNS) + 2) + "|")
                header = True
            bed.start(hops, sys.executable, FLOW, "sink", FAR)
            wait_for("the sink", lambda: bed.listens(hops, FAR))
            contenders = [
                (f"`ssh -J`, {GCM}", lambda: Ssh(bed, GCM)),
                ("`ssh -J`, its default", lambda: Ssh(bed, None)),
            ]
            if not asked.only_ssh:
                contenders += [
                    ("hopper, channel", lambda: Hopper(bed, binary)),
                    ("hopper, port", lambda: Hopper(bed, binary, "port")),
                ]
            compare(bed, contenders, asked.repeats, asked.seconds)


if __name__ == "__main__":
    main()
