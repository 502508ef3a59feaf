import { describe, expect, it } from 'vitest';
import { EstabError } from '../base/errors.ts';
import { DEFAULT_TCP_CONFIG } from '../tcp/config.ts';
import { applySetting, defaultSettings, describeSettings, parsePortList, settingsNotActedOn } from './settings.ts';
import { toTcpConfig } from './tcp-config.ts';

function messageOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof EstabError && error.code === 'EINVAL') return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('settings', () => {
  it('take short and full names', () => {
    const settings = defaultSettings();
    applySetting(settings, 'tcp_fin_timeout=30');
    expect(settings.tcp_fin_timeout).toBe(30);
    applySetting(settings, 'net.ipv4.tcp_fin_timeout = 31');
    expect(settings.tcp_fin_timeout).toBe(31);
    applySetting(settings, 'net/core/somaxconn=128');
    expect(settings.somaxconn).toBe(128);
    applySetting(settings, 'tcp_rmem=4096 8192\t16384');
    expect(settings.tcp_rmem).toEqual([4096, 8192, 16_384]);
    applySetting(settings, 'ip_local_reserved_ports=8080,9000-9010');
    expect(settings.ip_local_reserved_ports).toBe('8080,9000-9010');
  });

  it.each([
    ['tcp_fin_timeout', /name=value/],
    ['tcp_syncookies=3', /0 … 2/],
    ['tcp_syncookies=yes', /0 … 2/],
    ['tcp_syncookies=', /0 … 2/],
    ['tcp_syncookies=1e0', /0 … 2/],
    ['tcp_rmem=4096', /needs 3 numbers/],
    ['tcp_rmem=3 2 1', /at least the one before/],
    ['ip_local_port_range=60000 50000', /at least the one before/],
    ['tcp_congestion_control=bbr', /allowed: reno/],
    ['ip_local_reserved_ports=9010-9000', /9000-9010/],
    ['tcp_fin_wait=1', /did you mean tcp_fin_timeout/],
    ['net.core.tcp_fin_timeout=1', /did you mean tcp_fin_timeout/],
    ['tcp_syn_cookies=1', /did you mean tcp_syncookies\?/],
    ['vm.swappiness=1', /known are .*tcp_fin_timeout/],
  ])('refuse %s and say what to write', (text, message) => {
    const settings = defaultSettings();
    expect(messageOf(() => applySetting(settings, text))).toMatch(message);
    expect(settings).toEqual(defaultSettings());
  });

  it('give the engine what it has by default', () => {
    expect(toTcpConfig(defaultSettings())).toEqual(DEFAULT_TCP_CONFIG);
  });

  it('reach the engine in its own units', () => {
    const settings = defaultSettings();
    for (const text of ['tcp_rto_min_us=300000', 'tcp_orphan_retries=0', 'tcp_msl_ms=15000', 'tcp_timestamps=2']) {
      applySetting(settings, text);
    }
    expect(toTcpConfig(settings)).toMatchObject({
      rtoMinMs: 300,
      orphanRetries: 8,
      timeWaitMs: 30_000,
      timestamps: true,
    });
  });

  it('name those without effect', () => {
    expect(settingsNotActedOn()).toEqual(['net.ipv4.tcp_challenge_ack_limit', 'net.ipv4.tcp_recovery']);
  });

  it('read lists of ports', () => {
    expect(parsePortList('x', '')).toEqual([]);
    expect(parsePortList('x', '22, 8000-8100')).toEqual([
      [22, 22],
      [8000, 8100],
    ]);
  });

  it('describe themselves', () => {
    const described = describeSettings();
    expect(described.find((s) => s.name === 'net.ipv4.tcp_rmem')?.value).toBe('4096 131072 33554432');
    expect(described.every((s) => s.meaning.length > 10)).toBe(true);
  });
});

/** The names that Linux 6.18 has and this project decided it must have, with that kernel's defaults. */
describe('the sysctls we must have', () => {
  const list: [name: string, value: string][] = [
    ['net.ipv4.icmp_msgs_burst', '50'],
    ['net.ipv4.icmp_msgs_per_sec', '1000'],
    ['net.ipv4.icmp_ratelimit', '1000'],
    ['net.ipv4.ip_default_ttl', '64'],
    ['net.ipv4.ip_local_port_range', '32768 60999'],
    ['net.ipv4.ip_no_pmtu_disc', '0'],
    ['net.ipv4.ipfrag_high_thresh', '4194304'],
    ['net.ipv4.ipfrag_time', '30'],
    ['net.ipv4.tcp_abort_on_overflow', '0'],
    ['net.ipv4.tcp_challenge_ack_limit', '2147483647'],
    ['net.ipv4.tcp_congestion_control', 'bbr'],
    ['net.ipv4.tcp_dsack', '1'],
    ['net.ipv4.tcp_ecn', '2'],
    ['net.ipv4.tcp_fin_timeout', '60'],
    ['net.ipv4.tcp_invalid_ratelimit', '500'],
    ['net.ipv4.tcp_keepalive_intvl', '75'],
    ['net.ipv4.tcp_keepalive_probes', '9'],
    ['net.ipv4.tcp_keepalive_time', '7200'],
    ['net.ipv4.tcp_max_orphans', '131072'],
    ['net.ipv4.tcp_max_syn_backlog', '2048'],
    ['net.ipv4.tcp_max_tw_buckets', '131072'],
    ['net.ipv4.tcp_mem', '287901 383868 575802'],
    ['net.ipv4.tcp_min_snd_mss', '48'],
    ['net.ipv4.tcp_moderate_rcvbuf', '1'],
    ['net.ipv4.tcp_mtu_probing', '0'],
    ['net.ipv4.tcp_orphan_retries', '0'],
    ['net.ipv4.tcp_recovery', '1'],
    ['net.ipv4.tcp_retries1', '3'],
    ['net.ipv4.tcp_retries2', '15'],
    ['net.ipv4.tcp_rfc1337', '0'],
    ['net.ipv4.tcp_rmem', '4096 131072 33554432'],
    ['net.ipv4.tcp_rto_max_ms', '120000'],
    ['net.ipv4.tcp_rto_min_us', '200000'],
    ['net.ipv4.tcp_sack', '1'],
    ['net.ipv4.tcp_slow_start_after_idle', '1'],
    ['net.ipv4.tcp_stdurg', '0'],
    ['net.ipv4.tcp_syn_retries', '6'],
    ['net.ipv4.tcp_synack_retries', '5'],
    ['net.ipv4.tcp_syncookies', '1'],
    ['net.ipv4.tcp_timestamps', '1'],
    ['net.ipv4.tcp_tw_reuse', '2'],
    ['net.ipv4.tcp_window_scaling', '1'],
    ['net.ipv4.tcp_wmem', '4096 16384 4194304'],
    ['net.core.somaxconn', '4096'],
    ['net.core.rmem_max', '4194304'],
    ['net.core.wmem_max', '4194304'],
  ];

  it.each(list)('%s is there with default %s', (name, value) => {
    const setting = describeSettings().find((s) => s.name === name);
    expect(setting).toBeDefined();
    // That kernel was configured with bbr; ours has no other than reno yet.
    expect(setting?.value).toBe(name === 'net.ipv4.tcp_congestion_control' ? 'reno' : value);
  });
});
