#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether the manual has what there is: commands and options of immurectl, methods that the bus lets through, and
whether docs/architecture.md and README.md name only files that exist.

usage: check.py TREE IMMURECTL BUS-MANUAL BUS-POLICY
"""

import pathlib
import re
import subprocess
import sys


def check_commands(tree, immurectl):
    page = (tree / 'docs/immurectl.1.scd').read_text(encoding='utf-8')
    text = subprocess.run([immurectl, 'help'], capture_output=True, text=True, encoding='utf-8', check=True).stdout
    commands = re.findall(r'^  ([a-z-]+) .*\S$', text.split('Commands:')[1].split('Options:')[0], re.M)
    options = re.findall(r'--[a-z-]+', text.split('Options:')[1].split('See the')[0])
    if not commands or not options:
        yield 'immurectl help lists nothing'
    yield from (f'immurectl.1: no command {c}' for c in commands if not re.search(rf'^\*{c}\*', page, re.M))
    yield from (f'immurectl.1: no option {o}' for o in options if not re.search(rf'^\*.*{o}[=*]', page, re.M))


def check_methods(page, policy):
    page = pathlib.Path(page).read_text(encoding='utf-8')
    policy = pathlib.Path(policy).read_text(encoding='utf-8')
    allowed = set(re.findall(r'send_interface="org\.immured\.[\w.]+"\s+send_member="(\w+)"', policy))
    described = {m for line in page.splitlines() if line.startswith('*') for m in re.findall(r'\*([A-Z]\w+)\*\(', line)}
    if not allowed:
        yield 'the policy of the bus lets nothing through'
    yield from (f'org.immured.Broker1.5: no method {m}' for m in sorted(allowed - described))
    yield from (f'org.immured.Broker1.5: {m} is no method that the bus lets through' for m in sorted(described - allowed))


def check_files(tree):
    """A path stands below the top, or below the folder that the paragraph is about."""
    folders = [tree, *(tree / 'src' / f for f in ('', 'broker', 'keeper', 'exec', 'confine'))]
    for page in ('README.md', 'docs/architecture.md'):
        names = re.findall(r'`([\w./-]+(?:/|\.(?:c|h|def|in|py|txt|golden|catalog)))`', (tree / page).read_text(encoding='utf-8'))
        if not names:
            yield f'{page} names no file'
        yield from (f'{page}: no {n}' for n in sorted(set(names))
                    if not n.startswith('/') and not any((folder / n).exists() for folder in folders))


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__.strip())
    tree = pathlib.Path(sys.argv[1])
    breaches = [*check_commands(tree, sys.argv[2]), *check_methods(*sys.argv[3:]), *check_files(tree)]
    for breach in breaches:
        print(breach)
    sys.exit(1 if breaches else 0)


if __name__ == '__main__':
    main()
