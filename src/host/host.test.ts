import { afterEach, expect, it, vi } from 'vitest';
import { memoryPair } from '../link/memory.ts';
import { IpAddress } from '../wire/address.ts';
import { Host } from './host.ts';

afterEach(() => vi.restoreAllMocks());

it('takes sequence numbers, ports and secrets from the platform, never from Math.random (C03)', async () => {
  const weak = vi.spyOn(Math, 'random');
  const strong = vi.spyOn(globalThis.crypto, 'getRandomValues');
  const { a, b } = memoryPair();
  const [alice, bob] = [new Host(), new Host()];
  alice.attach(a, { name: 'eth0', addresses: ['10.0.0.1/24'] });
  bob.attach(b, { name: 'eth0', addresses: ['10.0.0.2/24'] });
  bob.stack.listen({ port: 80 });
  const connection = alice.stack.connect(alice.now(), { remote: IpAddress.parse('10.0.0.2'), port: 80 });
  alice.pump();
  await vi.waitFor(() => expect(connection.state).toBe('ESTABLISHED'));
  alice.close();
  bob.close();
  expect(strong).toHaveBeenCalled();
  expect(weak).not.toHaveBeenCalled();
});
