#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes libFuzzer's dictionary for the reader of profiles from the table of keys.

usage: dictionary.py KEYS

KEYS is what "immurectl keys --json=short" prints, the table itself.
"""

import json
import pathlib
import re
import sys

# What has a meaning inside values of many keys.
WORDS = ['\\\n', '\n', '%%%', '%u', '%h', '%t', '%%', 'infinity', 'yes', 'no', '~', ':', ':EPERM', '@system-service',
         'CAP_NET_RAW', 'AF_INET', '/dev/null', '..', '//', '-/usr', ':idmap', ':norbind', 'size=', '"', "'", '\x7f',
         'Inherits=base', '18446744073709551615', '4294967296', '100%', '1h 2min', '0777']


def quote(text):
    return '"' + ''.join(c if c.isalnum() or c in '-_=[]/.:~@%|' else ''.join(f'\\x{b:02x}' for b in c.encode())
                         for c in text) + '"'


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    keys = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding='utf-8'))
    words = {f"[{key['section']}]" for key in keys} | {f"{key['name']}=" for key in keys}
    for key in keys:
        words |= set(re.split(r'[|\s]+', key['syntax'])) | {key['default']}
    for word in sorted(words | set(WORDS)):
        if word and '…' not in word:
            print(quote(word))


if __name__ == '__main__':
    main()
