"""LINE's published OpenAPI description as JSON Schemas that refuse what LINE would refuse.

The description leaves a message open: `Message` says only that there is a `type`, and names its kinds in a
discriminator. Here a discriminator becomes "one of its kinds, by that name", and an object knows no
properties but those that its parts name. Where a schema is nullable, null is allowed.
"""

import os
import re

import jsonschema
import yaml

METHODS = ("get", "put", "post", "delete")


def folder():
    """Where the description lies, or None: it is LINE's, so it is not kept with the tests."""
    shared = os.environ.get("STEPD_SHARED") or os.path.join(
        os.path.dirname(__file__), "..", "..", "..", "shared")
    path = os.path.join(shared, "line", "openapi")
    return path if os.path.isdir(path) else None


class Description:
    """All operations of the files given, each with the schema of its request and of its answers."""

    def __init__(self, path):
        self.operations = []  # (method, pattern of the path, operation, components)
        self.validators = {}
        for name in sorted(os.listdir(path)):
            if name.endswith(".yml") and name != "webhook.yml":
                with open(os.path.join(path, name), encoding="utf-8") as file:
                    self.add(yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))

    def add(self, document):
        schemas = document.get("components", {}).get("schemas", {})
        for path, item in document.get("paths", {}).items():
            pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path.replace(".", r"\.")) + "$")
            for method in METHODS:
                if method in item:
                    self.operations.append((method.upper(), pattern, item[method], schemas))

    def find(self, method, path):
        """Fixed paths before those with a parameter, as servers do."""
        found = [row for row in self.operations
                 if row[0] == method and row[1].match(path.split("?")[0])]
        return min(found, key=lambda row: row[1].pattern.count("[^/]+"), default=None)

    def check(self, kind, operation, schemas, content, value):
        """The problems of one body, as sentences."""
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            return []
        key = (kind, operation["operationId"])
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator(
                strict(schema, schemas), format_checker=jsonschema.FormatChecker())
        return ["%s: %s" % ("/".join(map(str, error.absolute_path)) or "(body)", error.message)
                for error in self.validators[key].iter_errors(value)]


def strict(schema, schemas, place="$defs", definitions=None):
    """The schema by itself: its references become definitions at `place`, each strict."""
    inside = definitions is None
    definitions = {} if inside else definitions

    def name_of(reference):
        return reference.rsplit("/", 1)[1]

    def reference_to(reference):
        name = name_of(reference)
        if name not in definitions:
            definitions[name] = None  # so that a schema that holds itself ends
            definitions[name] = closed(schemas[name])
        return {"$ref": "#/" + place + "/" + name}

    def parts_of(schema):
        """A schema and all it is made of by allOf, references followed."""
        if "$ref" in schema:
            schema = schemas[name_of(schema["$ref"])]
        yield schema
        for part in schema.get("allOf", []):
            yield from parts_of(part)

    def closed(schema):
        if "$ref" in schema:
            return reference_to(schema["$ref"])
        mapping = schema.get("discriminator", {}).get("mapping")
        if mapping:
            return by_kind(schema["discriminator"]["propertyName"], mapping)
        return plain(schema)

    def by_kind(name, mapping):
        return {
            "type": "object", "required": [name], "properties": {name: {"enum": sorted(mapping)}},
            "allOf": [{"if": {"properties": {name: {"const": kind}}, "required": [name]},
                       "then": of_kind(reference)} for kind, reference in sorted(mapping.items())]}

    def of_kind(reference):
        name = "kind." + name_of(reference)
        if name not in definitions:
            definitions[name] = None
            definitions[name] = plain(schemas[name_of(reference)])
        return {"$ref": "#/" + place + "/" + name}

    def plain(schema):
        """Without discriminator: the parts of an object are laid together, so that it can be closed."""
        out = {}
        properties, required, nullable = {}, set(), False
        for part in parts_of(schema):
            for word in ("type", "enum", "format", "pattern", "minimum", "maximum", "minLength",
                         "maxLength", "minItems", "maxItems", "uniqueItems"):
                if word in part:
                    out[word] = part[word]
            if "items" in part:
                out["items"] = closed(part["items"])
            if isinstance(part.get("additionalProperties"), dict):
                out["additionalProperties"] = closed(part["additionalProperties"])
            for name, value in part.get("properties", {}).items():
                properties[name] = closed(value)
            required.update(part.get("required", []))
            nullable = nullable or part.get("nullable", False)
        if properties:
            out["properties"] = properties
            out.setdefault("additionalProperties", False)
        if required:
            out["required"] = sorted(required)
        if nullable:
            return {"anyOf": [out, {"type": "null"}]}
        return out

    root = closed(schema)
    return {**root, place: definitions} if inside else root


def strict_document(document):
    """The same description, strict, for tools that read OpenAPI; 3.1 is the first that knows `if`."""
    schemas = document["components"]["schemas"]
    definitions = {}

    def closed(content):
        return {kind: {"schema": strict(value["schema"], schemas, "components/schemas", definitions)}
                for kind, value in content.items() if "schema" in value}

    paths = {}
    for path, item in document["paths"].items():
        paths[path] = {}
        for method in METHODS:
            if method not in item:
                continue
            operation = {name: item[method][name] for name in ("operationId", "parameters")
                         if name in item[method]}
            if "requestBody" in item[method]:
                operation["requestBody"] = {"required": True, "content": closed(
                    item[method]["requestBody"]["content"])}
            operation["responses"] = {
                status: {"description": "", "content": closed(answer.get("content", {}))}
                for status, answer in item[method]["responses"].items()}
            paths[path][method] = operation
    return {"openapi": "3.1.0", "info": document["info"], "servers": document["servers"],
            "paths": paths, "components": {"schemas": definitions}}
