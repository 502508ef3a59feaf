
"""
What two kernels do over a wire with faults: see wire.py, and test/fixtures/captures/README.md.

usage: scenarios.py DIRECTORY [--six] [--pack] [SCENARIO ...]

writes DIRECTORY/SCENARIO.a.pcap, .m.pcap and .b.pcap (client, middle, server) and .json, the truth: what was sent, what the wire
did to it, what the kernels counted. --six plays over IPv6; --pack cuts packets to 100 octets and packs the files with gzip.
"""

import gzip, os, random, struct, sys, time

sys.path.insert(0, os.path.dirname(__file__))

from wire import *

SINK = 'l = listen(); c, _ = l.accept(); drain(c); c.close(); time.sleep(.5)'

def send(n, extra='', end='c.shutdown(1); drain(c); c.close()'):
    return f'c = connect(); {extra}\nc.sendall(b"x" * {n}); {end}'

REQUEST = 'l = listen(); c, _ = l.accept(); c.recv(1000); c.sendall(b"r" * 5000); drain(c); c.close(); time.sleep(.5)'

GET = '''
c = connect(); c.sendall(b"GET /"); n = 0
while n < 5000: n += len(c.recv(5000))
time.sleep(.05); c.close()'''

def nth(numbers, act='drop', way='a>b'):
    return lambda w, d, p: [act] if d == way and p.tcp and p.len > 0 and w.data[d] in numbers else None

def every(k, act, way='a>b', start=0):
    return lambda w, d, p: [act] if d == way and p.tcp and p.len > 0 and w.data[d] > start and w.data[d] % k == 0 else None

def first(test, act='drop', times=1):
    def f(w, d, p):
        if p.tcp and test(d, p) and w.state.get('n', 0) < times:
            w.state['n'] = w.state.get('n', 0) + 1
            return [act]
    return f

def chance(share, act, seed, way='a>b', after=5, test=lambda p: p.len > 0):
    r = random.Random(seed)
    return lambda w, d, p: [act] if (way is None or d == way) and p.tcp and w.count[d] > after and test(p) and r.random() < share else None

D = {20, 50, 51, 52, 90, 130, 131, 200}

NOSACK = 'a:sysctl -w net.ipv4.tcp_sack=0; b:sysctl -w net.ipv4.tcp_sack=0'

NOTS = 'a:sysctl -w net.ipv4.tcp_timestamps=0; b:sysctl -w net.ipv4.tcp_timestamps=0'

NONE = NOSACK + ';' + NOTS

S = {}

def add(name, fault=None, server=None, client=None, **k):
    S[name] = dict(fault=fault or (lambda w, d, p: None), server=server, client=client, **k)

# Opening
add('lost-syn', first(lambda d, p: p.flags & 18 == 2), REQUEST, GET)

add('lost-syn-early', first(lambda d, p: p.flags & 18 == 2, 'drop-early'), REQUEST, GET)

add('lost-syn-two', first(lambda d, p: p.flags & 18 == 2, times=2), REQUEST, GET)

add('lost-syn-nots', first(lambda d, p: p.flags & 18 == 2), REQUEST, GET, before=NOTS)

add('lost-synack', first(lambda d, p: p.flags & 18 == 18), REQUEST, GET)

add('lost-synack-two', first(lambda d, p: p.flags & 18 == 18, times=2), REQUEST, GET)

add('lost-synack-nots', first(lambda d, p: p.flags & 18 == 18), REQUEST, GET, before=NOTS)

add('lost-third-ack', first(lambda d, p: d == 'a>b' and p.flags & 18 == 16), REQUEST, GET)

add('lost-third-ack-quiet', first(lambda d, p: d == 'a>b' and p.flags & 18 == 16),
    'l = listen(); c, _ = l.accept(); c.sendall(b"220 hi"); drain(c); c.close(); time.sleep(.4)',
    'c = connect(); c.recv(10); c.sendall(b"QUIT"); c.close()')

add('lost-request', nth({1}), REQUEST, GET)

add('unanswered', lambda w, d, p: ['drop'] if p.tcp else None,
    None,
    '''
c = tcp(); c.settimeout(4)
try: c.connect((B, 80))
except OSError: pass''')

add('unanswered-early', lambda w, d, p: ['drop-early'] if p.tcp else None,
    None,
    '''
c = tcp(); c.settimeout(4)
try: c.connect((B, 80))
except OSError: pass''')

add('refused', None, None, 'for p in (81, 82, 443):\n try: connect(p)\n except OSError: pass')

