#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The example profiles, each doing what its program is for; what is not installed is skipped, and said so."""

import contextlib
import os
import pathlib
import pwd
import shutil
import socket
import unittest

from common import PROFILES, SystemTest, busctl, immurectl, launch, main, run_as, sandbox_property, wait_for

EXAMPLES = pathlib.Path('/usr/share/immured/examples')
DATA = pathlib.Path('/home/alice/data')

NODE = '''
const http = require('http'), fs = require('fs');
const server = http.createServer((request, response) => response.end('echo ' + request.url));
server.listen(8080, '127.0.0.1', () => http.get('http://127.0.0.1:8080/x', response => {
    response.setEncoding('utf8');
    response.on('data', text => {
        fs.writeFileSync(process.argv[1], text);
        console.log(new Function('return 6 * 7')());
        server.close();
    });
}));
'''

NGINX = '''
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
    server { listen unix:nginx.sock; root www; }
}
'''

# What a script makes, what a stranger's page would like to fetch, and what it would like to read.
PAGE = '''<!DOCTYPE html>
<title>page</title><style>body { margin: 0; background: #ff0000 }</style>
<p id="sum"></p><p id="web">?</p><p id="file">?</p>
<script>
document.getElementById('sum').textContent = [1, 2, 3].map(n => n * 7).join();
const tell = id => [() => document.getElementById(id).textContent = 'open',
                    () => document.getElementById(id).textContent = 'closed'];
fetch('http://127.0.0.1:PORT/', {mode: 'no-cors'}).then(...tell('web'));
const image = document.createElement('img');
[image.onload, image.onerror] = tell('file');
image.src = 'file:///home/alice/outside.svg';
</script>
'''


def needs(*programs):
    """Skips what cannot be driven here."""
    missing = [p for p in programs if not shutil.which(p)]
    return unittest.skipIf(missing, f'not installed: {" ".join(missing)}')


