"""
A wire between two Linux kernels, in user space: it loses, delays, doubles, marks, damages or injects what a scenario
says, writes down what it did, and records the packets at both ends and in its middle. Needs root, TUN and network
namespaces; what it makes is gone when a play is over.
"""
import fcntl, heapq, json, os, select, socket, struct, subprocess, sys, threading, time

TUNSETIFF = 0x400454CA
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
COUNTERS = ('TcpRetransSegs', 'TcpExtTCPTimeouts', 'TcpExtTCPFastRetrans', 'TcpExtTCPLossProbes', 'TcpExtTCPDSACKRecv',
            'TcpExtTCPDSACKOldSent', 'TcpExtTCPDSACKOfoSent', 'TcpExtTCPChallengeACK', 'TcpExtTCPKeepAlive', 'TcpExtSyncookiesSent',
            'TcpExtListenDrops', 'TcpExtTCPAbortOnData', 'TcpExtTCPAbortOnClose', 'TcpExtTCPOFOQueue', 'TcpExtTCPSpuriousRTOs',
            'TcpExtTCPMTUPSuccess', 'TcpExtTCPMTUPFail', 'TcpExtTCPWinProbe', 'TcpExtTCPFromZeroWindowAdv', 'TcpExtTCPToZeroWindowAdv',
            'TcpExtTCPLostRetransmit', 'TcpExtTCPSynRetrans', 'TcpOutRsts')


def sh(command):
    return subprocess.run(command, shell=True, check=False, capture_output=True, text=True).stdout