add('simopen', None,
    '''
s = tcp(); s.bind((B, 5001)); time.sleep(MEET - time.time()); s.connect((A, 5000))
s.sendall(b"x"); drain(s); s.close(); time.sleep(.2)''',
    '''
s = tcp(); s.bind((A, 5000)); time.sleep(MEET - time.time()); s.connect((B, 5001))
s.sendall(b"y"); s.recv(1); s.close()''',
    delay=.03)
# Closing
add('server-closes', None,
    'l = listen(); c, _ = l.accept(); c.recv(100); c.sendall(b"r" * 3000); c.close(); time.sleep(1)',
    'c = connect(); c.sendall(b"GET"); drain(c); time.sleep(.1); c.close()')

add('server-closes-3', None,
    'l = listen(); c, _ = l.accept(); c.recv(100); c.sendall(b"r" * 3000); c.close(); time.sleep(1)',
    'c = connect(); c.sendall(b"GET"); drain(c); c.close()')

add('client-closes-4', None,
    'l = listen(); c, _ = l.accept(); drain(c); time.sleep(.2); c.close(); time.sleep(.3)',
    'c = connect(); c.sendall(b"hello"); time.sleep(.1); c.close(); time.sleep(.5)')

add('client-closes-3', None,
    'l = listen(); c, _ = l.accept(); drain(c); c.close(); time.sleep(.3)',
    'c = connect(); c.sendall(b"hello"); time.sleep(.1); c.close(); time.sleep(.3)')

SIMC = '''
c = connect()
t = time.time() + .3
c.sendall(struct.pack("!d", t))
c.recv(10)
time.sleep(t - time.time())
c.close()
time.sleep(.4)'''

SIMS = '''
l = listen()
c, _ = l.accept()
t = struct.unpack("!d", c.recv(8))[0]
c.sendall(b"ok")
time.sleep(t - time.time())
c.close()
time.sleep(.6)'''

add('simclose', None, SIMS, SIMC, delay=.02)

add('simclose-lost-fin', first(lambda d, p: d == 'a>b' and p.flags & 1), SIMS, SIMC, delay=.02)

add('half-close', None,
    'l = listen(); c, _ = l.accept(); n = drain(c); c.sendall(b"r" * 60003); c.close(); time.sleep(.4)',
    'c = connect(); c.sendall(b"q" * 2000); c.shutdown(1); drain(c); c.close()')

add('lost-fin', first(lambda d, p: d == 'a>b' and p.flags & 1), REQUEST, GET, wait=1.2)

add('lost-fin-answer', first(lambda d, p: d == 'b>a' and p.flags & 1), REQUEST, GET, wait=1.2)

def last_ack(act='drop', times=1):
    def f(w, d, p):
        if not p.tcp: return
        if d == 'b>a' and p.flags & 1: w.state['fin'] = 1
        elif d == 'a>b' and w.state.get('fin') and p.len == 0 and not p.flags & 1 and w.state.get('n', 0) < times:
            w.state['n'] = w.state.get('n', 0) + 1; return [act]
    return f

add('lost-last-ack', last_ack(), REQUEST, GET, wait=1.5)

add('lost-last-ack-two', last_ack(times=2), REQUEST, GET, wait=2)

add('abort', None,
    'l = listen(); c, _ = l.accept(); c.recv(100); c.sendall(b"ok"); time.sleep(1)',
    'c = connect(); c.sendall(b"hello"); c.recv(10); reset(c); time.sleep(.2)')

add('abort-server', None,
    '''
l = listen()
c, _ = l.accept()
c.recv(100)
c.sendall(b"ok")
time.sleep(.1)
reset(c)
time.sleep(.4)''',
    'c = connect(); c.sendall(b"hello"); c.recv(10); time.sleep(.4)')

add('abort-mid-transfer', None,
    'l = listen(); c, _ = l.accept(); drain(c)',
    'c = connect(); c.sendall(b"x" * 100000); time.sleep(.2); reset(c); time.sleep(.2)')

add('unread-server', None,
    'l = listen(); c, _ = l.accept(); time.sleep(.3); c.close(); time.sleep(.5)',
    'c = connect(); c.sendall(b"hello" * 100); time.sleep(.6)')

add('unread-server-some', None,
    '''
l = listen()
c, _ = l.accept()
c.recv(10)
c.sendall(b"no")
time.sleep(.2)
c.close()
time.sleep(.5)''',
    'c = connect(); c.sendall(b"hello" * 100); c.recv(10); time.sleep(.6)')

add('unread-client', None,
    'l = listen(); c, _ = l.accept(); c.recv(100); c.sendall(b"r" * 5000); time.sleep(1)',
    'c = connect(); c.sendall(b"GET"); time.sleep(.3); c.close(); time.sleep(.3)')

