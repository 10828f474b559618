#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs commands and tests in virtual machines with Debian and the project's packages; ./dev vm --help tells more."""

import argparse
import os
import sys

import machine
import package
import recipe
import suite
from roots import Failure, say


def cmd_run(arguments):
    before, command = (arguments[:arguments.index('--')], arguments[arguments.index('--') + 1:]) \
        if '--' in arguments else (arguments, [])
    parser = argparse.ArgumentParser(prog='./dev vm', add_help=False)
    parser.add_argument('release', nargs='?', choices=sorted(recipe.RELEASES), default='12')
    parser.add_argument('--no-install', dest='install', action='store_false')
    parser.add_argument('--timeout', type=float, default=1800)
    options = parser.parse_args(before)
    if not command:
        parser.error('no command after --; ./dev vm --help')
    return machine.run(options.release, machine.job(options.release, command, options.install),
                       package.build(options.release), options.timeout)


VERBS = {'run': cmd_run, 'test': suite.cmd_test}


def main():
    if os.uname().machine != 'x86_64':
        sys.exit('vm: only for x86_64')
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        sys.exit(f'usage: {sys.argv[0]} {"|".join(VERBS)} ...')
    try:
        sys.exit(VERBS[sys.argv[1]](sys.argv[2:]))
    except Failure as error:
        say(str(error))
        sys.exit(125)


if __name__ == '__main__':
    main()
