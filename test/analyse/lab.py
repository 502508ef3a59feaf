"""Makes captures whose truth is known: see test/fixtures/captures/README.md. Needs root, TUN and Linux.

usage: lab.py [SCENARIO ...]   writes /tmp/lab/SCENARIO.pcap and prints what the wire did and the kernels counted.
"""
import os,fcntl,struct,subprocess,threading,time,heapq,sys,json,select
TUNSETIFF=0x400454ca
def sh(c): return subprocess.run(c,shell=True,check=False,stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL)
def tun(name,ns,addr,peer):
    fd=os.open('/dev/net/tun',os.O_RDWR|os.O_NONBLOCK)
    fcntl.ioctl(fd,TUNSETIFF,struct.pack('16sH22x',name.encode(),0x1001))
    sh(f'ip link set {name} netns {ns}; ip -n {ns} link set lo up; ip -n {ns} addr add {addr}/24 dev {name}; ip -n {ns} link set {name} up')
    return fd
def cksum(b):
    if len(b)&1: b+=b'\0'
    s=sum(struct.unpack('!%dH'%(len(b)//2),b))
    while s>>16: s=(s&0xffff)+(s>>16)
    return ~s&0xffff
def mk(src,dst,sp,dp,seq,ack,flags,win=64240,ttl=200,ipid=1,data=b'',opts=b''):
    import socket
    s=socket.inet_aton(src); d=socket.inet_aton(dst)
    h=struct.pack('!HHIIBBHHH',sp,dp,seq&0xffffffff,ack&0xffffffff,(5+len(opts)//4)<<4,flags,win,0,0)+opts
    c=cksum(s+d+struct.pack('!HH',6,len(h)+len(data))+h+data)
    h=h[:16]+struct.pack('!H',c)+h[18:]
    ip=struct.pack('!BBHHHBBH4s4s',0x45,0,20+len(h)+len(data),ipid,0x4000,ttl,6,0,s,d)
    ip=ip[:10]+struct.pack('!H',cksum(ip))+ip[12:]
    return ip+h+data
class P:
    def __init__(s,b):
        s.b=b; ihl=(b[0]&15)*4; s.proto=b[9]; s.tcp=s.proto==6
        if s.tcp:
            s.sp,s.dp,s.seq,s.ack,off,s.flags,s.win=struct.unpack('!HHIIBBH',b[ihl:ihl+16]); s.len=struct.unpack('!H',b[2:4])[0]-ihl-(off>>4)*4
class Wire:
    def __init__(s,fault,delay=0.005,at='a',rate=0):
        s.fault=fault; s.delay=delay; s.at=at; s.q=[]; s.n=0; s.log=[]; s.pk=[]; s.stop=False; s.count={'a>b':0,'b>a':0}; s.data={'a>b':0,'b>a':0}; s.lastq={'a>b':0,'b>a':0}
        sh('ip netns del la; ip netns del lb; ip netns add la; ip netns add lb')
        s.a=tun('tla','la','10.77.0.1',None); s.b_=tun('tlb','lb','10.77.0.2',None)
        s.state={}
        s.t=threading.Thread(target=s.run); s.t.start()
    def rec(s,b): s.pk.append((time.time(),b))
    def put(s,t,dir,b): s.n+=1; heapq.heappush(s.q,(t,s.n,dir,b))
    def inject(s,dir,b,after=0): s.put(time.time()+after,dir,b)
    def run(s):
        while not s.stop:
            now=time.time()
            tmo=0.05 if not s.q else max(0,min(0.05,s.q[0][0]-now))
            r,_,_=select.select([s.a,s.b_],[],[],tmo)
            for fd in r:
                for _ in range(64):
                    try: b=os.read(fd,65536)
                    except BlockingIOError: break
                    if b[0]>>4!=4: continue
                    dir='a>b' if fd==s.a else 'b>a'
                    if s.at==dir[0]: s.rec(b)
                    p=P(b); s.count[dir]+=1
                    if p.tcp and p.len>0: s.data[dir]+=1
                    acts=s.fault(s,dir,p) or []
                    now=time.time(); d=s.delay
                    drop=False
                    for act in acts:
                        if act=='drop': drop=True; s.log.append(('drop',dir,p.seq,p.len,p.flags))
                        elif act[0]=='delay': d+=act[1]; s.log.append(('delay',dir,p.seq,p.len,p.flags))
                        elif act=='dup': s.put(now+d+0.0003,dir,b); s.log.append(('dup',dir,p.seq,p.len,p.flags))
                        elif act=='ce':
                            b=bytearray(b); b[1]|=3; b[10:12]=b'\0\0'; b[10:12]=struct.pack('!H',cksum(bytes(b[:20]))); b=bytes(b); s.log.append(('CE',dir,p.seq,p.len,p.flags))
                        elif act=='corrupt':
                            b=bytearray(b); b[-1]^=0x55; b=bytes(b); s.log.append(('corrupt',dir,p.seq,p.len,p.flags))
                    if not drop:
                        t=now+d
                        s.put(t,dir,b)
            now=time.time()
            while s.q and s.q[0][0]<=now:
                t,_,dir,b=heapq.heappop(s.q)
                dst='b' if dir=='a>b' else 'a'
                if s.at==dst: s.rec(b)
                try: os.write(s.b_ if dst=='b' else s.a,b)
                except OSError as e: pass
    def close(s,name):
        time.sleep(0.3); 
        st={}
        for ns in 'ab':
            o=subprocess.run(f'ip netns exec l{ns} nstat -asz 2>/dev/null',shell=True,capture_output=True,text=True).stdout
            for l in o.split('\n'):
                f=l.split()
                if len(f)>1 and f[0] in('TcpRetransSegs','TcpExtTCPTimeouts','TcpExtTCPFastRetrans','TcpExtTCPLossProbes','TcpExtTCPDSACKRecv','TcpExtTCPChallengeACK','TcpExtTCPKeepAlive','TcpExtSyncookiesSent','TcpExtTCPDSACKOldSent') and f[1]!='0': st[ns+'.'+f[0]]=int(f[1])
        s.stop=True; s.t.join(); os.close(s.a); os.close(s.b_)
        with open(f'/tmp/lab/{name}.pcap','wb') as f:
            f.write(struct.pack('<IHHiIII',0xa1b2c3d4,2,4,0,0,262144,101))
            for t,b in sorted(s.pk,key=lambda x:x[0]):
                f.write(struct.pack('<IIII',int(t),int(t%1*1e6),len(b),len(b))+b)
        kinds={}
        for l in s.log: kinds[l[0]]=kinds.get(l[0],0)+1
        print(f'{name} at={s.at} wire={kinds} kernel={st}')
def py(ns,code,wait=False):
    p=subprocess.Popen(['ip','netns','exec','l'+ns,sys.executable,'-c','import socket,time,struct,sys\n'+code])
    if wait: p.wait(timeout=90)
    return p
SRV='''
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('10.77.0.2',80)); s.listen(16)
'''
SINK=SRV+'''
c,_=s.accept()
while c.recv(65536): pass
c.close()
'''
def src(n,extra=''): return f'''
c=socket.socket(); {extra}
c.connect(('10.77.0.2',80)); c.sendall(b'x'*{n}); c.shutdown(1)
while c.recv(1000): pass
c.close()
'''
REQ=SRV+'''
c,_=s.accept(); c.recv(1000); c.sendall(b'r'*5000); 
while c.recv(1000): pass
c.close()
'''
GET='''
c=socket.socket(); c.connect(('10.77.0.2',80)); c.sendall(b'GET /'); n=0
while n<5000: n+=len(c.recv(5000))
time.sleep(.05); c.close()
'''
def scen(name,fault,server,client,at='a',delay=0.005,pre='',during=None,wait=1.0):
    w=Wire(fault,delay,at)
    if pre: sh(pre)
    time.sleep(.1)
    ps=py('b',server) if server else None; time.sleep(.25)
    pc=py('a',client) if client else None
    if during: during(w)
    try:
        if pc: pc.wait(timeout=90)
    except Exception: pc.kill()
    time.sleep(wait)
    if ps: ps.kill()
    w.close(name)
none=lambda w,d,p:None
def nth_data(ns,dirn='a>b',act='drop'):
    def f(w,d,p):
        if d==dirn and p.tcp and p.len>0 and w.data[d] in ns: return [act]
    return f
def first(cond,act='drop',k=1):
    def f(w,d,p):
        if p.tcp and cond(d,p) and w.state.get('n',0)<k:
            w.state['n']=w.state.get('n',0)+1; return [act]
    return f
S={}
S['server-closes']=lambda:scen('server-closes',none,SRV+"c,_=s.accept(); c.recv(100); c.sendall(b'r'*3000); c.close()\ntime.sleep(1)","c=socket.socket(); c.connect(('10.77.0.2',80)); c.sendall(b'GET')\nwhile c.recv(1000): pass\ntime.sleep(.1); c.close()")
S['simclose']=lambda:scen('simclose',none,SRV+"c,_=s.accept(); c.recv(100); c.sendall(b'r'); t=float(open('/tmp/lab/t').read()); time.sleep(t-time.time()); c.close()\ntime.sleep(1)","open('/tmp/lab/t','w').write(str(time.time()+.5))\nt=float(open('/tmp/lab/t').read()); c=socket.socket(); c.connect(('10.77.0.2',80)); c.sendall(b'GET'); c.recv(10); time.sleep(t-time.time()); c.close()",delay=0.02)
S['lost-syn']=lambda:scen('lost-syn',first(lambda d,p:p.flags==2),REQ,GET)
S['lost-last-ack']=lambda:scen('lost-last-ack',lambda w,d,p: (['drop'] if p.tcp and d=='a>b' and w.state.get('fb') and p.len==0 and not p.flags&1 and not w.state.get('x') and not w.state.update({'x':1}) else (w.state.update({'fb':1}) if p.tcp and d=='b>a' and p.flags&1 else None)),REQ,GET,wait=2)
S['lost-fin']=lambda:scen('lost-fin',first(lambda d,p:d=='a>b' and p.flags&1),REQ,GET,wait=1.5)
L=lambda at,name,pre='':scen(name,nth_data({20,50,51,52,90,130,131,200}),SINK,src(400000),at=at,pre=pre)
S['loss-recv']=lambda:L('b','loss-recv')
S['loss-send']=lambda:L('a','loss-send')
NS='ip netns exec la sysctl -w net.ipv4.tcp_sack=0; ip netns exec lb sysctl -w net.ipv4.tcp_sack=0'
S['loss-nosack-send']=lambda:L('a','loss-nosack-send',NS)
S['loss-nosack-recv']=lambda:L('b','loss-nosack-recv',NS)
NT='ip netns exec la sysctl -w net.ipv4.tcp_timestamps=0; ip netns exec lb sysctl -w net.ipv4.tcp_timestamps=0'
S['loss-nots-recv']=lambda:L('b','loss-nots-recv',NT)
S['loss-nots-send']=lambda:L('a','loss-nots-send',NT)
every=lambda k,act:(lambda w,d,p:[act] if d=='a>b' and p.tcp and p.len>0 and w.data[d]%k==0 else None)
S['dup-recv']=lambda:scen('dup-recv',every(17,'dup'),SINK,src(300000),at='b')
S['dup-send']=lambda:scen('dup-send',every(17,'dup'),SINK,src(300000),at='a')
S['reorder-send']=lambda:scen('reorder-send',every(17,('delay',.004)),SINK,src(400000),at='a')
S['reorder-recv']=lambda:scen('reorder-recv',every(17,('delay',.004)),SINK,src(400000),at='b')
S['corrupt']=lambda:scen('corrupt',every(40,'corrupt'),SINK,src(300000),at='b')
S['abort']=lambda:scen('abort',none,SRV+"c,_=s.accept(); c.recv(100); c.sendall(b'ok')\ntime.sleep(1)","c=socket.socket(); c.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0)); c.connect(('10.77.0.2',80)); c.sendall(b'hello'); c.recv(10); c.close()")
S['unread']=lambda:scen('unread',none,SRV+"c,_=s.accept(); time.sleep(.3); c.close()\ntime.sleep(1)","c=socket.socket(); c.connect(('10.77.0.2',80)); c.sendall(b'hello'*100)\ntime.sleep(1)\ntry: c.recv(10)\nexcept OSError: pass")
def dead(w): 
    time.sleep(1.0); w.state['dead']=1
S['keepalive-dead']=lambda:scen('keepalive-dead',lambda w,d,p:['drop'] if w.state.get('dead') else None,SRV+"c,_=s.accept(); c.recv(100); time.sleep(20)","c=socket.socket(); c.setsockopt(socket.SOL_SOCKET,socket.SO_KEEPALIVE,1); c.setsockopt(6,4,2); c.setsockopt(6,5,1); c.setsockopt(6,6,3)\nc.connect(('10.77.0.2',80)); c.sendall(b'hi')\ntry: c.recv(10)\nexcept OSError as e: print(e)",during=dead)
S['keepalive']=lambda:scen('keepalive',none,SRV+"c,_=s.accept(); c.recv(100); time.sleep(3.6); c.sendall(b'x'); c.recv(10); c.close(); time.sleep(.5)","c=socket.socket(); c.setsockopt(socket.SOL_SOCKET,socket.SO_KEEPALIVE,1); c.setsockopt(6,4,1); c.setsockopt(6,5,1); c.setsockopt(6,6,3)\nc.connect(('10.77.0.2',80)); c.sendall(b'hi'); c.recv(10); c.close()")
def injrst(exact,toward,delta=0):
    def f(w,d,p):
        if p.tcp and d=='b>a' and p.len>0 and not w.state.get('i'):
            w.state['i']=1
            if toward=='b': w.inject('a>b',mk('10.77.0.1','10.77.0.2',p.dp,p.sp,p.ack+delta,0,4),.03)
            else: w.inject('b>a',mk('10.77.0.2','10.77.0.1',p.sp,p.dp,p.seq+p.len+delta,p.ack,20),.03)
            w.log.append(('inject-rst',d,p.seq,0,4))
    return f
IS=SRV+"c,_=s.accept(); c.recv(100); c.sendall(b'r'*10); time.sleep(.3)\ntry:\n c.sendall(b's'*10); time.sleep(.3); c.close()\nexcept OSError: pass\ntime.sleep(.5)"
IC="c=socket.socket(); c.connect(('10.77.0.2',80)); c.sendall(b'GET'); \ntry:\n c.recv(100); time.sleep(.2); c.sendall(b'more'); time.sleep(.4); c.recv(100); c.close()\nexcept OSError: pass\ntime.sleep(.3)"
S['inject-exact-b']=lambda:scen('inject-exact-b',injrst(True,'b'),IS,IC,at='b')
S['inject-exact-b-at-a']=lambda:scen('inject-exact-b-at-a',injrst(True,'b'),IS,IC,at='a')
S['inject-exact-a']=lambda:scen('inject-exact-a',injrst(True,'a'),IS,IC,at='a')
S['inject-blind']=lambda:scen('inject-blind',injrst(False,'b',1000),IS,IC,at='b')
S['unanswered']=lambda:scen('unanswered',lambda w,d,p:['drop'] if p.tcp else None,None,"c=socket.socket(); c.settimeout(4)\ntry: c.connect(('10.77.0.2',80))\nexcept OSError: pass")
S['port-reuse']=lambda:scen('port-reuse',none,SRV+"for i in range(2):\n c,_=s.accept(); c.recv(10); c.sendall(b'x'); c.recv(10); c.close()\ntime.sleep(.5)","for i in range(2):\n c=socket.socket(); c.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); c.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',i^1,0)); c.bind(('10.77.0.1',44444)); c.connect(('10.77.0.2',80)); c.sendall(b'a'); c.recv(1); c.close(); time.sleep(.3)")
TF='ip netns exec la sysctl -w net.ipv4.tcp_fastopen=3; ip netns exec lb sysctl -w net.ipv4.tcp_fastopen=3'
S['tfo']=lambda:scen('tfo',none,"s=socket.socket(); s.bind(('10.77.0.2',80)); s.setsockopt(6,23,5); s.listen(5)\nfor i in range(2):\n c,_=s.accept(); c.recv(10); c.sendall(b'x'); c.recv(10); c.close()\ntime.sleep(.5)","for i in range(2):\n c=socket.socket(); c.sendto(b'hello',0x20000000,('10.77.0.2',80)); c.recv(1); c.close(); time.sleep(.1)",pre=TF)
S['urgent']=lambda:scen('urgent',none,SRV+"c,_=s.accept(); c.recv(10); time.sleep(.2); c.recv(100); c.close(); time.sleep(.3)","c=socket.socket(); c.connect(('10.77.0.2',80)); c.sendall(b'abc'); c.send(b'!',socket.MSG_OOB); c.sendall(b'def'); time.sleep(.1); c.close()")
def spike(w,d,p):
    if p.tcp and d=='a>b' and 30<=w.data[d]<40 and p.len>0: return [('delay',.35-(w.data[d]-30)*.0001)]
S['spurious-rto-send']=lambda:scen('spurious-rto-send',spike,SINK,src(120000),at='a')
S['spurious-rto-recv']=lambda:scen('spurious-rto-recv',spike,SINK,src(120000),at='b')
def tail(w,d,p):
    if p.tcp and d=='a>b' and p.len>0 and p.flags&8 and w.data[d]>=14 and not w.state.get('x'):
        w.state['x']=1; return ['drop']
S['tail-loss']=lambda:scen('tail-loss',nth_data({14}),SINK,"c=socket.socket(); c.connect(('10.77.0.2',80)); c.sendall(b'x'*1448*14); time.sleep(.6); c.close()")
S['tail-loss-recv']=lambda:scen('tail-loss-recv',nth_data({14}),SINK,"c=socket.socket(); c.connect(('10.77.0.2',80)); c.sendall(b'x'*1448*14); time.sleep(.6); c.close()",at='b')
import random
R=random.Random(5)
S['ack-loss']=lambda:scen('ack-loss',lambda w,d,p:['drop'] if d=='b>a' and p.tcp and w.count[d]>5 and R.random()<.3 and not p.flags&1 else None,SINK,src(300000))
S['random-loss-send']=lambda:scen('random-loss-send',lambda w,d,p:['drop'] if d=='a>b' and p.tcp and w.count[d]>5 and R.random()<.03 and not p.flags&1 else None,SINK,src(1000000))
S['random-loss-recv']=lambda:scen('random-loss-recv',lambda w,d,p:['drop'] if d=='a>b' and p.tcp and w.count[d]>5 and R.random()<.03 and not p.flags&1 else None,SINK,src(1000000),at='b')
S['bothways']=lambda:scen('bothways',lambda w,d,p:['drop'] if p.tcp and w.count[d]>5 and p.len>0 and R.random()<.02 else None,SRV+"import threading\nc,_=s.accept()\nt=threading.Thread(target=lambda:(c.sendall(b'y'*300000),c.shutdown(1))); t.start()\nwhile c.recv(65536): pass\nt.join(); c.close()","import threading\nc=socket.socket(); c.connect(('10.77.0.2',80))\nt=threading.Thread(target=lambda:(c.sendall(b'x'*300000),c.shutdown(1))); t.start()\nwhile c.recv(65536): pass\nt.join(); c.close()")
def flood(w):
    import random
    time.sleep(.4)
    for i in range(400):
        w.inject('a>b',mk(f'198.18.{random.randrange(256)}.{random.randrange(256)}','10.77.0.2',random.randrange(2000,65000),80,random.getrandbits(32),0,2,ttl=64,ipid=random.randrange(65536),opts=b'\x02\x04\x05\xb4'))
        time.sleep(.004)
S['flood-nocookies']=lambda:scen('flood-nocookies',none,SRV.replace('listen(16)','listen(32)')+"import threading\nwhile 1:\n c,_=s.accept(); threading.Thread(target=lambda c=c:(c.recv(10),c.sendall(b'ok'),c.close())).start()","time.sleep(.2)\nfor i in range(8):\n c=socket.socket(); c.settimeout(.8)\n try:\n  c.connect(('10.77.0.2',80)); c.sendall(b'hi'); c.recv(2); c.close()\n except OSError: pass\n time.sleep(.2)",at='b',pre='ip netns exec lb sysctl -w net.ipv4.tcp_syncookies=0; ip netns exec lb sysctl -w net.ipv4.tcp_max_syn_backlog=64; ip -n lb route add default dev tlb',during=flood)
S['crash-restart']=lambda:scen('crash-restart',lambda w,d,p:['drop'] if w.state.get('cut') and d=='b>a' and p.tcp and not p.flags&4 else None,SRV+"s.setsockopt(6,1,1)\nc,_=s.accept(); c.recv(100); c.sendall(b'ok')\nc.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0)); time.sleep(.4); c.close(); time.sleep(2)","c=socket.socket(); c.connect(('10.77.0.2',80)); c.sendall(b'a'); c.recv(10); time.sleep(1)\ntry:\n c.sendall(b'b'); c.recv(10)\nexcept OSError: pass\ntime.sleep(.2)")
def crash(w,d,p):
    # b's abort RST never reaches a: a does not know, later gets RST to its data
    if p.tcp and d=='b>a' and p.flags&4 and not w.state.get('r'):
        w.state['r']=1; return ['drop']
S['half-open']=lambda:scen('half-open',crash,SRV+"c,_=s.accept(); c.recv(100); c.sendall(b'ok')\nc.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,struct.pack('ii',1,0)); time.sleep(.4); c.close(); time.sleep(2)","c=socket.socket(); c.connect(('10.77.0.2',80)); c.sendall(b'a'); c.recv(10); time.sleep(1)\ntry:\n c.sendall(b'b'); c.recv(10)\nexcept OSError: pass\ntime.sleep(.2)")
names=sys.argv[1:] or list(S)
for n in names:
    try: S[n]()
    except Exception as e: print(n,'FAILED',e)
sh('ip netns del la; ip netns del lb')
