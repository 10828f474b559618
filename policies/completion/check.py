#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whether completion completes: bash by asking it, zsh and fish by their own parsers where they are installed.

usage: check.py BASH ZSH FISH
"""

import shutil
import subprocess
import sys

# Words of the command line, the last of them being completed -> what must and what must not be among the answers.
CASES = [
    (['immurectl', ''], ['run', 'list', 'cat', 'keys'], ['--help']),
    (['immurectl', 'ru'], ['run'], ['list']),
    (['immurectl', '--'], ['--help', '--version'], ['run']),
    (['immurectl', 'kill', '--'], ['--signal', '--whom'], ['--env']),
    (['immurectl', 'kill', '--whom', '='], ['main', 'all'], []),
    (['immurectl', 'kill', '--whom', '=', 'm'], ['main'], ['all']),
    (['immurectl', 'enable', 'roo'], ['root'], []),
    (['immurectl', 'enable', '--'], ['--now', '--quiet'], ['--signal']),
    (['immurectl', 'kill', '-s', 'T'], ['TERM'], ['KILL']),
    (['immurectl', 'list', '--json', '=', ''], ['short', 'pretty', 'off'], []),
    (['immurectl', 'keys', 'Memory'], ['MemoryMax', 'MemoryHigh'], ['Nice']),
    (['immurectl', 'help', 'pl'], ['plan'], ['run']),
    (['immurectl', '--json', '=', 'short', 'keys', 'Memory'], ['MemoryMax'], []),
    (['immurectl', 'run', ''], ['shell', 'web'], ['run', 'evil']),
    (['immurectl', 'run', '-i', 'blue', 'w'], ['web'], ['shell']),
    # What stands behind the profile is not ours to complete.
    (['immurectl', 'run', 'web', ''], [], ['shell', 'web', '--help']),
    (['immurectl', 'run', 'web', '--'], [], ['--help']),
    (['immurectl', 'stop', 'web.3001.1', ''], ['web.3001.1', 'web.3001.2'], ['shell']),
]

SCRIPT = '''
immurectl() { case "$*" in profiles*) printf '%s\\n' shell web '$(echo evil)' ;; list*) printf '%s\\n' web.3001.1 web.3001.2 ;; esac; }
source "$0"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_immurectl
printf '%s\\n' "${COMPREPLY[@]}"
'''


def check_bash(path):
    for words, wanted, unwanted in CASES:
        done = subprocess.run(['bash', '--norc', '-c', SCRIPT, path, *words], capture_output=True, text=True)
        answers = done.stdout.split()
        if done.stderr:
            yield f'{words}: {done.stderr}'
        yield from (f'{words}: no {w} among {answers}' for w in wanted if w not in answers)
        yield from (f'{words}: {w} among the answers' for w in unwanted if w in answers)


def check_syntax(shell, path):
    if shutil.which(shell):
        done = subprocess.run([shell, '-n', path], capture_output=True, text=True)
        if done.returncode:
            yield f'{shell}: {done.stderr}'
    else:
        print(f'{shell} is not installed: its completion was not parsed')


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    breaches = [*check_bash(sys.argv[1]), *check_syntax('zsh', sys.argv[2]), *check_syntax('fish', sys.argv[3])]
    for breach in breaches:
        print(breach)
    sys.exit(1 if breaches else 0)


if __name__ == '__main__':
    main()
