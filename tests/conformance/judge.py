"""judge.py FOLDER - every request recorded there (*.jsonl, tools/common/exchange.h) against LINE's own
description, and every answer that fakeline gave. Exit code 1: one does not conform; 77: nothing to judge by."""

import glob
import json
import os
import re
import sys

import line_schema

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.IGNORECASE)
TAKES_KEY = {"pushMessage", "multicast", "broadcast", "narrowcast"}  # FACTS 2.3


def problems_of(description, exchange):
    found = description.find(exchange["method"], exchange["path"])
    if found is None:
        return ["LINE has no %(method)s %(path)s" % exchange]
    _, _, operation, schemas = found
    problems = []
    if "requestBody" in operation:
        problems += description.check("request", operation, schemas,
                                      operation["requestBody"]["content"], exchange["body"])
    elif exchange["body"] is not None:
        problems.append("takes no body")
    key = exchange["retry_key"]
    if key is not None and operation["operationId"] not in TAKES_KEY:
        problems.append("LINE refuses a retry key here")
    if key is not None and not UUID.match(key):
        problems.append("the retry key is no UUID")
    if key is None and operation["operationId"] in TAKES_KEY:
        problems.append("no retry key: it could never be repeated")
    answer = operation.get("responses", {}).get(str(exchange["status"]))
    if answer is not None and exchange["answer"] is not None:
        problems += ["answer: " + text for text in description.check(
            "answer %d" % exchange["status"], operation, schemas, answer.get("content", {}),
            exchange["answer"])]
    return problems


def shape_of(exchange):
    """What is judged of an exchange; texts alone do not make it another."""
    return json.dumps([exchange["method"], exchange["path"], exchange["status"],
                       exchange["body"], exchange["answer"]], sort_keys=True)


def main():
    path = line_schema.folder()
    files = sorted(glob.glob(os.path.join(sys.argv[1], "*.jsonl")))
    if path is None or not files:
        print("skipped: " + ("LINE's description is not here" if path is None
                             else "nothing was recorded in " + sys.argv[1]))
        return 77
    description = line_schema.Description(path)
    seen, count, bad, operations = set(), 0, 0, {}
    for name in files:
        with open(name, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith("\n"):
                    break  # fakeline was killed while it wrote
                exchange = json.loads(line)
                count += 1
                shape = shape_of(exchange)
                if shape in seen:
                    continue
                seen.add(shape)
                operations.setdefault(exchange["method"] + " " + exchange["path"], 0)
                for problem in problems_of(description, exchange):
                    bad += 1
                    if bad <= 20:
                        print("%s:%d: %s %s: %s" % (os.path.basename(name), number,
                                                    exchange["method"], exchange["path"], problem))
    print("%d exchanges in %d files, %d different, %d problems" % (
        count, len(files), len(seen), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
