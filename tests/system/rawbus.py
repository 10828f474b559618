# SPDX-License-Identifier: LGPL-2.1-or-later
"""A small D-Bus client: enough to pass descriptors and to wait for signals, which no command line client does."""

import array
import os
import pwd
import socket
import struct

# Seconds: far more than anything here needs, so that no test depends on how fast the machine is.
PATIENCE = 120

DBUS, DBUS_PATH = 'org.freedesktop.DBus', '/org/freedesktop/DBus'
CALL, REPLY, ERROR, SIGNAL = 1, 2, 3, 4


def padded(data, size):
    return data + b'\0' * (-len(data) % size)


def string(text):
    return struct.pack('<I', len(text.encode())) + text.encode() + b'\0'


def read_string(data, offset=0):
    size, = struct.unpack_from('<I', data, offset)
    return data[offset + 4:offset + 4 + size].decode()


class Reader:
    """A marshalled body read value by value: as much of it as the tests have to look into."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def align(self, size):
        self.at += -self.at % size

    def u(self):
        self.align(4)
        value, = struct.unpack_from('<I', self.data, self.at)
        self.at += 4
        return value

    def s(self):
        size = self.u()
        text = self.data[self.at:self.at + size].decode()
        self.at += size + 1
        return text

    def g(self):
        size = self.data[self.at]
        text = self.data[self.at + 1:self.at + 1 + size].decode()
        self.at += size + 2
        return text

    def dictionary(self, value):
        """a{s…}: value reads what an entry holds."""
        size, found = self.u(), {}
        self.align(8)
        end = self.at + size
        while self.at < end:
            self.align(8)
            key = self.s()
            found[key] = value()
        return found

    def text_variant(self):
        assert self.g() == 's'
        return self.s()


def variant(content, value):
    """A number as the index of a descriptor, text, or a list of texts, behind content."""
    if isinstance(value, int):
        return padded(content + b'\1h\0', 4) + struct.pack('<I', value)
    if isinstance(value, str):
        return padded(content + b'\1s\0', 4) + string(value)
    texts = b''
    for text in value:
        texts = padded(texts, 4) + string(text)
    return padded(content + b'\2as\0', 4) + struct.pack('<I', len(texts)) + texts


def options(entries):
    """The marshalled sa{sv} of a launch without its first string: [(name, value)]; starts at 8n."""
    content = b''
    for name, value in entries:
        content = variant(padded(content, 8) + string(name), value)
    return content


def launch_body(profile, entries):
    body = padded(string(profile), 4)
    content = options(entries)
    head = body + struct.pack('<I', len(content))
    return padded(head, 8) + content


class Lease:
    """What LaunchLeased() returns."""

    def __init__(self, fd):
        self.socket = socket.socket(fileno=fd)

    def close(self):
        self.socket.close()

    def send(self, text, fds=()):
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
        self.socket.sendmsg([text.encode()], ancillary)

    def send_streams(self, streams):
        """{name: descriptor}"""
        self.send('STREAMS=' + ' '.join(streams), list(streams.values()))

    def read(self):
        """One packet as {name: value}; empty at the end, and an error where neither comes."""
        self.socket.settimeout(PATIENCE)
        while True:
            try:
                packet = self.socket.recv(4096).decode()
            except ConnectionResetError:
                continue  # what was sent before is still there
            return dict(line.split('=', 1) for line in packet.splitlines() if '=' in line)

    def wait(self, name):
        """The first packet that has it, or its end."""
        while (packet := self.read()) and name not in packet:
            pass
        return packet


class RawBus:
    def __init__(self):
        """As whoever this process is: the bus takes the uid from the socket."""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect('/run/dbus/system_bus_socket')
        self.socket.sendall(b'\0AUTH EXTERNAL ' + str(os.geteuid()).encode().hex().encode() + b'\r\n')
        assert self.socket.recv(4096).startswith(b'OK')
        self.socket.sendall(b'NEGOTIATE_UNIX_FD\r\n')
        assert self.socket.recv(4096).startswith(b'AGREE_UNIX_FD')
        self.socket.sendall(b'BEGIN\r\n')
        self.serial = 0
        self.signals = []
        self.fds = []  # that came, oldest first
        error, content = self.call(DBUS, DBUS_PATH, DBUS, 'Hello')
        assert error is None, error
        self.name = read_string(content)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()
        for fd in self.fds:
            os.close(fd)
        self.fds = []

    def launch_leased(self, profile, streams, *more):
        """(name of the error or None, its text or the id, the lease or None) of a launch with these streams to come."""
        entries = [('Streams', list(streams))] * bool(streams) + list(more)
        error, body = self.call('org.immured.Broker1', '/org/immured/Broker1', 'org.immured.Broker1.Manager',
                                'LaunchLeased', 'sa{sv}', launch_body(profile, entries))
        return error, read_string(body), None if error else Lease(self.fds.pop())

    def call(self, destination, path, interface, member, signature='', body=b'', fds=(), flags=0):
        """(name of the error or None, body of the reply)"""
        self.send(destination, path, interface, member, signature, body, fds, flags)
        return self.wait_reply()

    def wait_reply(self):
        """To what was sent last."""
        while True:
            kind, values, content = self.read()
            if kind in (REPLY, ERROR) and values.get(5) == self.serial:
                return values.get(4) if kind == ERROR else None, content
            if kind == SIGNAL:
                self.signals.append((values, content))

    def marshal(self, type, texts, fields, signature, body, n_fds, flags=0):
        """The bytes of a message, with a serial of its own."""
        self.serial += 1
        for code, kind, value in texts:
            fields = padded(fields, 8) + bytes([code, 1]) + kind.encode() + b'\0' + string(value)
        if signature:
            fields = padded(fields, 8) + b'\x08\1g\0' + bytes([len(signature)]) + signature.encode() + b'\0'
        if n_fds:
            fields = padded(fields, 8) + b'\x09\1u\0' + struct.pack('<I', n_fds)
        head = struct.pack('<cBBBIII', b'l', type, flags, 1, len(body), self.serial, len(fields)) + fields
        return padded(head, 8) + body

    def message(self, destination, path, interface, member, signature='', body=b'', n_fds=0, flags=0):
        """The bytes of a call."""
        texts = ((1, 'o', path), (2, 's', interface), (3, 's', member), (6, 's', destination))
        return self.marshal(CALL, texts, b'', signature, body, n_fds, flags)

    def send(self, destination, path, interface, member, signature='', body=b'', fds=(), flags=0):
        self.send_bytes(self.message(destination, path, interface, member, signature, body, len(fds), flags), fds)

    def answer(self, call, signature='', body=b'', error=None):
        """Replies to a message that was read."""
        texts = ((6, 's', call[7]), *([(4, 's', error)] if error else []))
        fields = b'\x05\1u\0' + struct.pack('<I', call[0])
        self.send_bytes(self.marshal(ERROR if error else REPLY, texts, fields, signature, body, 0))

    def send_bytes(self, message, fds=()):
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
        sent = self.socket.sendmsg([message], ancillary)
        self.socket.sendall(message[sent:])

    def read_exactly(self, size):
        data = b''
        while len(data) < size:
            more, fds, _, _ = socket.recv_fds(self.socket, size - len(data), 16)
            self.fds += fds
            if not more:
                raise EOFError('the bus has closed the connection')
            data += more
        return data

    def read(self):
        """One message: (kind, {header field: value, 0: its serial}, body)."""
        head = self.read_exactly(16)
        size, serial, n = struct.unpack('<III', head[4:])
        fields, content = self.read_exactly(n + -n % 8), self.read_exactly(size)
        values, i = {0: serial}, 0
        while i < n:
            i += -i % 8
            code, kind = fields[i], chr(fields[i + 2])
            i += 4
            if kind in 'so':
                i += -i % 4
                values[code] = read_string(fields, i)
                i += 5 + len(values[code].encode())
            elif kind == 'g':
                i += 2 + fields[i]
            else:
                i += -i % 4
                values[code], = struct.unpack_from('<I', fields, i)
                i += 4
        return head[1], values, content

    def next_signal(self):
        """(member, body)"""
        while not self.signals:
            kind, values, content = self.read()
            if kind == SIGNAL:
                self.signals.append((values, content))
        values, content = self.signals.pop(0)
        return values.get(3), content


def bus_of(user):
    """A connection of the user's, made by this process."""
    os.seteuid(pwd.getpwnam(user).pw_uid)
    try:
        return RawBus()
    finally:
        os.seteuid(0)