def checksum(b):
    if len(b) & 1:
        b += b'\0'
    s = sum(struct.unpack('!%dH' % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return ~s & 0xFFFF


def packet(src, dst, sp, dp, seq, ack, flags, win=64240, ttl=200, ipid=1, data=b'', opts=b''):
    six = ':' in src
    family = socket.AF_INET6 if six else socket.AF_INET
    s, d = socket.inet_pton(family, src), socket.inet_pton(family, dst)
    h = struct.pack('!HHIIBBHHH', sp, dp, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (5 + len(opts) // 4) << 4, flags, win, 0, 0) + opts
    size = len(h) + len(data)
    pseudo = s + d + (struct.pack('!II', size, 6) if six else struct.pack('!HH', 6, size))
    h = h[:16] + struct.pack('!H', checksum(pseudo + h + data)) + h[18:]
    if six:
        return struct.pack('!IHBB', 6 << 28, size, 6, ttl) + s + d + h + data
    ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + size, ipid, 0x4000, ttl, 6, 0, s, d)
    return ip[:10] + struct.pack('!H', checksum(ip)) + ip[12:] + h + data


def too_big(b, mtu, router):
    """The ICMP error a router answers packet `b` with."""
    if b[0] >> 4 == 4:
        icmp = struct.pack('!BBHHH', 3, 4, 0, 0, mtu) + b[:28]
        icmp = icmp[:2] + struct.pack('!H', checksum(icmp)) + icmp[4:]
        ip = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 20 + len(icmp), 7, 0, 64, 1, 0, socket.inet_aton(router), b[12:16])
        return ip[:10] + struct.pack('!H', checksum(ip)) + ip[12:] + icmp
    s, d = socket.inet_pton(socket.AF_INET6, router), b[8:24]
    icmp = struct.pack('!BBHI', 2, 0, 0, mtu) + b[:1232]
    icmp = icmp[:2] + struct.pack('!H', checksum(s + d + struct.pack('!II', len(icmp), 58) + icmp)) + icmp[4:]
    return struct.pack('!IHBB', 6 << 28, len(icmp), 58, 64) + s + d + icmp


class Packet:
    def __init__(self, b):
        self.bytes = b
        six = b[0] >> 4 == 6
        at = 40 if six else (b[0] & 15) * 4
        self.tcp = (b[6] if six else b[9]) == 6
        self.src = socket.inet_ntop(socket.AF_INET6, b[8:24]) if six else socket.inet_ntoa(b[12:16])
        self.dst = socket.inet_ntop(socket.AF_INET6, b[24:40]) if six else socket.inet_ntoa(b[16:20])
        self.flags = self.len = self.seq = self.ack = self.win = 0
        if self.tcp:
            self.sp, self.dp, self.seq, self.ack, off, self.flags, self.win = struct.unpack('!HHIIBBH', b[at:at + 16])
            total = 40 + struct.unpack('!H', b[4:6])[0] if six else struct.unpack('!H', b[2:4])[0]
            self.len = total - at - (off >> 4) * 4
        self.size = self.len + bool(self.flags & SYN) + bool(self.flags & FIN)


class Wire:
    """`fault(wire, direction, packet)` returns what to do to it: 'drop' (behind the middle), 'drop-early' (before it),
    ('delay', s), 'dup', 'ce', 'corrupt', 'unseen' (delivered, but in no capture), ('too-big', mtu), 'blackhole'."""

    def __init__(self, tag, fault, delay=0.005, six=False, mtu=1500):
        self.ns = {'a': f'estab-lab{tag}a', 'b': f'estab-lab{tag}b'}
        self.address = {'a': 'fd77::1', 'b': 'fd77::2'} if six else {'a': '10.77.0.1', 'b': '10.77.0.2'}
        self.fault, self.delay, self.six = fault, delay, six
        self.queue, self.order, self.log, self.sent = [], 0, [], []
        self.records = {'a': [], 'm': [], 'b': []}
        self.count, self.data, self.state = {'a>b': 0, 'b>a': 0}, {'a>b': 0, 'b>a': 0}, {}
        self.fd = {}
        for end in 'ab':
            sh(f'ip netns del {self.ns[end]}; ip netns add {self.ns[end]}')
            self.fd[end] = self.tun(end, tag, mtu)
        self.lock = threading.Lock()
        self.stopped = False
        # When both programs may count on each other to be there.
        self.meet = time.time() + 1.6
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def tun(self, end, tag, mtu):
        name = f'lab{tag}{end}'
        fd = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH22x', name.encode(), 0x1001))
        ns = self.ns[end]
        sh(f'ip link set {name} netns {ns}; ip -n {ns} link set lo up; ip -n {ns} link set {name} mtu {mtu}')
        bits = 64 if self.six else 24
        sh(f'ip -n {ns} addr add {self.address[end]}/{bits} dev {name}{" nodad" if self.six else ""}; ip -n {ns} link set {name} up')
        sh(f'ip -n {ns} route add default dev {name}; ip -n {ns} -6 route add default dev {name}')
        return fd

    def put(self, t, what, direction, b, seen=True):
        with self.lock:
            self.order += 1
            heapq.heappush(self.queue, (t, self.order, what, direction, b, seen))

    def inject(self, direction, b, after=0.0, what='inject', at_middle=False):
        """From somewhere along the way: it passes the middle and arrives."""
        t = time.time() + after
        if not at_middle:
            self.put(t, 'middle', direction, b)
        self.put(t + self.delay / 2, 'end', direction, b)
        if Packet(b).tcp:
            p = Packet(b)
            self.log.append(dict(t=t, act=what, dir=direction, seq=p.seq, len=p.len, flags=p.flags))

    def run(self):
        while not self.stopped:
            with self.lock:
                wait = 0.02 if not self.queue else max(0, min(0.02, self.queue[0][0] - time.time()))
            ready, _, _ = select.select(list(self.fd.values()), [], [], wait)
            for fd in ready:
                for _ in range(64):
                    try:
                        b = os.read(fd, 65536)
                    except BlockingIOError:
                        break
                    self.take('a>b' if fd == self.fd['a'] else 'b>a', b)
            self.deliver()

    def take(self, direction, b):
        p = Packet(b)
        if (b[0] >> 4 == 6) != self.six or (self.six and not p.tcp):
            return
        now = time.time()
        self.count[direction] += 1
        self.data[direction] += p.tcp and p.len > 0
        acts = self.fault(self, direction, p) or []
        seen = 'unseen' not in acts
        if seen:
            self.records[direction[0]].append((now, b))
        sent = dict(dir=direction, seq=p.seq, ack=p.ack, len=p.len, size=p.size, flags=p.flags, t=now, dropped=False, copies=1, late=0)
        if p.tcp:
            self.sent.append(sent)
        delay, copies, early = self.delay, 1, False
        for act in acts:
            name = act if isinstance(act, str) else act[0]
            self.log.append(dict(t=now, act=name, dir=direction, seq=p.seq, len=p.len, flags=p.flags))
            if name in ('drop', 'drop-early', 'blackhole', 'too-big'):
                sent['dropped'] = True
                early = early or name == 'drop-early'
            elif name == 'delay':
                delay += act[1]
                sent['late'] = act[1]
            elif name == 'dup':
                copies = sent['copies'] = 2
            elif name == 'ce':
                b = bytearray(b)
                if b[0] >> 4 == 6:
                    b[1] |= 0x30
                else:
                    b[1] |= 3
                    b[10:12] = b'\0\0'
                    b[10:12] = struct.pack('!H', checksum(bytes(b[:20])))
                b = bytes(b)
            elif name == 'corrupt':
                b = b[:-1] + bytes([b[-1] ^ 0x55])
                sent['damaged'] = True
            if name == 'too-big':
                other = 'b>a' if direction == 'a>b' else 'a>b'
                icmp = too_big(b, act[1], 'fd77::9' if self.six else '10.77.0.9')
                self.put(now + 1.5 * self.delay, 'middle', other, icmp)
                self.put(now + 2 * self.delay, 'end', other, too_big(b, act[1], 'fd77::9' if self.six else '10.77.0.9'))
        for k in range(copies):
            at = now + delay + 0.0003 * k
            if not early:
                self.put(at - self.delay / 2, 'middle', direction, b, seen)
            if not sent['dropped']:
                self.put(at, 'end', direction, b, seen)

    def deliver(self):
        while True:
            with self.lock:
                if not self.queue or self.queue[0][0] > time.time():
                    return
                t, _, what, direction, b, seen = heapq.heappop(self.queue)
            to = 'm' if what == 'middle' else direction[2]
            if seen:
                self.records[to].append((t if what == "middle" else time.time(), b))
            if what == 'end':
                try:
                    os.write(self.fd[to], b)
                except OSError:
                    pass

    def counters(self):
        found = {}
        for end in 'ab':
            for line in sh(f'ip netns exec {self.ns[end]} nstat -asz 2>/dev/null').split('\n'):
                f = line.split()
                if len(f) > 1 and f[0] in COUNTERS and f[1] != '0':
                    found[f'{end}.{f[0].removeprefix("TcpExt")}'] = int(f[1])
        return found

    def close(self, path, about, programs):
        time.sleep(0.2)
        kernel = self.counters()
        self.stopped = True
        self.thread.join()
        for fd in self.fd.values():
            os.close(fd)
        for end in 'ab':
            sh(f'ip netns del {self.ns[end]}')
        for place, records in self.records.items():
            with open(f'{path}.{place}.pcap', 'wb') as f:
                f.write(struct.pack('<IHHiIII', 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101))
                for t, b in sorted(records, key=lambda r: r[0]):
                    f.write(struct.pack('<IIII', int(t), int(t % 1 * 1e6), len(b), len(b)) + b)
        truth = dict(about=about, wire=self.log, kernel=kernel, said=programs, sent=self.sent)
        with open(f'{path}.json', 'w') as f:
            json.dump(truth, f)
        kinds = {}
        for event in self.log:
            kinds[event['act']] = kinds.get(event['act'], 0) + 1
        print(f'{os.path.basename(path)}: {kinds} {kernel} {programs}', flush=True)


PRELUDE = '''
import socket, struct, sys, time, threading, os
S, L, T = socket.SOL_SOCKET, socket.SO_LINGER, socket.IPPROTO_TCP
FAMILY, A, B, MEET = {family}, {a!r}, {b!r}, {meet}
def tcp(): return socket.socket(FAMILY, socket.SOCK_STREAM)
def listen(port=80, backlog=16):
    s = tcp(); s.setsockopt(S, socket.SO_REUSEADDR, 1); s.bind((B, port)); s.listen(backlog); return s
def connect(port=80):
    c = tcp(); c.connect((B, port)); return c
def drain(c):
    n = 0
    while True:
        x = c.recv(65536)
        if not x: return n
        n += len(x)
def reset(c): c.setsockopt(S, L, struct.pack('ii', 1, 0)); c.close()
'''


def program(wire, end, code):
    prelude = PRELUDE.format(family='socket.AF_INET6' if wire.six else 'socket.AF_INET', a=wire.address['a'], b=wire.address['b'],
                             meet=wire.meet)
    return subprocess.Popen(['ip', 'netns', 'exec', wire.ns[end], sys.executable, '-c', prelude + code], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def wait_for(wire, listens):
    """Until the server is there; a busy machine takes its time."""
    until = time.time() + 15
    while listens and time.time() < until and not sh(f'ip netns exec {wire.ns["b"]} ss -Hltn').strip():
        time.sleep(0.05)
    time.sleep(0.05 if listens else 0.4)


def play(directory, name, about='', fault=lambda w, d, p: None, server=None, client=None, delay=0.005, six=False, before='', during=None,
         wait=0.6, mtu=1500, tag=None):
    wire = Wire(tag or str(os.getpid() % 100000), fault, delay, six, mtu)
    for setting in before.split(';'):
        if setting.strip():
            end, rest = setting.strip().split(':', 1)
            sh(f'ip netns exec {wire.ns[end]} {rest.strip()}')
    time.sleep(0.05)
    running = []
    if server:
        running.append(program(wire, 'b', server))
        wait_for(wire, 'listen(' in server)
    said = ''
    if client:
        c = program(wire, 'a', client)
        if during:
            during(wire)
        try:
            said = c.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            c.kill()
    elif during:
        during(wire)
    time.sleep(wait)
    for p in running:
        p.kill()
        said += p.communicate()[0] or ''
    wire.close(os.path.join(directory, name), about, said.strip()[-300:])
