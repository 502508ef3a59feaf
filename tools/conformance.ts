/**
 * The conformance table: which requirements of RFC 9293 (spec/rfc9293-requirements.json) a passing test shows, which
 * have a reasoned exception (spec/conformance-decisions.json), and which MAYs are taken up.
 *
 *   npm run conformance
 *
 * A test claims a requirement with a tag in its title or in a `describe` around it: `[MUST-59]`, `[MUST-59 SHLD-2]`.
 * Results come from the last run of the tests when no source changed since, else the tagged files are run anew. Prints
 * the table, writes docs/conformance.md and ends with `MUST a/69 SHOULD b/32 MAY c/18`: exceptions do not count. Fails
 * when a MUST has neither a passing test nor an exception, when a MAY is undecided, or when a tag names nothing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RESULTS_FILE, type TestResults } from './reporter.ts';

export interface Requirement {
  id: string;
  level: string;
  section: string;
  text: string;
}

export interface Decision {
  id: string;
  decision: 'implemented' | 'declined' | 'exception';
  reason: string;
}

/** A tag as it stands in a test source. */
export interface Tag {
  id: string;
  file: string;
  line: number;
}

export interface Row {
  requirement: Requirement;
  /** `tested`: at least one passing test and no failing one. `open`: nothing speaks for it. */
  status: 'tested' | 'exception' | 'declined' | 'failing' | 'open';
  /** Test files with a passing claim, or the reason of the decision. */
  evidence: string;
}

export interface Report {
  rows: Row[];
  problems: string[];
  /** `MUST a/69 SHOULD b/32 MAY c/18` */
  summary: string;
}

const TAG_LIST = /\[((?:(?:MUST|SHLD|MAY|REC)-\d+[\s,]*)+)\]/g;

/** The requirement ids that a title or a line of source claims. */
export function tagsIn(text: string): string[] {
  return [...text.matchAll(TAG_LIST)].flatMap((match) => (match[1] ?? '').split(/[\s,]+/).filter((id) => id !== ''));
}

function groupOf(id: string): 'MUST' | 'SHOULD' | 'MAY' {
  if (id.startsWith('MUST')) return 'MUST';
  return id.startsWith('MAY') ? 'MAY' : 'SHOULD';
}

/** Puts requirements, decisions, tags and test results together. Pure: what is wrong is in `problems`. */
export function makeReport(
  requirements: readonly Requirement[],
  decisions: readonly Decision[],
  tags: readonly Tag[],
  tests: TestResults['tests'],
): Report {
  const known = new Set(requirements.map((requirement) => requirement.id));
  const problems: string[] = [];
  for (const tag of tags) {
    if (!known.has(tag.id))
      problems.push(`${tag.file}:${tag.line}: ${tag.id} is no requirement of RFC 9293; mend the tag`);
  }
  const decided = new Map<string, Decision>();
  for (const decision of decisions) {
    const { id } = decision;
    if (!known.has(id))
      problems.push(`spec/conformance-decisions.json: ${id} is no requirement of RFC 9293; remove it`);
    if (decided.has(id)) problems.push(`spec/conformance-decisions.json: ${id} is decided twice; keep one`);
    if (decision.reason.trim().length < 20)
      problems.push(`spec/conformance-decisions.json: ${id} has no reason; write one`);
    decided.set(id, decision);
  }
  const claims = collectClaims(tests);
  const rows = requirements.map((requirement) => makeRow(requirement, decided.get(requirement.id), claims));
  for (const row of rows) problems.push(...problemsOf(row, decided.get(row.requirement.id)));
  return { rows, problems, summary: summarize(rows) };
}

interface Claims {
  passing: Map<string, Set<string>>;
  failing: Map<string, Set<string>>;
}

function collectClaims(tests: TestResults['tests']): Claims {
  const claims: Claims = { passing: new Map(), failing: new Map() };
  for (const test of tests) {
    if (test.state === 'skipped') continue;
    const into = test.state === 'passed' ? claims.passing : claims.failing;
    for (const id of tagsIn(test.name)) into.set(id, (into.get(id) ?? new Set()).add(test.file));
  }
  return claims;
}

function makeRow(requirement: Requirement, decision: Decision | undefined, claims: Claims): Row {
  const passing = claims.passing.get(requirement.id);
  const failing = claims.failing.get(requirement.id);
  const files = (set: Set<string>): string => [...set].sort().join(', ');
  if (failing !== undefined) return { requirement, status: 'failing', evidence: files(failing) };
  if (decision?.decision === 'exception' || decision?.decision === 'declined') {
    return { requirement, status: decision.decision, evidence: decision.reason };
  }
  if (passing !== undefined) return { requirement, status: 'tested', evidence: files(passing) };
  return { requirement, status: 'open', evidence: '' };
}