add('close-then-data', None,
    '''
l = listen(); c, _ = l.accept(); c.recv(100); time.sleep(.2)
try:
 for _ in range(5): c.sendall(b"late"); time.sleep(.1)
except OSError: pass
time.sleep(.2)''',
    'c = connect(); c.sendall(b"GET"); c.close(); time.sleep(.8)')
# Loss
for n, b in (('', ''), ('-nosack', NOSACK), ('-nots', NOTS), ('-none', NONE)):
    add('loss' + n, nth(D), SINK, send(400000), before=b)
    add('loss-early' + n, nth(D, 'drop-early'), SINK, send(400000), before=b)
    add('random-loss' + n, chance(.03, 'drop', 5), SINK, send(600000), before=b)
    add('burst-loss' + n, nth(set(range(60, 72))), SINK, send(400000), before=b)
    add('dup' + n, every(17, 'dup'), SINK, send(300000), before=b)
    add('reorder' + n, every(17, ('delay', .004)), SINK, send(400000), before=b)
    add('reorder-long' + n, every(40, ('delay', .025)), SINK, send(400000, end='time.sleep(.2); c.shutdown(1); drain(c); c.close()'), before=b)
    add('spurious-rto' + n, lambda w, d, p: [('delay', .35 - (w.data[d] - 30) * .0001)] if p.tcp and d == 'a>b' and 30 <= w.data[d] < 40 and p.len > 0 else None, SINK, send(120000, end='time.sleep(.7); c.shutdown(1); drain(c); c.close()'), before=b)
    add('tail-loss' + n, nth({14}), SINK, 'c = connect(); c.sendall(b"x" * 1448 * 14); time.sleep(.6); c.close()', before=b)
    add('ack-loss' + n, chance(.3, 'drop', 7, 'b>a', test=lambda p: p.size == 0), SINK, send(300000), before=b)

add('loss-download', nth(D, 'drop', 'b>a'),
    'l = listen(); c, _ = l.accept(); c.recv(100); c.sendall(b"y" * 400000); c.close(); time.sleep(.8)',
    'c = connect(); c.sendall(b"GET"); drain(c); c.close()')

add('loss-both-ways', chance(.02, 'drop', 11, None),
    '''
l = listen(); c, _ = l.accept()
t = threading.Thread(target=lambda: (c.sendall(b"y" * 300000), c.shutdown(1))); t.start()
drain(c); t.join(); c.close()
time.sleep(1)''',
    '''
c = connect()
t = threading.Thread(target=lambda: (c.sendall(b"x" * 300000), c.shutdown(1))); t.start()
drain(c); t.join(); c.close()''')

add('loss-retransmission', lambda w, d, p: ['drop'] if p.tcp and d == 'a>b' and p.len > 0 and (w.data[d] == 40 and w.state.setdefault('s', p.seq) or p.seq == w.state.get('s') and w.state.__setitem__('k', w.state.get('k', 0) + 1) is None and w.state['k'] < 3) else None,
    SINK,
    send(400000))

add('tail-loss-two', nth({13, 14}), SINK, 'c = connect(); c.sendall(b"x" * 1448 * 14); time.sleep(.6); c.close()')

add('tail-loss-fin', first(lambda d, p: d == 'a>b' and p.flags & 1 and p.len > 0),
    SINK,
    'c = connect(); c.sendall(b"x" * 1448 * 14); c.shutdown(1); drain(c)')

add('dup-acks', every(1, 'dup', 'b>a'),
    SINK,
    send(60000))

add('dup-acks', every(1, 'dup', 'b>a'), SINK, send(60000)) ; S['dup-acks']['fault'] = lambda w, d, p: ['dup'] if p.tcp and d == 'b>a' and w.count[d] % 9 == 0 else None

add('dup-handshake', lambda w, d, p: ['dup'] if p.tcp and p.flags & 3 else None, REQUEST, GET)

add('dup-all', lambda w, d, p: ['dup'] if p.tcp and w.count[d] % 5 == 0 else None, REQUEST, GET)

add('dup-late', every(29, 'dup'), SINK, send(300000))

add('reorder-download', every(17, ('delay', .004), 'b>a'),
    'l = listen(); c, _ = l.accept(); c.recv(100); c.sendall(b"y" * 400000); c.close(); time.sleep(.8)',
    'c = connect(); c.sendall(b"GET"); drain(c); c.close()')

add('reorder-one', nth({50}, ('delay', .012)), SINK, send(200000))

add('reorder-tiny', every(23, ('delay', .0008)), SINK, send(300000))

add('loss-and-reorder', lambda w, d, p: (['drop'] if w.data[d] % 41 == 0 else [('delay', .004)] if w.data[d] % 17 == 0 else None) if p.tcp and d == 'a>b' and p.len > 0 else None,
    SINK,
    send(400000))

