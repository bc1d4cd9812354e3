"""test_objects.py PRINT_OBJECTS - our table of LINE's message objects against LINE's own description: the same
kinds, the same properties with the same types and words, nothing required less than LINE requires, no limit
wider than the one that LINE writes down. Exit code 77: nothing to hold it against.

The description knows fewer limits and fewer required properties than LINE has (FACTS 15.6): the table may be
narrower, never wider."""

import os
import subprocess
import sys

import yaml

import line_schema

# Our families, and what they are in the description: a base with kinds, or a schema by itself.
FAMILIES = {
    "message": "Message", "quick reply": "QuickReply", "quick reply item": "QuickReplyItem",
    "sender": "Sender", "emoji": "Emoji", "substitution": "SubstitutionObject",
    "mentionee": "MentionTarget", "quick reply action": "Action", "template action": "Action",
    "default action": "Action", "image action": "Action", "button action": "Action",
    "flex action": "Action", "menu action": "Action", "other uri": "AltUri",
    "base size": "ImagemapBaseSize", "area": "ImagemapArea", "imagemap action": "ImagemapAction",
    "imagemap video": "ImagemapVideo", "external link": "ImagemapExternalLink",
    "template": "Template", "carousel column": "CarouselColumn", "image column": "ImageCarouselColumn",
    "flex container": "FlexContainer", "flex bubble": "FlexContainer",
    "bubble styles": "FlexBubbleStyles", "block style": "FlexBlockStyle",
    "flex box": "FlexComponent", "flex component": "FlexComponent", "flex span": "FlexComponent",
    "flex background": "FlexBoxBackground",
}
# Families that hold every kind of their base; the others are for places that take only some.
WHOLE = {"message", "substitution", "mentionee", "imagemap action", "template", "flex container",
         "flex component", "flex background"}


def parts_of(schema, schemas):
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    yield schema
    for part in schema.get("allOf", []):
        yield from parts_of(part, schemas)


def described(schema, schemas):
    """(properties, required) of a schema with all its parts."""
    properties, required = {}, set()
    for part in parts_of(schema, schemas):
        properties.update(part.get("properties", {}))
        required.update(part.get("required", []))
    return properties, required


def type_of(value, schemas):
    if "$ref" in value:
        value = schemas[value["$ref"].rsplit("/", 1)[1]]
    if isinstance(value.get("additionalProperties"), dict):
        return "map"
    return value.get("type", "object")


def compare_property(row, value, schemas):
    name, kind, _, most, of = row
    if type_of(value, schemas) != kind:
        yield "'%s' is %s to LINE and %s to us" % (name, type_of(value, schemas), kind)
    words = value.get("enum")
    if words and sorted(of.split("|")) != sorted(words):
        yield "'%s' is one of %s to LINE and of %s to us" % (name, words, of)
    limit = value.get("maxLength", value.get("maxItems"))
    if limit is not None and (most == 0 or most > limit):
        yield "'%s' is limited to %d by LINE and to %d by us" % (name, limit, most)


def compare_kind(rows, schema, schemas):
    properties, required = described(schema, schemas)
    ours = {row[0]: row for row in rows}
    for name in sorted(set(properties) - set(ours) - {"type"}):
        yield "LINE has '%s', we do not" % name
    for name in sorted(set(ours) - set(properties)):
        yield "we have '%s', LINE does not" % name
    for name in sorted(set(ours) & set(properties)):
        yield from compare_property(ours[name], properties[name], schemas)
        if name in required and ours[name][2] != "1":
            yield "LINE requires '%s', we do not" % name


def read_table(program):
    table = {}
    for line in subprocess.run([program], capture_output=True, text=True,
                               check=True).stdout.splitlines():
        family, kind, name, value, required, most, of = line.split("\t")
        rows = table.setdefault(family, {}).setdefault(kind, [])
        if name:
            rows.append((name, value, required, int(most), of))
    return table


def compare(table, schemas):
    for family, kinds in table.items():
        base = schemas[FAMILIES[family]]
        mapping = base.get("discriminator", {}).get("mapping", {})
        for kind, rows in kinds.items():
            if mapping and kind not in mapping:
                yield "%s: LINE has no '%s'" % (family, kind)
                continue
            schema = {"$ref": mapping[kind]} if mapping else base
            for problem in compare_kind(rows, schema, schemas):
                yield "%s '%s': %s" % (family, kind, problem)
        if family in WHOLE:
            for kind in sorted(set(mapping) - set(kinds)):
                yield "%s: LINE has '%s', we do not" % (family, kind)


def main():
    path = line_schema.folder()
    if path is None:
        print("skipped: LINE's description is not here")
        return 77
    with open(os.path.join(path, "messaging-api.yml"), encoding="utf-8") as file:
        schemas = yaml.safe_load(file)["components"]["schemas"]
    table = read_table(sys.argv[1])
    problems = list(compare(table, schemas))
    count = sum(len(kinds) for kinds in table.values())
    print("\n".join(problems + ["%d kinds held against LINE's, %d problems" % (count, len(problems))]))
    return 1 if problems or set(table) != set(FAMILIES) else 0


if __name__ == "__main__":
    sys.exit(main())
