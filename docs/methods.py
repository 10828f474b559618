#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts what can be done to a sandbox into the manual page of the bus interface.

usage: methods.py TEMPLATE MEMBERS

MEMBERS is the program that prints the broker's tables: so the page has each verb, and no other.
"""

import pathlib
import subprocess
import sys
import textwrap


def signature(name, arguments, answer):
    return f'*{name}*({arguments})' + (f' -> ({answer})' if answer else '')


def by_id(name, arguments, answer, _, text):
    filled = textwrap.fill(text, 110, initial_indent='\t', subsequent_indent='\t')
    return f'{signature(name, ", ".join(filter(None, ["s _id_", arguments])), answer)}\n{filled}\n'


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    lines = subprocess.run([sys.argv[2], 'manual'], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    rows = [line.split('\t') for line in lines]
    values = {
        '@METHODS@': '\n'.join(by_id(*row) for row in rows).rstrip(),
        '@METHODS_OF_OBJECT@': textwrap.fill(', '.join(signature(*row[:3]) for row in rows), 120),
        '@VERBS@': ', '.join(f'_{row[3]}_' for row in rows if row[3]),
    }
    page = pathlib.Path(sys.argv[1]).read_text(encoding='utf-8')
    for name, value in values.items():
        page = page.replace(name, value)
    sys.stdout.reconfigure(encoding='utf-8')
    sys.stdout.write(page)


if __name__ == '__main__':
    main()
