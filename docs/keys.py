#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Puts the table of keys into the manual page of profiles.

usage: keys.py TEMPLATE KEYS

KEYS is what "immurectl keys --json=short" prints, the table itself: so the page has each key, and no other.
"""

import json
import pathlib
import sys


def escape(text):
    """Text as it is, for scdoc."""
    return ''.join('\\' + c if c in '\\*_`#[]~' else c for c in text).replace('…', '...')


def entry(key):
    default = f" Default: {escape(key['default'])}." if key['default'] else ''
    return f"*{key['name']}=*{escape(key['syntax'])}\n\t{escape(key['help'])}.{default}\n"


def page(keys):
    lines = []
    for section in dict.fromkeys(key['section'] for key in keys):
        lines.append(f'## [{section}]\n')
        lines += [entry(key) for key in keys if key['section'] == section and key['supported']]
        later = [f"*{key['name']}=*" for key in keys if key['section'] == section and not key['supported']]
        if later:
            lines.append(f"Not supported by this version, and refused: {', '.join(later)}.\n")
    return '\n'.join(lines)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    template, keys = (pathlib.Path(name).read_text(encoding='utf-8') for name in sys.argv[1:])
    sys.stdout.reconfigure(encoding='utf-8')
    settable = ', '.join(f"*{key['name']}=*" for key in json.loads(keys) if key['settable'])
    sys.stdout.write(template.replace('@KEYS@', page(json.loads(keys)).rstrip()).replace('@SETTABLE@', settable + '.'))


if __name__ == '__main__':
    main()