class Examples(SystemTest):
    def setUp(self):
        for path in EXAMPLES.glob('*.profile'):
            shutil.copy(path, PROFILES)
        busctl('root', 'Reload')
        self.addCleanup(self.remove_profiles)
        account = pwd.getpwnam('alice')
        shutil.rmtree(DATA, ignore_errors=True)
        DATA.mkdir(mode=0o700)
        os.chown(DATA, account.pw_uid, account.pw_gid)

    def remove_profiles(self):
        for path in EXAMPLES.glob('*.profile'):
            (PROFILES / path.name).unlink()
        busctl('root', 'Reload')
        shutil.rmtree(DATA)

    def write(self, name, text):
        account = pwd.getpwnam('alice')
        path = DATA / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        for p in (path, path.parent):
            os.chown(p, account.pw_uid, account.pw_gid)

    def run_example(self, *arguments):
        done = immurectl('alice', 'run', *arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def start_server(self, name, answers):
        """Launches it and waits until it serves: its id and path. Says why where it ends first."""
        id, path = launch('alice', name)

        def serves():
            state = sandbox_property(path, 'State')
            self.assertEqual(state, 'running', state)
            with contextlib.suppress(OSError):
                return answers()
            return None
        wait_for(f'{name} to serve', serves)
        return id, path

    def stop_well(self, id):
        busctl('alice', 'Stop', 's', id)

    def assert_owner(self, path):
        """What a server made in the user's directory is the user's, whatever ids it has inside."""
        self.assertEqual(path.stat().st_uid, pwd.getpwnam('alice').pw_uid)

    def ask(self, path, request, end=b'\n'):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(20)
            s.connect(str(path))
            s.sendall(request)
            answer = b''
            while not answer.endswith(end) or not answer:
                if not (data := s.recv(65536)):
                    break
                answer += data
            return answer.decode()

    def test_shell(self):
        self.assertEqual(self.run_example('shell', '-c', 'echo $((6 * 7)) >~/data/x && cat ~/data/x').strip(), '42')
        self.assert_owner(DATA / 'x')

    def test_python3(self):
        program = 'import json, ssl, socket; ssl.create_default_context(); print(json.dumps(socket.gethostname()))'
        self.assertEqual(self.run_example('python3', '-c', program).strip(), '"python3"')

    @needs('sqlite3')
    def test_sqlite3(self):
        self.run_example('sqlite3', 'books.db', 'CREATE TABLE t (n); INSERT INTO t VALUES (6), (7)')
        self.assertEqual(self.run_example('sqlite3', 'books.db', 'SELECT sum(n) FROM t').strip(), '13')
        self.assert_owner(DATA / 'books.db')

    @needs('gcc')
    def test_gcc_build(self):
        self.write('src/hello.c', '#include <stdio.h>\nint main(void) { return puts("built") < 0; }\n')
        self.run_example('gcc-build', '-O2', '-o', 'src/hello', 'src/hello.c')
        self.assertEqual(run_as('alice', str(DATA / 'src/hello')).stdout, 'built\n')

    @needs('node')
    def test_node(self):
        out = self.run_example('node', '-e', NODE, str(DATA / 'answer'))
        self.assertEqual(out, '42\n')
        self.assertEqual((DATA / 'answer').read_text(), 'echo /x')

    @needs('redis-server')
    def test_redis_server(self):
        sock = DATA / 'redis.sock'
        id, _ = self.start_server('redis-server', lambda: self.ask(sock, b'PING\r\n') == '+PONG\r\n')
        self.assertEqual(self.ask(sock, b'SET answer 42\r\n'), '+OK\r\n')
        self.assertEqual(self.ask(sock, b'EVAL "return 6*7" 0\r\n'), ':42\r\n')
        self.stop_well(id)
        self.assert_owner(DATA / 'redis.rdb')
        # Its data outlives it.
        id, _ = self.start_server('redis-server', lambda: self.ask(sock, b'PING\r\n') == '+PONG\r\n')
        self.assertEqual(self.ask(sock, b'GET answer\r\n'), '$2\r\n42\r\n')
        self.stop_well(id)

    @needs('nginx')
    def test_nginx(self):
        sock = DATA / 'nginx.sock'
        self.write('nginx.conf', NGINX)
        self.write('www/index.html', 'from inside\n')
        request = b'GET /%s HTTP/1.0\r\n\r\n'
        id, _ = self.start_server('nginx', lambda: '200 OK' in self.ask(sock, request % b'', b'inside\n'))
        self.assertIn('from inside', self.ask(sock, request % b'', b'inside\n'))
        self.assertIn('404', self.ask(sock, request % b'none', b'</html>\r\n'))
        self.stop_well(id)
        self.assertFalse(sock.exists(), 'it did not get to tidy up')

    @unittest.skipUnless(shutil.which('psql') and list(pathlib.Path('/usr/lib/postgresql').glob('*/bin/postgres')),
                         'not installed: postgresql')
    def test_postgresql(self):
        def psql(statement):
            done = run_as('alice', 'psql', '-h', str(DATA), '-XAt', '-c', statement, 'postgres')
            return done.stdout if done.returncode == 0 else None
        id, _ = self.start_server('postgresql', lambda: psql('SELECT 6 * 7') == '42\n')
        self.assertIsNotNone(psql('CREATE TABLE t AS SELECT generate_series(1, 1000) AS n'))
        self.stop_well(id)
        id, _ = self.start_server('postgresql', lambda: psql('SELECT 1') == '1\n')
        self.assertEqual(psql('SELECT sum(n) FROM t'), '500500\n')
        self.stop_well(id)
        self.assert_owner(DATA / 'postgresql/PG_VERSION')

    @needs('chromium')
    def test_chromium(self):
        outside = DATA.parent / 'outside.svg'
        outside.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
        self.addCleanup(outside.unlink)
        self.write('inside.svg', outside.read_text())
        with socket.create_server(('127.0.0.1', 0)) as server:
            server.setblocking(False)
            self.write('page.html', PAGE.replace('PORT', str(server.getsockname()[1])))
            # The virtual time lets what the page has asked for come to its end.
            dom = self.run_example('chromium', '--virtual-time-budget=5000', '--dump-dom', 'page.html')
            for line in ('<p id="sum">7,14,21</p>', '<p id="web">closed</p>', '<p id="file">closed</p>'):
                self.assertIn(line, dom)
            self.assertRaises(BlockingIOError, server.accept)
        # The same page says so when it may read the file, or the line above would prove nothing.
        self.write('page.html', PAGE.replace('/outside', '/data/inside'))
        dom = self.run_example('chromium', '--virtual-time-budget=5000', '--dump-dom', 'page.html')
        self.assertIn('<p id="file">open</p>', dom)

        self.run_example('chromium', '--print-to-pdf=page.pdf', 'page.html')
        self.assertEqual((DATA / 'page.pdf').read_bytes()[:5], b'%PDF-')
        self.assert_owner(DATA / 'page.pdf')
        self.run_example('chromium', '--screenshot=page.png', '--window-size=320,200', 'page.html')
        self.assertEqual((DATA / 'page.png').read_bytes()[:24],
                         b'\x89PNG\r\n\x1a\n\0\0\0\rIHDR' + (320).to_bytes(4, 'big') + (200).to_bytes(4, 'big'))

    @needs('stress-ng')
    def test_stress_ng(self):
        self.run_example('stress-ng', '--cpu', '1', '--cpu-ops', '20', '--vm', '1', '--vm-bytes', '16M', '--vm-ops', '20',
                         '--hdd', '1', '--hdd-bytes', '4M', '--hdd-ops', '20', '--pipe', '1', '--pipe-ops', '1000',
                         # How much one of its operations does differs between versions by far.
                         '--timeout', '10s')


if __name__ == '__main__':
    main()