add('corrupt', every(40, 'corrupt'), SINK, send(300000))

add('jitter', lambda w, d, p: [('delay', random.Random(w.count[d] // 6).random() * .01)] if p.tcp else None,
    SINK,
    send(200000))

def outage(start, length, way='a>b'):
    def f(w, d, p):
        if not p.tcp: return
        w.state.setdefault('t0', time.time())
        if (way is None or d == way) and start <= time.time() - w.state['t0'] < start + length: return ['blackhole']
    return f

CHAT = '''
c = connect(); c.settimeout(20)
for i in range(12): c.sendall(b"q" * 700); c.recv(100); time.sleep(.05)
c.close()'''

CHATS = 'l = listen(); c, _ = l.accept()\nwhile c.recv(1000): c.sendall(b"ok")\nc.close(); time.sleep(.3)'

add('outage', outage(.3, 2), CHATS, CHAT)

add('outage-back', outage(.3, 2, 'b>a'), CHATS, CHAT)

add('outage-both', outage(.3, 2, None), CHATS, CHAT)

add('outage-bulk', outage(.05, 1.5), SINK, send(3000000))

add('outage-for-good', outage(.3, 60, None),
    CHATS,
    '''
c = connect(); c.setsockopt(6, 18, 3000)
try:
 for i in range(12): c.sendall(b"q" * 700); c.recv(100); time.sleep(.05)
except OSError as e: print(e)
''')
# Windows
SLOW = '''
l = listen()
l.close()
l = tcp()
l.setsockopt(S, socket.SO_REUSEADDR, 1)
l.setsockopt(S, socket.SO_RCVBUF, 4096)
l.bind((B, 80))
l.listen(5)
c, _ = l.accept()
time.sleep({})
drain(c)
c.close()
time.sleep(.3)'''

add('zero-window', None, SLOW.format(3.2), send(60000))

add('zero-window-short', None, SLOW.format(.5), send(60000))

add('zero-window-never', None,
    SLOW.format(60),
    '''
c = connect(); c.settimeout(4)
try: c.sendall(b"x" * 3000000)
except OSError: pass
reset(c)''')

add('zero-window-nots', None, SLOW.format(2), send(60000), before=NOTS)

add('zero-window-update-lost', lambda w, d, p: ['drop'] if p.tcp and d == 'b>a' and w.state.get('z') and p.win > 0 and p.len == 0 and not w.state.get('x') and w.state.update(x=1) is None else (w.state.update(z=1) if p.tcp and d == 'b>a' and p.win == 0 and not p.flags & 6 else None),
    SLOW.format(1.2),
    send(60000))

KA = '''
c = tcp()
c.setsockopt(S, socket.SO_KEEPALIVE, 1)
c.setsockopt(6, 4, {})
c.setsockopt(6, 5, 1)
c.setsockopt(6, 6, 3)
c.connect((B, 80))
'''

def dead(w):
    time.sleep(1.2); w.state['dead'] = 1

DEAD = lambda w, d, p: ['drop'] if w.state.get('dead') else None

add('keepalive', None,
    '''
l = listen()
c, _ = l.accept()
c.recv(100)
time.sleep(3.6)
c.sendall(b"x")
drain(c)
c.close()
time.sleep(.3)''',
    KA.format(1) + 'c.sendall(b"hi"); c.recv(10); c.close()')

add('keepalive-dead', DEAD,
    'l = listen(); c, _ = l.accept(); c.recv(100); time.sleep(20)',
    KA.format(2) + 'c.sendall(b"hi")\ntry: c.recv(10)\nexcept OSError as e: print(e)',
    during=dead)

add('keepalive-then-dead', DEAD,
    'l = listen(); c, _ = l.accept(); c.recv(100); time.sleep(20)',
    KA.format(1) + 'c.sendall(b"hi")\ntry: c.recv(10)\nexcept OSError as e: print(e)',
    during=lambda w: (time.sleep(3.6), w.state.update(dead=1)))

add('keepalive-server-dead', DEAD,
    '''
l = listen(); c, _ = l.accept(); c.setsockopt(S, socket.SO_KEEPALIVE, 1); c.setsockopt(6, 4, 2); c.setsockopt(6, 5, 1); c.setsockopt(6, 6, 3); c.recv(100); c.sendall(b"ok")
try: c.recv(10)
except OSError as e: print(e)''',
    'c = connect(); c.sendall(b"hi"); c.recv(10); time.sleep(7)',
    during=dead)
# Half-open
CRASHED = 'l = listen(); c, _ = l.accept(); c.recv(100); c.sendall(b"ok"); time.sleep(.4); reset(c); time.sleep(2)'

add('half-open', first(lambda d, p: d == 'b>a' and p.flags & 4),
    CRASHED,
    '''
c = connect(); c.sendall(b"a"); c.recv(10); time.sleep(1)
try:
 c.sendall(b"b"); c.recv(10)
except OSError: pass
time.sleep(.2)''')

add('half-open-early', first(lambda d, p: d == 'b>a' and p.flags & 4, 'drop-early'),
    CRASHED,
    '''
c = connect(); c.sendall(b"a"); c.recv(10); time.sleep(1)
try:
 c.sendall(b"b"); c.recv(10)
except OSError: pass
time.sleep(.2)''')

add('half-open-keepalive', first(lambda d, p: d == 'b>a' and p.flags & 4),
    CRASHED,
    KA.format(2) + 'c.sendall(b"a"); c.recv(10)\ntry: c.recv(10)\nexcept OSError: pass\ntime.sleep(.2)')

add('half-open-reconnect', first(lambda d, p: d == 'a>b' and p.flags & 4),
    '''
l = listen()
c, _ = l.accept()
c.recv(100)
c.sendall(b"ok")
d, _ = l.accept()
d.recv(100)
d.sendall(b"ok")
drain(d)
d.close()
time.sleep(.4)''',
    '''
def go():
 c = tcp(); c.setsockopt(S, socket.SO_REUSEADDR, 1); c.bind((A, 40000)); c.connect((B, 80)); c.sendall(b"a"); c.recv(10); return c
c = go(); reset(c); time.sleep(1); c = go(); c.close(); time.sleep(.2)''')
# Foreign hands
def injected(toward, delta=0, flags=4, ttl=200, ipid=1, at_middle=False):
    def f(w, d, p):
        if p.tcp and d == 'b>a' and p.len > 0 and not w.state.get('i'):
            w.state['i'] = 1
            if toward == 'b': w.inject('a>b', packet(w.address['a'], w.address['b'], p.dp, p.sp, p.ack + delta, 0, flags, ttl=ttl, ipid=ipid), .05, 'inject-rst', at_middle)
            else: w.inject('b>a', packet(w.address['b'], w.address['a'], p.sp, p.dp, p.seq + p.len + delta, p.ack, flags | 16, ttl=ttl, ipid=ipid), .05, 'inject-rst', at_middle)
    return f

IS = '''
l = listen(); c, _ = l.accept(); c.recv(100); c.sendall(b"r" * 10); time.sleep(.3)
try:
 c.sendall(b"s" * 10); time.sleep(.3); c.close()
except OSError: pass
time.sleep(.4)'''

IC = '''
c = connect(); c.sendall(b"GET")
try:
 c.recv(100); time.sleep(.2); c.sendall(b"more"); time.sleep(.4); c.recv(100); c.close()
except OSError: pass
time.sleep(.2)'''

add('inject-b', injected('b'), IS, IC)

add('inject-a', injected('a'), IS, IC)

add('inject-b-near-ttl', injected('b', ttl=61, ipid=31337), IS, IC)

add('inject-a-near-ttl', injected('a', ttl=63, ipid=31337), IS, IC)

add('inject-a-same-ttl', injected('a', ttl=64, ipid=0), IS, IC)

add('inject-blind', injected('b', 1000), IS, IC)

add('inject-blind-a', injected('a', 1000), IS, IC)

add('inject-outside', injected('b', -70000), IS, IC)

def blind(w, d, p):
    if p.tcp and d == 'a>b' and p.len > 0 and not w.state.get('i'):
        w.state['i'] = 1
        w.inject('a>b', packet(w.address['a'], w.address['b'], p.sp, p.dp, p.seq + 1000, 0, 4, ipid=1), .05, 'inject-rst')
        w.inject('a>b', packet(w.address['a'], w.address['b'], p.sp, p.dp, p.seq + 2000, 0, 2, ipid=2), .6, 'inject-syn')

add('inject-blind-syn', blind,
    '''
l = listen()
c, _ = l.accept()
c.recv(100)
time.sleep(1)
c.sendall(b"r" * 10)
drain(c)
c.close()
time.sleep(.3)''',
    'c = connect(); c.sendall(b"hello"); c.recv(100); c.close()')

def blind_data(w, d, p):
    if p.tcp and d == 'a>b' and p.len > 0 and not w.state.get('i'):
        w.state['i'] = 1
        w.inject('a>b', packet(w.address['a'], w.address['b'], p.sp, p.dp, p.seq, p.ack, 24, ipid=5, data=b'X' * p.len, opts=b''), .05, 'inject-data')

add('inject-overlap', blind_data, IS, IC)
# Floods and scans
def flood(n, gap, one=False):
    def f(w):
        time.sleep(.4)
        r = random.Random(3)
        for i in range(n):
            k = 7 if one else r.randrange(65536)
            src = f'2001:db8::{k:x}' if w.six else f'198.18.{k >> 8}.{k & 255}'
            w.inject('a>b', packet(src, w.address['b'], r.randrange(2000, 65000), 80, r.getrandbits(32), 0, 2, ttl=r.choice((52, 113, 240)), ipid=r.randrange(65536), opts=b'\x02\x04\x05\xb4'), 0, 'spoof')
            time.sleep(gap)
    return f

HONEST = '''
time.sleep(.3)
for i in range(6):
 c = tcp(); c.settimeout({})
 try: c.connect((B, 80)); c.sendall(b"hi"); c.recv(2); c.close()
 except OSError as e: print(e)
 time.sleep(.2)'''

WEB = '''
l = listen(backlog={})
while 1:
 c, _ = l.accept(); threading.Thread(target=lambda c=c: (c.recv(10), c.sendall(b"ok"), c.close())).start()'''

add('flood-nocookies', None,
    WEB.format(32),
    HONEST.format('.9'),
    before='b:sysctl -w net.ipv4.tcp_syncookies=0; b:sysctl -w net.ipv4.tcp_max_syn_backlog=64',
    during=flood(500, .004))

add('flood-nocookies-wait', None,
    WEB.format(32),
    HONEST.format('8'),
    before='b:sysctl -w net.ipv4.tcp_syncookies=0; b:sysctl -w net.ipv4.tcp_max_syn_backlog=64',
    during=flood(500, .004))

add('flood-cookies', None,
    WEB.format(32),
    HONEST.format('3'),
    before='b:sysctl -w net.ipv4.tcp_syncookies=1; b:sysctl -w net.ipv4.tcp_max_syn_backlog=32',
    during=flood(500, .004))

add('flood-bigbacklog', None,
    WEB.format(4096),
    HONEST.format('3'),
    before='b:sysctl -w net.core.somaxconn=8192; b:sysctl -w net.ipv4.tcp_max_syn_backlog=8192',
    during=flood(300, .004))

add('flood-one-source', None, WEB.format(32), HONEST.format('3'), during=flood(300, .004, one=True))

OPEN = 'ls = [listen(p) for p in (22, 80, 443)]\ntime.sleep(6)'

def synscan(w):
    time.sleep(.3)
    ports = list(range(20, 30)) + [80, 110, 143, 443, 3306, 5432, 6379, 8080, 8443, 9200] + list(range(1000, 1020))
    random.Random(1).shuffle(ports)
    for n, port in enumerate(ports):
        w.inject('a>b', packet('10.77.0.66' if not w.six else 'fd77::66', w.address['b'], 45000 + n % 3, port, 1000 + n, 0, 2, win=1024, ttl=51, ipid=n * 77, opts=b'\x02\x04\x05\xb4'), 0, 'probe')
        time.sleep(.01)

def scanfault(w, d, p):
    # the scanner's own kernel resets what it did not ask for
    if p.tcp and d == 'b>a' and p.dst in ('10.77.0.66', 'fd77::66') and p.flags & 18 == 18:
        w.inject('a>b', packet(p.dst, p.src, p.dp, p.sp, p.ack, 0, 4, win=0, ttl=51, ipid=0), .011, 'probe-rst')

add('syn-scan', scanfault, OPEN, None, during=synscan)

add('syn-scan-filtered', lambda w, d, p: scanfault(w, d, p) or (['drop'] if p.tcp and d == 'b>a' and p.flags & 4 else None),
    OPEN,
    None,
    during=synscan)

add('connect-scan', None,
    OPEN,
    '''
for p in list(range(20, 60)) + [80, 443]:
 try: c = connect(p); c.close()
 except OSError: pass''')
# Paths
add('ecn', None, SINK, send(400000), before='a:sysctl -w net.ipv4.tcp_ecn=1; b:sysctl -w net.ipv4.tcp_ecn=1')

add('ecn-ce', every(30, 'ce'),
    SINK,
    send(400000),
    before='a:sysctl -w net.ipv4.tcp_ecn=1; b:sysctl -w net.ipv4.tcp_ecn=1')

add('ecn-ce-loss', lambda w, d, p: (['drop'] if w.data[d] == 100 else ['ce'] if w.data[d] % 30 == 0 else None) if p.tcp and d == 'a>b' and p.len > 0 else None,
    SINK,
    send(400000),
    before='a:sysctl -w net.ipv4.tcp_ecn=1; b:sysctl -w net.ipv4.tcp_ecn=1')

add('ecn-refused', None, REQUEST, GET, before='a:sysctl -w net.ipv4.tcp_ecn=1; b:sysctl -w net.ipv4.tcp_ecn=0')

def big(p, limit): return len(p.bytes) > limit

add('pmtu-icmp', lambda w, d, p: [('too-big', 1300)] if p.tcp and d == 'a>b' and big(p, 1300) else None,
    SINK,
    send(60000))

add('pmtu-icmp-mid', lambda w, d, p: [('too-big', 1300)] if p.tcp and d == 'a>b' and w.data[d] > 60 and big(p, 1300) else None,
    SINK,
    send(200000))

add('pmtu-blackhole', lambda w, d, p: ['blackhole'] if p.tcp and d == 'a>b' and big(p, 1300) else None,
    SINK,
    send(60000),
    before='a:sysctl -w net.ipv4.tcp_mtu_probing=1',
    wait=1)

add('pmtu-blackhole-forever', lambda w, d, p: ['blackhole'] if p.tcp and d == 'a>b' and big(p, 1300) else None,
    SINK,
    '''
c = connect(); c.setsockopt(6, 18, 5000); c.sendall(b"GET"); time.sleep(.1); c.sendall(b"x" * 60000)
try: c.recv(10)
except OSError as e: print(e)''')

add('pmtu-probing', None, SINK, send(900000), before='a:sysctl -w net.ipv4.tcp_mtu_probing=2')

WWR = '''
l = listen(); c, _ = l.accept()
n = 0
while True:
 x = c.recv(100)
 if not x: break
 n += len(x)
 while n >= 40: n -= 40; c.sendall(b"k" * 10)
c.close(); time.sleep(.3)'''

add('nagle', None,
    WWR,
    '''
c = connect()
for i in range(8): c.sendall(b"h" * 20); c.sendall(b"b" * 20); c.recv(100)
c.close()''')

add('nagle-off', None,
    WWR,
    '''
c = connect(); c.setsockopt(6, 1, 1)
for i in range(8): c.sendall(b"h" * 20); c.sendall(b"b" * 20); c.recv(100)
c.close()''')
# Odd things
FO = 'a:sysctl -w net.ipv4.tcp_fastopen=3; b:sysctl -w net.ipv4.tcp_fastopen=3'

add('fast-open', None,
    '''
l = tcp(); l.bind((B, 80)); l.setsockopt(6, 23, 5); l.listen(5)
for i in range(2):
 c, _ = l.accept(); c.recv(10); c.sendall(b"x"); drain(c); c.close()
time.sleep(.3)''',
    '''
for i in range(2):
 c = tcp(); c.sendto(b"hello", 0x20000000, (B, 80)); c.recv(1); c.close(); time.sleep(.1)''',
    before=FO)

add('urgent', None,
    'l = listen(); c, _ = l.accept(); time.sleep(.2); drain(c); c.close(); time.sleep(.3)',
    '''
c = connect()
c.sendall(b"abc")
c.send(b"!", socket.MSG_OOB)
c.sendall(b"def")
time.sleep(.1)
c.close()''')

add('port-reuse', None,
    '''
l = listen()
for i in range(2):
 c, _ = l.accept(); c.recv(10); c.sendall(b"x"); drain(c); c.close()
time.sleep(.5)''',
    '''
for i in range(2):
 c = tcp(); c.setsockopt(S, socket.SO_REUSEADDR, 1); c.bind((A, 44444)); c.connect((B, 80)); c.sendall(b"a"); c.recv(1); c.close(); time.sleep(1.3)''',
    before='a:sysctl -w net.ipv4.tcp_tw_reuse=1')

add('port-reuse-server', None,
    '''
l = listen()
for i in range(2):
 c, _ = l.accept(); c.recv(10); c.sendall(b"x"); c.close()
time.sleep(.5)''',
    '''
for i in range(2):
 c = tcp(); c.setsockopt(S, socket.SO_REUSEADDR, 1); c.bind((A, 44444)); c.connect((B, 80)); c.sendall(b"a"); drain(c); c.close(); time.sleep(1.3)''')

add('gap', lambda w, d, p: ['unseen'] if p.tcp and d == 'a>b' and p.len > 0 and w.data[d] in (40, 41, 42, 90) else None,
    SINK,
    send(300000))

add('gap-one', lambda w, d, p: ['unseen'] if p.tcp and d == 'a>b' and p.len > 0 and w.data[d] == 3 else None,
    REQUEST,
    '''
c = connect()
for i in range(6): c.sendall(b"q" * 500); time.sleep(.02)
time.sleep(.1); c.close()''')

add('gap-window', lambda w, d, p: ['unseen'] if p.tcp and 60 < w.data['a>b'] < 90 else None, SINK, send(300000))

add('gap-and-loss', lambda w, d, p: (['unseen'] if w.data[d] in (40, 41, 42, 90) else ['drop'] if w.data[d] in (60, 120) else None) if p.tcp and d == 'a>b' and p.len > 0 else None,
    SINK,
    send(300000))

add('midstream', lambda w, d, p: ['unseen'] if w.count['a>b'] + w.count['b>a'] < 12 else None, SINK, send(100000))

add('midstream-loss', lambda w, d, p: ['unseen'] if w.count['a>b'] + w.count['b>a'] < 12 else ['drop'] if p.tcp and d == 'a>b' and w.data[d] in (30, 31, 80) else None,
    SINK,
    send(200000))
# Nothing wrong
add('clean-bulk', None, SINK, send(1500000))

add('clean-download', None,
    'l = listen(); c, _ = l.accept(); c.recv(100); c.sendall(b"y" * 1000000); c.close(); time.sleep(.4)',
    'c = connect(); c.sendall(b"GET"); drain(c); c.close()')

add('clean-chat', None,
    '''
l = listen(); c, _ = l.accept()
while True:
 x = c.recv(100)
 if not x: break
 c.sendall(x)
c.close(); time.sleep(.3)''',
    '''
c = connect(); c.setsockopt(6, 1, 1)
import random
r = random.Random(2)
for i in range(60): c.sendall(b"k" * r.randrange(1, 40)); c.recv(100); time.sleep(r.random() * .03)
c.close()''')

add('clean-typing', None,
    '''
l = listen(); c, _ = l.accept(); c.setsockopt(6, 1, 1)
while True:
 x = c.recv(100)
 if not x: break
 c.sendall(x * 3)
c.close(); time.sleep(.3)''',
    '''
c = connect(); c.setsockopt(6, 1, 1)
import random
r = random.Random(2)
t = threading.Thread(target=drain, args=(c,)); t.start()
for i in range(80): c.sendall(b"k"); time.sleep(r.random() * .05)
c.shutdown(1); t.join(); c.close()''')

add('clean-both', None,
    '''
l = listen(); c, _ = l.accept()
t = threading.Thread(target=lambda: (c.sendall(b"y" * 300000), c.shutdown(1))); t.start()
drain(c); t.join(); c.close()
time.sleep(.5)''',
    '''
c = connect()
t = threading.Thread(target=lambda: (c.sendall(b"x" * 300000), c.shutdown(1))); t.start()
drain(c); t.join(); c.close()''')

add('clean-parallel', None,
    '''
l = listen(backlog=64)
def serve(c): c.recv(100); c.sendall(b"y" * 20000); c.close()
while 1:
 c, _ = l.accept(); threading.Thread(target=serve, args=(c,)).start()''',
    '''
def one():
 c = connect(); c.sendall(b"GET"); drain(c); c.close()
ts = [threading.Thread(target=one) for _ in range(20)]
[t.start() for t in ts]; [t.join() for t in ts]''')

add('clean-keepalive-http', None,
    '''
l = listen(); c, _ = l.accept()
while True:
 x = c.recv(1000)
 if not x: break
 c.sendall(b"HTTP/1.1 200 OK" + b"z" * 4000)
c.close(); time.sleep(.3)''',
    '''
c = connect()
for i in range(10):
 c.sendall(b"GET / HTTP/1.1"); n = 0
 while n < 4015: n += len(c.recv(9000))
 time.sleep(.1)
c.close()''')

add('clean-slow-reader', None,
    '''
l = listen(); c, _ = l.accept()
for i in range(20): c.recv(4000); time.sleep(.02)
drain(c); c.close(); time.sleep(.3)''',
    send(200000))

add('clean-longfat', None, SINK, send(1500000), delay=.06)

add('clean-fast', None, SINK, send(1500000), delay=.0001)

def pack(path):
    """Cuts packets to what the headers take, and packs the file."""
    with open(path, 'rb') as f:
        b = f.read()
    out, at = [b[:24]], 24
    while at < len(b):
        s, u, kept, size = struct.unpack('<IIII', b[at:at + 16])
        out.append(struct.pack('<IIII', s, u, min(kept, 100), size) + b[at + 16:at + 16 + min(kept, 100)])
        at += 16 + kept
    with open(path + '.gz', 'wb') as f:
        f.write(gzip.compress(b''.join(out), 9, mtime=0))
    os.remove(path)

if __name__ == '__main__':
    directory = sys.argv[1]
    os.makedirs(directory, exist_ok=True)
    names = [n for n in sys.argv[2:] if not n.startswith('--')] or list(S)
    for name in names:
        play(directory, name, six='--six' in sys.argv, **S[name])
        if '--pack' in sys.argv:
            for place in 'amb':
                pack(f'{directory}/{name}.{place}.pcap')
