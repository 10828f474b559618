#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the cases of the unit tests in meson's log: "N passed, N failed"."""

import json
import re
import sys

passed = failed = 0
with open(sys.argv[1], encoding='utf-8') as log:
    for line in log:
        test = json.loads(line)
        output = test.get('stdout', '') + test.get('stderr', '')
        good = sum(map(int, re.findall(r'\[  PASSED  \] (\d+) test', output)))
        bad = sum(map(int, re.findall(r'\[  FAILED  \] (\d+) test', output)))
        if test['result'] not in ('OK', 'SKIP') and bad == 0:
            bad = 1  # it did not even get to its summary
        passed += good if good or bad or test['result'] == 'SKIP' else 1
        failed += bad
print(f'{passed} passed, {failed} failed')
