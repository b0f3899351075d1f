# SPDX-License-Identifier: GPL-2.0
"""Finished rows, one file each, so that a run goes on where it stopped."""

import hashlib
import json
import os
from pathlib import Path

import plan


def key_of(files, *words):
    """A name for what was measured: the content of files, and words."""
    h = hashlib.sha256()
    for path in sorted(map(str, files)):
        h.update(Path(path).read_bytes())
    for text in words:
        h.update(b"\0" + str(text).encode())
    return h.hexdigest()[:16]


def _write(path, text):
    """Whole or not at all: a run may be interrupted anywhere."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    os.replace(new, path)


class Store:
    """The rows of one key, below DIR/rows/KEY."""

    def __init__(self, directory, key):
        self.dir = Path(directory)
        self.rows = self.dir / "rows" / key
        self.rows.mkdir(parents=True, exist_ok=True)

    def _file(self, view, word):
        return self.rows / f"{view}-{word.replace(':', ',')}.json"

    def has(self, view, row):
        return self._file(view, plan.word(row)).exists()

    def put(self, view, word, result):
        _write(self._file(view, word), json.dumps(result) + "\n")

    def load(self):
        """All rows, in the order of the plan."""
        results = []
        for view in plan.VIEWS:
            for row in plan.every_row(view):
                if self.has(view, row):
                    text = self._file(view, plan.word(row)).read_text()
                    results.append(json.loads(text))
        return results

    def publish(self):
        """Write results.json."""
        results = self.load()
        lines = ",\n".join(json.dumps(r) for r in results)
        _write(self.dir / "results.json", f"[\n{lines}\n]\n")
        return results
