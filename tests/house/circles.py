#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No circle between files: what a file calls never leads back to it, however long the way.

usage: circles.py BUILD

By the objects: which defines a symbol, which wants it. Prints each circle with the symbols that close it; the last line
counts them. A circle that must be stands in tests/lint/exceptions.txt: circle FIRST-FILE NUMBER-OF-FILES REASON.
"""

import json
import pathlib
import subprocess
import sys

EXCEPTIONS = pathlib.Path(__file__).resolve().parent.parent / 'lint/exceptions.txt'


def objects(build):
    """{file of src: path of its object}; a file that is compiled more than once counts once."""
    found = {}
    try:
        commands = json.loads((build / 'compile_commands.json').read_text())
    except FileNotFoundError:
        raise FileNotFoundError(f'nothing is built in {build}') from None
    for command in commands:
        source, path = build / command['file'], build / command['output']
        if not command['output'].startswith('src/'):
            continue
        if not path.exists() or path.stat().st_mtime < source.stat().st_mtime:
            raise FileNotFoundError(f'{build} is older than {source.name}')
        # meson flattens the name: src/broker/libbroker.a.p/call_access.c.o
        found.setdefault(f'{command["output"].split("/")[1]}/{path.name.removesuffix(".o")}', path)
    return found


def edges(files):
    """{file: {file that it calls: symbols}}; within one folder's programs, as main() is in each."""
    defines, wants = {}, {}
    for name, path in files.items():
        for line in subprocess.run(['nm', path], check=True, capture_output=True, text=True).stdout.splitlines():
            *_, kind, symbol = line.split()
            if kind in 'TDBRVW' and symbol != 'main':
                defines.setdefault(symbol, name)
            elif kind == 'U':
                wants.setdefault(name, set()).add(symbol)
    graph = {name: {} for name in files}
    for name, symbols in wants.items():
        for symbol in symbols:
            if defines.get(symbol, name) != name:
                graph[name].setdefault(defines[symbol], set()).add(symbol)
    return graph


def circles(graph):
    """Strongly connected components of more than one file, after Tarjan, without recursion."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(graph[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for next_node in rest:
                if next_node not in index:
                    index[next_node] = low[next_node] = len(index)
                    stack.append(next_node)
                    on_stack.add(next_node)
                    work.append((next_node, iter(graph[next_node])))
                    break
                if next_node in on_stack:
                    low[node] = min(low[node], index[next_node])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while not component or component[-1] != node:
                        component.append(stack.pop())
                        on_stack.discard(component[-1])
                    if len(component) > 1:
                        found.append(sorted(component))
    return sorted(found)


def calls_within(graph, circle):
    for name in circle:
        for other in sorted(set(graph[name]) & set(circle)):
            yield f'    {name} calls {other}: {" ".join(sorted(graph[name][other]))}'


def excepted():
    rows = (line.split(None, 3) for line in EXCEPTIONS.read_text().splitlines() if line.startswith('circle '))
    return {what: int(n) for _, what, n, _ in rows}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    try:
        files = objects(pathlib.Path(sys.argv[1]))
    except FileNotFoundError as error:
        sys.exit(f'circles: {error}')
    graph, allowed, failed = edges(files), excepted(), 0
    for circle in circles(graph):
        if allowed.get(circle[0]) == len(circle):
            continue
        failed += 1
        print(f'a circle of {len(circle)} files:')
        print(*calls_within(graph, circle), sep='\n')
    print(f'{len(files)} files, {failed} circles')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
