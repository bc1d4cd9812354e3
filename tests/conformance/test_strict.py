"""The judge refuses what LINE would refuse, and takes what LINE takes. Exit code 77: nothing to judge by."""

import sys

import judge
import line_schema

TO = "U" + "0" * 32
KEY = "123e4567-e89b-12d3-a456-426655440000"
TEXT = {"type": "text", "text": "こんにちは"}


def push(*messages, **more):
    return {"method": "POST", "path": "/v2/bot/message/push", "retry_key": KEY, "status": 200,
            "body": {"to": TO, "messages": list(messages), **more}, "answer": None}


def changed(exchange, **more):
    return {**exchange, **more}


GOOD = {
    "a text": push(TEXT),
    "quick replies": push({**TEXT, "quickReply": {"items": [
        {"type": "action", "action": {"type": "postback", "label": "はい", "data": "q:yes"}}]}}),
    "a flex bubble": push({"type": "flex", "altText": "x", "contents": {
        "type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [
            {"type": "text", "text": "x"}]}}}),
    "a picture": push({"type": "image", "originalContentUrl": "https://example.jp/a.jpg",
                       "previewImageUrl": "https://example.jp/b.jpg"}),
    "an answer": changed(push(TEXT), answer={"sentMessages": [{"id": "1", "quoteToken": "q"}]}),
}
BAD = {
    "six messages": push(*[TEXT] * 6),
    "no message": push(),
    "a kind that LINE does not have": push({"type": "shout", "text": "x"}),
    "a property of another kind": push({**TEXT, "altText": "x"}),
    "a text without text": push({"type": "text"}),
    "a number for a text": push({"type": "text", "text": 5}),
    "an unknown property beside the messages": push(TEXT, urgent=True),
    "an action of no kind": push({**TEXT, "quickReply": {"items": [
        {"type": "action", "action": {"type": "wink", "label": "x"}}]}}),
    "an unknown property deep in a bubble": push({"type": "flex", "altText": "x", "contents": {
        "type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [
            {"type": "text", "text": "x", "shout": True}]}}}),
    "a path that LINE does not have": changed(push(TEXT), path="/v2/bot/message/shove"),
    "a push that could never be repeated": changed(push(TEXT), retry_key=None),
    "a key that is none": changed(push(TEXT), retry_key="1"),
    "a key on a reply": {"method": "POST", "path": "/v2/bot/message/reply", "retry_key": KEY,
                         "status": 200, "body": {"replyToken": "t", "messages": [TEXT]},
                         "answer": None},
    "an answer of another shape": changed(push(TEXT), answer={"sentMessages": [{"id": 1}]}),
}


def main():
    path = line_schema.folder()
    if path is None:
        print("skipped: LINE's description is not here")
        return 77
    description = line_schema.Description(path)
    wrong = ["refused %s: %s" % (name, problems) for name, exchange in GOOD.items()
             if (problems := judge.problems_of(description, exchange))]
    wrong += ["let %s pass" % name for name, exchange in BAD.items()
              if not judge.problems_of(description, exchange)]
    print("\n".join(wrong + ["%d passed, %d failed" % (len(GOOD) + len(BAD) - len(wrong),
                                                       len(wrong))]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
