#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes immurectl's completion for a shell from its own tables.

usage: completion.py bash|zsh|fish COMMANDS KEYS

COMMANDS is what "immurectl help --json=short" prints, KEYS what "immurectl keys --json=short" does.
"""

import json
import pathlib
import re
import sys

HEADER = '# SPDX-License-Identifier: LGPL-2.1-or-later\n# Made from the tables of immurectl.\n'

SIGNALS = 'HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH'

# The words behind a command, by the first word of its synopsis; a pattern is one of what the command lists.
WORDS = {'PROFILE': 'profiles', 'ID': 'sandboxes', 'FILE': 'files', 'COMMAND': 'commands', 'USER': 'users'}
PATTERNS = {'list': 'sandboxes', 'profiles': 'profiles', 'keys': 'keys'}

# The values of an option, where its argument is no list of choices.
VALUES = {'SIGNAL': SIGNALS}
VALUE_SOURCES = {'user': 'users'}

# Where the words come from: for any shell, on standard output one a line, and never an error. Shells expand what they
# are given to choose from, so nothing passes that could mean something to them.
HARMLESS = "LC_ALL=C grep -xE '[A-Za-z0-9_.-]+'"
SOURCES = {
    'profiles': f'immurectl profiles --quiet 2>/dev/null | {HARMLESS}',
    'sandboxes': f'immurectl list --quiet 2>/dev/null | {HARMLESS}',
    'users': f'getent passwd | cut -d: -f1 | {HARMLESS}',
}


def source_of(command):
    word = re.match(r'\[?([A-Z]+)', command['arguments'])
    if not word:
        return None
    return PATTERNS[command['name']] if word[1] == 'PATTERN' else WORDS[word[1]]


def is_repeated(command):
    return '…' in command['arguments'].split(' ')[0]


def values_of(option):
    """The choices of an option's argument, separated by blanks; '' where anything goes."""
    argument = option.get('argument', '')
    return argument.replace('|', ' ') if '|' in argument else VALUES.get(argument, '')


def options_of(commands):
    """All options, each once."""
    return list({o['name']: o for c in commands for o in c['options']}.values())


def bash_words(source, commands, keys):
    if source == 'keys':
        return f"words='{' '.join(keys)}'"
    if source == 'commands':
        return f"words='{' '.join(c['name'] for c in commands)}'"
    if source == 'files':
        return 'COMPREPLY=($(compgen -f -- "$cur")); return'
    return f'words=$({SOURCES[source]})'


def bash(commands, keys):
    options = options_of(commands)
    lines = [HEADER, '_immurectl() {',
             '        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb= options= words= i n=0',
             '',
             '        # --option=value reaches us in three words.',
             '        [ "$cur" != = ] || cur=',
             '        [ "$prev" != = ] || prev=${COMP_WORDS[COMP_CWORD - 2]}',
             '        COMPREPLY=()',
             '        for ((i = 1; i < COMP_CWORD; i++)); do',
             '                case ${COMP_WORDS[i]} in']
    taking = [f'--{o["name"]}' for o in options if 'argument' in o]
    taking += [f'-{o["letter"]}' for o in options if 'argument' in o and 'letter' in o]
    lines += [f'                {"|".join(taking)})',
              '                        [ "${COMP_WORDS[i + 1]}" != = ] || ((++i))',
              '                        ((++i))',
              '                        ;;',
              '                -* | =) ;;',
              '                *) if [ -z "$verb" ]; then verb=${COMP_WORDS[i]}; else ((++n)); fi ;;',
              '                esac',
              '        done',
              '',
              '        case $prev in']
    for o in options:
        if 'argument' not in o:
            continue
        names = '|'.join([f'--{o["name"]}'] + ([f'-{o["letter"]}'] if 'letter' in o else []))
        source = VALUE_SOURCES.get(o['name'])
        words = f'$({SOURCES[source]})' if source else values_of(o)
        lines.append(f'        {names}) COMPREPLY=($(compgen -W "{words}" -- "$cur")); return ;;')
    lines += ['        esac', '', '        case $verb in',
              f"        '') words='{' '.join(c['name'] for c in commands)}' options='--help --version' ;;"]
    for c in commands:
        source = source_of(c)
        names = ' '.join(f'--{o["name"]}' for o in c['options'])
        words = bash_words(source, commands, keys) if source else ':'
        # What stands behind the profile is the application's.
        done = '((n == 0)) || return; ' if source and not is_repeated(c) else ''
        lines.append(f"        {c['name']}) {done}options='{names}'; [[ $cur == -* ]] || {{ {words}; }} ;;")
    lines += ['        esac', '', '        [[ $cur != -* ]] || words=$options',
              '        COMPREPLY=($(compgen -W "$words" -- "$cur"))', '}', 'complete -F _immurectl immurectl', '']
    return '\n'.join(lines)