function problemsOf(row: Row, decision: Decision | undefined): string[] {
  const { id } = row.requirement;
  const group = groupOf(id);
  const problems: string[] = [];
  if (row.status === 'failing') problems.push(`${id}: a test that claims it fails (${row.evidence}); mend the code`);
  if (group === 'MUST' && row.status === 'declined') problems.push(`${id}: a MUST cannot be declined, only excepted`);
  if (row.status !== 'open') return problems;
  if (group === 'MUST')
    problems.push(`${id}: neither a passing test nor a reasoned exception; write a test tagged [${id}]`);
  if (group === 'MAY') {
    const what =
      decision === undefined
        ? 'undecided; decide it in spec/conformance-decisions.json, or'
        : 'said to be implemented;';
    problems.push(`${id}: ${what} write a test tagged [${id}]`);
  }
  return problems;
}

function summarize(rows: readonly Row[]): string {
  const count = (group: string): string => {
    const own = rows.filter((row) => groupOf(row.requirement.id) === group);
    return `${group} ${own.filter((row) => row.status === 'tested').length}/${own.length}`;
  };
  return `${count('MUST')} ${count('SHOULD')} ${count('MAY')}`;
}

function toMarkdown(report: Report): string {
  const lines = [
    '# Conformance to RFC 9293',
    '',
    'Written by `npm run conformance`; do not edit. `tested`: a passing test carries the id in its title. Exceptions and',
    'declined options have their reasons; they do not count as met.',
    '',
    `**${report.summary}**`,
    '',
    '| id | level | section | requirement | status | tests, or the reason |',
    '|---|---|---|---|---|---|',
  ];
  for (const { requirement, status, evidence } of report.rows) {
    const { id, level, section, text } = requirement;
    lines.push(
      `| ${[id, level, section, text, status, evidence].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function toText(report: Report): string {
  const lines = report.rows.map(({ requirement, status, evidence }) => {
    const head = `${requirement.id.padEnd(8)} ${status.padEnd(9)} ${requirement.text}`;
    return evidence === '' ? head : `${head}\n${' '.repeat(19)}${evidence}`;
  });
  return `${lines.join('\n')}\n`;
}

function filesUnder(root: string, folders: readonly string[], pattern: RegExp): string[] {
  return folders.flatMap((folder) => {
    const names = existsSync(path.join(root, folder)) ? readdirSync(path.join(root, folder), { recursive: true }) : [];
    return names
      .map((name) => `${folder}/${String(name).replaceAll(path.sep, '/')}`)
      .filter((name) => pattern.test(name))
      .sort();
  });
}

/** Tags in test sources, with their places. Only lines that open a test or a group can carry one. */
function scanTags(root: string): Tag[] {
  return filesUnder(root, ['src', 'test'], /\.test\.ts$/).flatMap((file) =>
    readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((text, i) => tagsIn(text).map((id) => ({ id, file, line: i + 1 }))),
  );
}

/** Results of the last run when they are newer than every source, else of a new run of the files that carry tags. */
function testResults(root: string, tags: readonly Tag[]): TestResults {
  const file = path.join(root, RESULTS_FILE);
  const tagged = [...new Set(tags.map((tag) => tag.file))].sort();
  if (tagged.length === 0) return { startedAt: 0, whole: true, tests: [] };
  if (existsSync(file)) {
    const results = JSON.parse(readFileSync(file, 'utf8')) as TestResults;
    const sources = filesUnder(root, ['src', 'test'], /\.(ts|txt|json|pkt)$/);
    const current = sources.every((source) => statSync(path.join(root, source)).mtimeMs < results.startedAt);
    const ran = new Set(results.tests.map((test) => test.file));
    if (results.whole && current && tagged.every((source) => ran.has(source))) return results;
  }
  process.stderr.write(`conformance: running the ${tagged.length} files that carry tags …\n`);
  const run = spawnSync(process.execPath, [path.join(root, 'tools', 'test.mjs'), ...tagged], {
    cwd: root,
    stdio: ['ignore', process.stderr, 'inherit'],
  });
  if (run.error !== undefined) throw run.error;
  return JSON.parse(readFileSync(file, 'utf8')) as TestResults;
}

function readJson<T>(root: string, name: string): T {
  return JSON.parse(readFileSync(path.join(root, name), 'utf8')) as T;
}

function main(): void {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
  const tags = scanTags(root);
  const report = makeReport(
    readJson<Requirement[]>(root, 'spec/rfc9293-requirements.json'),
    readJson<Decision[]>(root, 'spec/conformance-decisions.json'),
    tags,
    testResults(root, tags).tests,
  );
  process.stdout.write(toText(report));
  mkdirSync(path.join(root, 'docs'), { recursive: true });
  writeFileSync(path.join(root, 'docs', 'conformance.md'), toMarkdown(report));
  for (const problem of report.problems) process.stderr.write(`conformance: ${problem}\n`);
  if (report.problems.length > 0) process.exitCode = 1;
  process.stdout.write(`${report.summary}\n`);
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) main();
