#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Figures of the sources, to compare one version with another.

usage: figures.py TREE

Lines of code and comments, lengths of functions, and how many files of src speak of a thing of each kind: what
a new one of that kind would have to touch.
"""

import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / 'lint'))
import lint

# One of each kind, by all the spellings that it has in the sources.
THINGS = {
    'path key in [Files]': r'ReadOnlyPaths|read_only_paths',
    'number in [Service]': r'RestartSteps|restart_steps',
    'verb on sandboxes': r'\bThaw\b|[a-z_]+_thaw\b|\bthaw\b|\w*_THAW\b',
    'event': r'LimitHit|limit_hit|LIMIT_HIT',
    'property of a sandbox': r'NRestarts|n_restarts',
}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    root = pathlib.Path(sys.argv[1])
    texts = {p.relative_to(root): p.read_text() for p in sorted(root.glob('src/**/*.[ch]'))}
    code = comments = 0
    lengths = []
    for text in texts.values():
        bare = lint.without_comments(text)
        for line, stripped in zip(text.splitlines(), bare.splitlines()):
            code += bool(stripped.strip())
            comments += bool(line.strip()) and not stripped.strip()
        lengths += [n for _, _, n in lint.functions(bare)]
    print(f'files {len(texts)}, lines of code {code}, of comments {comments} ({100 * comments // (code + comments)} %)')
    print(f'functions {len(lengths)}, lines: median {statistics.median(lengths):g}, longest {max(lengths)}')
    for thing, pattern in THINGS.items():
        found = [str(name) for name, text in texts.items() if re.search(pattern, re.sub(r'/\*.*?\*/', '', text, flags=re.S))]
        print(f'{thing}: {len(found)} files: {" ".join(n.removeprefix("src/") for n in found)}')


if __name__ == '__main__':
    main()