def zsh_quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def zsh_option(o):
    help_text = re.sub(r'([\[\]:])', r'\\\1', o['help'])
    values = values_of(o)
    action = f':{o["name"]}:({values})' if values else f':{o["name"]}:_users' if o['name'] in VALUE_SOURCES \
        else f':{o["name"]}: ' if 'argument' in o else ''
    long = zsh_quote(f'--{o["name"]}{"=" if "argument" in o else ""}[{help_text}]{action}')
    if 'letter' not in o:
        return [long]
    return [long, zsh_quote(f'-{o["letter"]}{"+" if "argument" in o else ""}[{help_text}]{action}')]


def zsh_words(source, commands, keys):
    if source == 'files':
        return '_files'
    words = {'keys': ' '.join(keys), 'commands': ' '.join(c['name'] for c in commands)}.get(source)
    return f'({words})' if words else '{compadd -- ${(f)"$(' + SOURCES[source] + ')"}}'


def zsh(commands, keys):
    lines = ['#compdef immurectl', HEADER, '_immurectl() {', '        local -a verbs', '        local verb', '',
             '        verbs=(']
    lines += [f'                {zsh_quote(c["name"] + ":" + c["help"])}' for c in commands]
    lines += ['        )', '        if ((CURRENT == 2)); then',
              "                _describe command verbs", '                return', '        fi',
              '        verb=$words[2]', '        shift words', '        ((CURRENT--))', '        case $verb in']
    for c in commands:
        source = source_of(c)
        specs = [s for o in c['options'] for s in zsh_option(o)]
        if source:
            specs.append(zsh_quote(f'{"*" if is_repeated(c) else "1"}:{source}:{zsh_words(source, commands, keys)}'))
        if source and not is_repeated(c):
            specs.append("'*:: :_default'")
        lines.append(f"        {c['name']})")
        lines.append('                _arguments -s -S \\')
        lines += [f'                        {s} \\' for s in specs[:-1]]
        lines += [f'                        {specs[-1]}', '                ;;']
    lines += ['        esac', '}', '_immurectl "$@"', '']
    return '\n'.join(lines)


def fish_words(source, keys, commands):
    if source == 'files':
        return '-F'
    words = {'keys': ' '.join(keys), 'commands': ' '.join(c['name'] for c in commands)}.get(source)
    return f"-a '{words}'" if words else f'-a "({SOURCES[source]})"'


def fish(commands, keys):
    names = ' '.join(c['name'] for c in commands)
    lines = [HEADER, 'complete -c immurectl -f']
    quote = zsh_quote
    for c in commands:
        lines.append(f"complete -c immurectl -n 'not __fish_seen_subcommand_from {names}' -a {c['name']} "
                     f"-d {quote(c['help'])}")
        seen = f"-n '__fish_seen_subcommand_from {c['name']}'"
        source = source_of(c)
        if source:
            lines.append(f'complete -c immurectl {seen} {fish_words(source, keys, commands)}')
        for o in c['options']:
            values = f'({SOURCES[VALUE_SOURCES[o["name"]]]})' if o['name'] in VALUE_SOURCES else values_of(o)
            lines.append(f'complete -c immurectl {seen} -l {o["name"]}' + (f' -s {o["letter"]}' if 'letter' in o else '') +
                         (' -x' if 'argument' in o else '') + (f' -a "{values}"' if values else '') +
                         f' -d {quote(o["help"])}')
    return '\n'.join(lines) + '\n'


def main():
    shells = {'bash': bash, 'zsh': zsh, 'fish': fish}
    if len(sys.argv) != 4 or sys.argv[1] not in shells:
        sys.exit(__doc__.strip())
    commands, keys = (json.loads(pathlib.Path(name).read_text(encoding='utf-8')) for name in sys.argv[2:])
    sys.stdout.reconfigure(encoding='utf-8')
    sys.stdout.write(shells[sys.argv[1]](commands['commands'], [key['name'] for key in keys]))


if __name__ == '__main__':
    main()
