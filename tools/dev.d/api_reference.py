# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes a reference page out of the comments in proto files.

usage: api_reference.py api|configuration

Reads a FileDescriptorSet with source info as JSON (`buf build -o -#format=json`)
on stdin; prints docs/api.md (everything but lifesign.config) or
docs/configuration.md (only that). Needs nothing but Python's standard library.
"""

import json
import re
import sys

# Numbers of fields in descriptor.proto: how source info points at things.
FILE_MESSAGE, FILE_ENUM, FILE_SERVICE, FILE_SYNTAX = 4, 5, 6, 12
MESSAGE_FIELD, MESSAGE_NESTED, MESSAGE_ENUM, MESSAGE_ONEOF = 2, 3, 4, 8
ENUM_VALUE, SERVICE_METHOD = 2, 2

# The option of a field of the configuration that says its default and bounds.
SETTING = "[lifesign.config.v1.setting]"

HEADERS = {
    "api": """\
# API reference

Made of the comments in `proto/` by `./dev fix`; do not edit. What the words
mean stands in [concepts.md](concepts.md).
""",
    "configuration": """\
# Configuration reference

Made of the comments in `proto/lifesign/config/` by `./dev fix`; do not edit.
`lifesignd --help` says the same.
""",
}


def anchor(title):
    """The fragment that GitHub gives a heading."""
    return re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-")


def examples_as_code(comment):
    """Paragraphs of which every line is indented are code in Markdown, too."""
    paragraphs = comment.split("\n\n")
    for i, paragraph in enumerate(paragraphs):
        lines = paragraph.split("\n")
        if all(line.startswith("  ") for line in lines):
            paragraphs[i] = "\n".join("  " + line for line in lines)
    return "\n\n".join(paragraphs)


def scalar(name):
    return name.removeprefix("TYPE_").lower()


class File:
    """One proto file: its comments by path, and its Markdown."""

    def __init__(self, descriptor, known):
        self.descriptor = descriptor
        self.known = known
        self.comments = {}
        for location in descriptor.get("sourceCodeInfo", {}).get("location", []):
            text = location.get("leadingComments") or location.get(
                "trailingComments", "")
            if text:
                self.comments[tuple(location.get("path", []))] = text

    def comment(self, path, indent=""):
        lines = [line.removeprefix(" ").rstrip()
                 for line in self.comments.get(path, "").strip("\n").split("\n")]
        return "\n".join((indent + line) if line else "" for line in lines)

    def link(self, type_name):
        """A type as readers see it, linked when this page describes it."""
        full = type_name.removeprefix(".")
        short = full.removeprefix(self.descriptor["package"] + ".")
        if full in self.known:
            return f"[`{short}`](#{anchor(self.known[full])})"
        return f"`{short}`"

    def field_type(self, field, maps):
        name = field.get("typeName")
        entry = maps.get(name)
        if entry:
            key, value = (self.field_type(f, maps) for f in entry["field"])
            return f"map of {key} to {value}"
        shown = self.link(name) if name else f"`{scalar(field['type'])}`"
        if field.get("label") == "LABEL_REPEATED":
            return f"repeated {shown}"
        if field.get("proto3Optional"):
            return f"optional {shown}"
        return shown

    def field_line(self, field, maps):
        setting = field.get("options", {}).get(SETTING)
        if setting is None:
            return (f"`{field['name']}` = {field['number']}: "
                    f"{self.field_type(field, maps)}")
        kind = ("duration" if setting.get("duration")
                else self.field_type(field, maps).removeprefix("optional "))
        words = [f"`{field['name']}`: {kind}"]
        if "choices" in setting:
            words.append("one of " + ", ".join(
                f"`{choice}`" for choice in setting["choices"]))
        if "min" in setting or "max" in setting:
            words.append(f"`{setting.get('min', '')}` to "
                         f"`{setting.get('max', '')}`")
        if setting.get("defaultValue"):
            words.append(f"default `{setting['defaultValue']}`")
        return ", ".join(words)

    def message(self, message, path, prefix, out):
        name = prefix + message["name"]
        scope = f".{self.descriptor['package']}.{name}"
        maps = {f"{scope}.{nested['name']}": nested
                for nested in message.get("nestedType", [])
                if nested.get("options", {}).get("mapEntry")}
        out += [f"### {name}", "", self.comment(path), ""]
        oneof_seen = set()
        for i, field in enumerate(message.get("field", [])):
            oneof = field.get("oneofIndex")
            indent = ""
            if oneof is not None and not field.get("proto3Optional"):
                indent = "  "
                if oneof not in oneof_seen:
                    oneof_seen.add(oneof)
                    words = self.comment(path + (MESSAGE_ONEOF, oneof), "  ")
                    title = message["oneofDecl"][oneof]["name"]
                    out += [f"- **{title}**: at most one of", words.rstrip()]
            out += [
                f"{indent}- {self.field_line(field, maps)}",
                self.comment(path + (MESSAGE_FIELD, i), indent + "  "),
            ]
        out.append("")
        for i, nested in enumerate(message.get("nestedType", [])):
            if not nested.get("options", {}).get("mapEntry"):
                self.message(nested, path + (MESSAGE_NESTED, i), name + ".", out)
        for i, enum in enumerate(message.get("enumType", [])):
            self.enum(enum, path + (MESSAGE_ENUM, i), name + ".", out)

    def enum(self, enum, path, prefix, out):
        out += [f"### {prefix}{enum['name']}", "", self.comment(path), ""]
        for i, value in enumerate(enum["value"]):
            out += [f"- `{value['name']}` = {value.get('number', 0)}",
                    self.comment(path + (ENUM_VALUE, i), "  ")]
        out.append("")

    def service(self, service, path, out):
        out += [f"### {service['name']}", "", self.comment(path), ""]
        for i, method in enumerate(service.get("method", [])):
            stream = {True: "stream of ", False: ""}
            out += [
                f"#### {service['name']}.{method['name']}",
                "",
                f"{stream[method.get('clientStreaming', False)]}"
                f"{self.link(method['inputType'])} → "
                f"{stream[method.get('serverStreaming', False)]}"
                f"{self.link(method['outputType'])}",
                "",
                self.comment(path + (SERVICE_METHOD, i)),
                "",
            ]

    def markdown(self):
        file = self.descriptor
        out = [f"## {file['name']}", "", f"Package `{file['package']}`.", "",
               examples_as_code(self.comment((FILE_SYNTAX,))), ""]
        for i, service in enumerate(file.get("service", [])):
            self.service(service, (FILE_SERVICE, i), out)
        for i, message in enumerate(file.get("messageType", [])):
            # The message that describes settings is none.
            if f"[{file['package']}.{message['name']}]".lower() != SETTING:
                self.message(message, (FILE_MESSAGE, i), "", out)
        for i, enum in enumerate(file.get("enumType", [])):
            self.enum(enum, (FILE_ENUM, i), "", out)
        return "\n".join(out)


def titles(file):
    """Full name → heading, of everything that `file` gets a heading for."""
    found = {}

    def visit(message, prefix):
        name = prefix + message["name"]
        found[f"{file['package']}.{name}"] = name
        for nested in message.get("nestedType", []):
            visit(nested, name + ".")
        for enum in message.get("enumType", []):
            found[f"{file['package']}.{name}.{enum['name']}"] = (
                f"{name}.{enum['name']}")

    for message in file.get("messageType", []):
        visit(message, "")
    for enum in file.get("enumType", []):
        found[f"{file['package']}.{enum['name']}"] = enum["name"]
    return found


def main(page):
    files = [file for file in json.load(sys.stdin)["file"]
             if not file["name"].startswith("google/protobuf/")
             and file["package"].startswith("lifesign.config.") == (
                 page == "configuration")]
    # Services first: what one can ask, then what it is made of.
    files.sort(key=lambda file: (file["name"].startswith("google/"),
                                 "service" not in file, file["name"]))
    known = {}
    for file in files:
        known.update(titles(file))
    pages = [HEADERS[page]] + [File(file, known).markdown() for file in files]
    print(re.sub(r"\n{3,}", "\n\n", "\n".join(pages)).rstrip())


main(sys.argv[1])
