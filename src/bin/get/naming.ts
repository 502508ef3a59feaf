/** From a name to addresses: `--resolve`, or the name servers of the ground, asked for each family that can be used. */

import { type Answer, DnsError, Resolver } from '../../dns/index.ts';
import { IpAddress } from '../../wire/address.ts';
import type { Ground } from './ground.ts';
import type { GetOptions } from './options.ts';
import type { Recorder } from './recorder.ts';
import { type DnsStep, StepError, type Tell } from './records.ts';
import { dnsLine } from './step-lines.ts';

const ATTEMPTS = 4;
const GRACE_MS = 250;
/** What says least comes last: "there is no such name" tells more than silence. */
const TELLING = ['ENOTFOUND', 'ENODATA', 'EREFUSED', 'ESERVFAIL', 'EBADRESP', 'ECONNREFUSED', 'ETIMEOUT'];

export class Naming {
  private readonly given: GetOptions['resolve'];
  private readonly types: readonly ('A' | 'AAAA')[];
  private readonly recorder: Recorder;
  private readonly tell: Tell;
  private readonly resolver: Resolver | null;
  /** Questions sent for a name, those asked again included. */
  private readonly asked = new Map<string, number>();
  private readonly resolving = new Set<string>();
  /** What was given and has been shown. */
  private readonly told = new Set<string>();

  constructor(options: GetOptions, ground: Ground, recorder: Recorder, tell: Tell) {
    this.given = options.resolve;
    this.types = ground.families.map((family) => (family === 6 ? 'AAAA' : 'A'));
    this.recorder = recorder;
    this.tell = tell;
    const { nameServers: servers, nameTimeoutMs: timeoutMs } = ground;
    this.resolver =
      servers.length === 0
        ? null
        : new Resolver(ground.host, {
            servers,
            timeoutMs,
            attempts: ATTEMPTS,
            trace: (event) => {
              if (event.kind !== 'asked' || event.over !== 'udp') return;
              this.asked.set(event.name, (this.asked.get(event.name) ?? 0) + 1);
            },
          });
  }

  /** Null for an address, which needs no answer. @throws StepError (rejects). */
  async resolve(name: string, port: number): Promise<DnsStep | null> {
    if (IpAddress.tryParse(name) !== null) return null;
    const from = this.recorder.now();
    const addresses = this.given.get(`${name}:${port}`);
    if (addresses !== undefined) return this.asGiven(`${name}:${port}`, name, addresses);
    // Two connections may wait for one answer; it is told once.
    const first = !this.resolving.has(name);
    this.resolving.add(name);
    try {
      const step = await this.ask(name, from);
      if (!step.cached && first) this.tell(dnsLine(step));
      return step;
    } catch (error) {
      if (!(error instanceof DnsError)) throw error;
      throw new StepError('DNS', from, error.code, this.failure(error));
    } finally {
      this.resolving.delete(name);
    }
  }

  private asGiven(where: string, name: string, addresses: readonly string[]): DnsStep {
    const from = this.recorder.now();
    const step: DnsStep = {
      from,
      until: from,
      name,
      addresses: addresses.map(canonical),
      aliases: [],
      types: [],
      ttl: 0,
      server: null,
      cached: true,
      asked: 0,
    };
    if (!this.told.has(where)) this.tell(dnsLine(step));
    this.told.add(where);
    return step;
  }

  private async ask(name: string, from: number): Promise<DnsStep> {
    const { resolver, types } = this;
    if (resolver === null) {
      const advice = 'give one with --dns, or the address with --resolve';
      throw new StepError('DNS', from, 'ENOSERVER', `${name}: no name server is known; ${advice}`);
    }
    const before = this.asked.get(name.toLowerCase()) ?? 0;
    const answers: Answer[] = [];
    const failures: unknown[] = [];
    const asking = types.map((type) =>
      resolver.resolve(name, type).then(
        (answer) => void answers.push(answer),
        (error) => void failures.push(error),
      ),
    );
    // Some servers never answer for a family that they know nothing of: one answer is enough before long.
    await Promise.race([Promise.all(asking), Promise.race(asking).then(() => this.grace(answers))]);
    if (answers.length === 0) await Promise.all(asking);
    if (answers.length === 0) throw mostTelling(failures);
    answers.sort((one, other) => types.indexOf(one.type as 'A') - types.indexOf(other.type as 'A'));
    return {
      from,
      until: this.recorder.now(),
      name,
      types,
      aliases: answers[0].aliases,
      addresses: answers.flatMap(({ records }) => records.map(({ data }) => canonical(data as string))),
      ttl: Math.min(...answers.map(({ ttl }) => ttl)),
      server: answers[0].server,
      cached: answers.every(({ cached }) => cached),
      asked: (this.asked.get(name.toLowerCase()) ?? 0) - before,
    };
  }

  /** How long the other family is waited for when one has been answered. */
  private grace(answers: readonly Answer[]): Promise<void> | undefined {
    if (answers.length === 0) return undefined;
    return new Promise((resolve) => setTimeout(resolve, GRACE_MS));
  }

  private failure({ code, hostname, server }: DnsError): string {
    const from = server === null ? '' : ` (${server} says so)`;
    if (code === 'ENOTFOUND') return `${hostname}: there is no such name${from}`;
    if (code === 'ENODATA') return `${hostname}: the name exists, but has no ${this.wanted()}${from}`;
    if (code === 'EREFUSED') return `${hostname}: the name server does not answer for this name${from}`;
    if (code === 'EBADNAME') return `${hostname}: this can be no name, its labels have 1 to 63 characters`;
    if (code === 'ETIMEOUT') return `${hostname}: no name server answered in time`;
    if (code === 'ECONNREFUSED') return `${hostname}: no name server can be reached${at(server)}`;
    if (code === 'ESERVFAIL') return `${hostname}: the name server has failed${from}`;
    return `${hostname}: ${code}${from}`;
  }

  private wanted(): string {
    const families = this.types.map((type) => (type === 'A' ? 'IPv4' : 'IPv6'));
    return `${families.join(' or ')} address`;
  }
}

function at(server: string | null): string {
  return server === null ? '' : `; nothing answers at ${server}`;
}

function canonical(address: string): string {
  return IpAddress.parse(address).toString();
}

function mostTelling(failures: readonly unknown[]): unknown {
  const rank = ({ code }: DnsError): number => TELLING.indexOf(code);
  const known = failures.filter((error) => error instanceof DnsError);
  return known.sort((a, b) => rank(a) - rank(b))[0] ?? failures[0];
}
