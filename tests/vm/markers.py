# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a test file says of itself: a line "# vm: releases=12,13 machine=own boots=2 timeout=600"."""

import dataclasses
import pathlib
import re

FIGURES = re.compile(r'^(\d+) passed, (\d+) failed$', re.M)


@dataclasses.dataclass
class Marker:
    path: pathlib.Path
    releases: tuple = ('12',)
    own: bool = False  # a machine of its own; the others share one
    boots: int = 1
    timeout: int = 600  # seconds, for each boot


READERS = {
    'releases': ('releases', lambda text: tuple(text.split(','))),
    'machine': ('own', lambda text: {'own': True, 'shared': False}[text]),
    'boots': ('boots', int),
    'timeout': ('timeout', int),
}


def of(path):
    marker = Marker(path)
    line = re.search(r'^# vm:(.*)$', path.read_text(), re.M)
    for word in line[1].split() if line else ():
        name, _, value = word.partition('=')
        try:
            field, reader = READERS[name]
            setattr(marker, field, reader(value))
        except (KeyError, ValueError):
            raise SystemExit(f'{path}: {word!r} in its "# vm:" line is not understood') from None
    # The restart would end what the others are at.
    marker.own |= marker.boots > 1
    return marker
