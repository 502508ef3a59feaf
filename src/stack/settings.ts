/**
 * Reading settings as `--sysctl name=value` gives them, with Linux's rules: numbers apart by blanks, short names
 * (`tcp_fin_timeout`) or full ones (`net.ipv4.tcp_fin_timeout`).
 */

import { EstabError } from '../base/errors.ts';
import { SETTINGS, type SettingName, type SettingSpec, type Settings } from './settings-table.ts';

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** A fresh object with every setting at its default. */
export function defaultSettings(): Settings {
  return Object.fromEntries(NAMES.map((name) => [name, SETTINGS[name].default])) as Settings;
}

/**
 * Applies one `name=value`.
 * @throws EstabError EINVAL when the name is none of ours or the value not one of those allowed; says which are.
 */
export function applySetting(settings: Settings, text: string): void {
  const equals = text.indexOf('=');
  if (equals < 0) throw new EstabError('EINVAL', `"${text}" is no setting; write name=value, like tcp_fin_timeout=30`);
  const name = settingName(text.slice(0, equals).trim());
  const value = readValue(name, SETTINGS[name], text.slice(equals + 1).trim());
  check(name, value);
  Object.assign(settings, { [name]: value });
}

/** What is known about each setting, for help texts and documentation. */
export function describeSettings(): { name: string; value: string; unit: string; meaning: string; actedOn: boolean }[] {
  return NAMES.map((short) => {
    const { path, default: value, unit, meaning, actedOn } = SETTINGS[short] as SettingSpec;
    const text = typeof value === 'object' ? value.join(' ') : String(value);
    return { name: path + short, value: text, unit, meaning, actedOn };
  });
}

/** Full names of the settings that are accepted and have no effect so far. */
export function settingsNotActedOn(): string[] {
  return describeSettings().flatMap((setting) => (setting.actedOn ? [] : [setting.name]));
}

/**
 * Reads `22,8000-8100` into the first and last port of each range.
 * @throws EstabError EINVAL when it is no such list.
 */
export function parsePortList(name: string, text: string): [first: number, last: number][] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = match?.[2] === undefined ? first : Number(match[2]);
    if (match === null || first > last || last > 65_535) {
      throw new EstabError('EINVAL', `${name}: "${part}" is no port or range of ports, like 8080 or 9000-9010`);
    }
    return [first, last];
  });
}

function settingName(text: string): SettingName {
  const dotted = text.replaceAll('/', '.');
  const found = NAMES.find((name) => dotted === name || dotted === SETTINGS[name].path + name);
  if (found !== undefined) return found;
  const word = dotted.slice(dotted.lastIndexOf('.') + 1);
  const joined = NAMES.filter((name) => name.replaceAll('_', '') === word.replaceAll('_', ''));
  const close = joined.length > 0 ? joined : NAMES.filter((name) => sharesWord(name, word));
  const hint = close.length > 0 ? `did you mean ${close.join(', ')}?` : `known are ${NAMES.join(', ')}`;
  throw new EstabError('EINVAL', `there is no setting "${text}"; ${hint}`);
}

/** Whether the names have a part in common that says something: `fin` of tcp_fin_wait and tcp_fin_timeout. */
function sharesWord(name: string, asked: string): boolean {
  const parts = asked.split('_').filter((part) => part.length > 2 && part !== 'tcp' && part !== 'icmp');
  return parts.some((part) => name.split('_').includes(part));
}

function readValue(name: string, spec: SettingSpec, text: string): number | readonly number[] | string {
  switch (spec.kind) {
    case 'integer':
      return readInteger(name, spec, text);
    case 'vector': {
      const parts = text.split(/\s+/);
      if (parts.length !== spec.default.length) {
        throw new EstabError(
          'EINVAL',
          `${name}: needs ${spec.default.length} numbers, like "${spec.default.join(' ')}"`,
        );
      }
      return parts.map((part) => readInteger(name, spec, part));
    }
    case 'word':
      if (!spec.words.includes(text)) {
        throw new EstabError('EINVAL', `${name}: "${text}" is not available; allowed: ${spec.words.join(', ')}`);
      }
      return text;
    case 'ports':
      parsePortList(name, text);
      return text;
  }
}

function readInteger(name: string, spec: { min: number; max: number; unit: string }, text: string): number {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= spec.min && value <= spec.max) return value;
  throw new EstabError(
    'EINVAL',
    `${name}: "${text}" is not allowed; ${Math.ceil(spec.min)} … ${Math.floor(spec.max)} (${spec.unit}) is`,
  );
}

function check(name: SettingName, value: number | readonly number[] | string): void {
  if (typeof value !== 'object') return;
  for (let i = 1; i < value.length; i++) {
    if (value[i] < value[i - 1]) {
      throw new EstabError(
        'EINVAL',
        `${name}: ${value.join(' ')} is not allowed; each number must be at least the one before`,
      );
    }
  }
}
