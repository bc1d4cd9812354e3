"""mock.py PRISM FOLDER - the requests recorded in FOLDER, sent to a mock server that knows LINE's
description and nothing of stepd. Says which it refuses; exit code 1 when there is one.

The description it is given is made strict about kinds of messages first (line_schema.py); how it reads and
judges it is its own. That it can refuse is shown first, by the bodies that test_strict.py holds wrong."""

import glob
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import yaml

import judge
import line_schema
import test_strict

READY_TRIES = 600


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


PORT = free_port()


def send(exchange):
    """The status of one exchange's request, and what was said of it."""
    body = None if exchange["body"] is None else json.dumps(exchange["body"]).encode()
    headers = {"Authorization": "Bearer conformance", "Content-Type": "application/json"}
    if exchange["retry_key"] is not None:
        headers["X-Line-Retry-Key"] = exchange["retry_key"]
    request = urllib.request.Request("http://127.0.0.1:%d%s" % (PORT, exchange["path"]), body,
                                     headers, method=exchange["method"])
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


def recorded(folder):
    """Each different request once."""
    different = {}
    for name in sorted(glob.glob(os.path.join(folder, "*.jsonl"))):
        with open(name, encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    exchange = json.loads(line)
                    different.setdefault(judge.shape_of({**exchange, "status": 0, "answer": None}),
                                         exchange)
    return list(different.values())


def wait_until_ready(server):
    for _ in range(READY_TRIES):
        if server.poll() is not None:
            sys.exit("the mock server ended: see its words above")
        try:
            send({"method": "GET", "path": "/v2/bot/info", "body": None, "retry_key": None})
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("the mock server does not answer")


def compare():
    exchanges, bad = recorded(sys.argv[2]), 0
    for name, exchange in test_strict.BAD.items():
        if "key" not in name and "repeated" not in name and "answer" not in name:
            if send(exchange)[0] < 400:
                bad += 1
                print("the mock server let %s pass, so its word is worth nothing" % name)
    for exchange in exchanges:
        status, said = send(exchange)
        if status >= 400:
            bad += 1
            print("%s %s: %d %s\n  %s" % (exchange["method"], exchange["path"], status,
                                         said[:400], json.dumps(exchange["body"])[:400]))
    print("%d different requests, %d refused" % (len(exchanges), bad))
    return 1 if bad or not exchanges else 0


def main():
    path = line_schema.folder()
    if path is None:
        print("skipped: LINE's description is not here")
        return 77
    with open(os.path.join(path, "messaging-api.yml"), encoding="utf-8") as file:
        document = line_schema.strict_document(yaml.safe_load(file))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        with tempfile.TemporaryFile() as words:
            server = subprocess.Popen(
                [sys.argv[1], "mock", "--errors", "--verboseLevel", "error", "-p", str(PORT),
                 file.name], stdout=words, stderr=subprocess.STDOUT)
            try:
                wait_until_ready(server)
                return compare()
            finally:
                server.terminate()
                server.wait()


if __name__ == "__main__":
    sys.exit(main())
