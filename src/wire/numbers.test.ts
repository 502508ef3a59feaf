/** The numbers that IANA and IEEE assigned, written down a second time: a slip of the pen in one place is seen. */
import { expect, test } from 'vitest';
import { EtherType } from './ethernet.ts';
import { IcmpType, IcmpUnreachable } from './icmp.ts';
import { Icmpv6Type, Icmpv6Unreachable } from './icmpv6.ts';
import { Protocol } from './ip.ts';
import { Ipv4Option } from './ipv4.ts';
import { ParameterProblem } from './ipv6-extensions.ts';
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG } from './tcp.ts';
import { TcpOption } from './tcp-options.ts';

test.each([
  ['protocols', Protocol, [0, 1, 2, 6, 17, 43, 44, 50, 51, 58, 59, 60]],
  ['ether types', EtherType, [0x0800, 0x0806, 0x8100, 0x86dd, 0x88a8, 0x9100]],
  ['IPv4 options', Ipv4Option, [0, 1, 7, 68, 130, 131, 137, 148]],
  ['TCP options', TcpOption, [0, 1, 2, 3, 4, 5, 8, 19, 28, 29, 34]],
  ['ICMP types', IcmpType, [0, 3, 4, 5, 8, 11, 12]],
  ['ICMP unreachable codes', IcmpUnreachable, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]],
  ['ICMPv6 types', Icmpv6Type, [1, 2, 3, 4, 128, 129, 133, 134, 135, 136, 137]],
  ['ICMPv6 unreachable codes', Icmpv6Unreachable, [0, 1, 2, 3, 4, 5, 6]],
  ['ICMPv6 parameter problem codes', ParameterProblem, [0, 1, 2]],
  ['TCP flags', { FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE }, [1, 2, 4, 8, 16, 32, 64, 128, 256]],
])('%s', (_name, table, numbers) => {
  expect(Object.values(table)).toEqual(numbers);
});
