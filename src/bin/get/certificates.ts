/** Certificate chains made on the spot: a root, an intermediate, and leaves, good ones and such as no client may take. */

import 'reflect-metadata';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

export interface Identity {
  readonly key: string;
  /** The leaf and what leads from it to the root, PEM. */
  readonly chain: string;
}

export interface LeafOptions {
  /** The first is the subject's; addresses are names too. */
  readonly names: readonly string[];
  /** Days from now, both may lie in the past. */
  readonly from?: number;
  readonly until?: number;
}

type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;
interface KeyPair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

/** An authority that exists as long as this run does. */
export class Authority {
  /** What a client that trusts it has, PEM. */
  readonly root: string;
  private readonly issuer: x509.X509Certificate;
  private readonly issuerKeys: KeyPair;
  private serial = 16;

  private constructor(root: x509.X509Certificate, issuer: x509.X509Certificate, issuerKeys: KeyPair) {
    this.root = root.toString('pem');
    this.issuer = issuer;
    this.issuerKeys = issuerKeys;
  }

  static async create(name: string): Promise<Authority> {
    x509.cryptoProvider.set(crypto as unknown as Parameters<x509.CryptoProvider['set']>[1]);
    const [rootKeys, keys] = await Promise.all([newKeys(), newKeys()]);
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: `CN=${name} root`,
      keys: rootKeys,
      signingAlgorithm: ALGORITHM,
      ...validity(-30, 3650),
      extensions: authority(2),
    });
    const issuer = await x509.X509CertificateGenerator.create({
      serialNumber: '02',
      subject: `CN=${name} issuing`,
      issuer: root.subject,
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: rootKeys.privateKey,
      ...validity(-30, 365),
      extensions: authority(0),
    });
    return new Authority(root, issuer, keys);
  }

  /** A certificate for these names, signed by the intermediate. */
  async issue({ names, from = -1, until = 90 }: LeafOptions): Promise<Identity> {
    const keys = await newKeys();
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: (this.serial++).toString(16),
      subject: `CN=${names[0]}`,
      issuer: this.issuer.subject,
      publicKey: keys.publicKey,
      signingKey: this.issuerKeys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity(from, until),
      extensions: leafExtensions(names),
    });
    return { key: await pemOf(keys), chain: `${leaf.toString('pem')}\n${this.issuer.toString('pem')}\n` };
  }

  /** One that nobody has signed but itself. */
  static async selfSigned(names: readonly string[]): Promise<Identity> {
    const keys = await newKeys();
    const leaf = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: `CN=${names[0]}`,
      keys,
      signingAlgorithm: ALGORITHM,
      ...validity(-1, 90),
      extensions: leafExtensions(names),
    });
    return { key: await pemOf(keys), chain: leaf.toString('pem') };
  }
}

async function newKeys(): Promise<KeyPair> {
  return (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as KeyPair;
}

async function pemOf(keys: KeyPair): Promise<string> {
  const der = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return x509.PemConverter.encode(der, 'PRIVATE KEY');
}

function validity(from: number, until: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now + from * DAY_MS), notAfter: new Date(now + until * DAY_MS) };
}

function authority(pathLength: number): x509.Extension[] {
  const usages = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
  return [new x509.BasicConstraintsExtension(true, pathLength, true), new x509.KeyUsagesExtension(usages, true)];
}

function leafExtensions(names: readonly string[]): x509.Extension[] {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(
      names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
    ),
  ];
}
