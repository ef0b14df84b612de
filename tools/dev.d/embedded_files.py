# SPDX-FileCopyrightText: The Lifesign Authors
# SPDX-License-Identifier: Apache-2.0
"""Programs that Markdown pages show are the files they name.

A page names a file in a comment above a code block:

    <!-- file: client/python/examples/first.py -->
    ```python
    ...
    ```

The block holds the text of the file without its licence lines. `renewed` gives
the page with the blocks as the files are; `./dev fix` writes that, and
`./dev check house-rules` fails where a page differs.

usage: embedded_files.py PAGE...   renews the pages
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

BLOCK = re.compile(
    r"(?P<above><!-- file: (?P<path>\S+) -->\n```\w*\n)(?P<text>.*?)(?P<below>^```$)",
    re.MULTILINE | re.DOTALL)
LICENCE = re.compile(r"\A(#!.*\n)?(?:(?://|#) SPDX-.*\n)+\n?")


def shown(path):
    """The text of a file as a page shows it; None if there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return None
    return LICENCE.sub("", file.read_text(encoding="utf-8"))


def renewed(page):
    """The text of a page with every such block as its file is."""
    def block(match):
        text = shown(match["path"])
        if text is None:
            text = match["text"]
        return match["above"] + text + match["below"]
    return BLOCK.sub(block, page)


def stale(page):
    """(line, path) of every block that is not the text of its file."""
    for match in BLOCK.finditer(page):
        if match["text"] != shown(match["path"]):
            yield page.count("\n", 0, match.start()) + 1, match["path"]


def main():
    for name in sys.argv[1:]:
        file = pathlib.Path(name)
        page = file.read_text(encoding="utf-8")
        if renewed(page) != page:
            file.write_text(renewed(page), encoding="utf-8")


if __name__ == "__main__":
    main()
