/** The conformance report on made-up requirements: what counts, what fails, what the last line says. */
import { describe, expect, test } from 'vitest';
import { type Decision, makeReport, type Requirement, tagsIn } from './conformance.ts';
import type { TestResults } from './reporter.ts';

const requirement = (id: string): Requirement => ({ id, level: 'X', section: '3', text: `text of ${id}` });
const REQUIREMENTS = ['MUST-1', 'MUST-2', 'SHLD-1', 'REC-1', 'MAY-1'].map(requirement);

const passed = (name: string, file = 'a.test.ts'): TestResults['tests'][number] => ({ file, name, state: 'passed' });
const reason = 'a reason that is long enough to be one';

function report(tests: TestResults['tests'], decisions: Decision[] = [], tags: string[] = []) {
  return makeReport(
    REQUIREMENTS,
    decisions,
    tags.map((id) => ({ id, file: 'b.test.ts', line: 7 })),
    tests,
  );
}

describe('tags', () => {
  test('one, several in one pair of brackets, several pairs, in a group title', () => {
    expect(tagsIn('opens [MUST-59]')).toEqual(['MUST-59']);
    expect(tagsIn('[MUST-1 SHLD-2] x [MAY-3, REC-1]')).toEqual(['MUST-1', 'SHLD-2', 'MAY-3', 'REC-1']);
  });

  test('not without brackets, nor inside other text', () => {
    expect(tagsIn('MUST-59 [see MUST-1] [MUST-] [must-1]')).toEqual([]);
  });

  test('one that names no requirement is a problem with its place', () => {
    expect(report([], [], ['MUST-99']).problems[0]).toContain('b.test.ts:7: MUST-99 is no requirement');
  });
});

describe('what counts', () => {
  test('only requirements with a passing test, REC-1 among the SHOULDs', () => {
    const { summary, problems } = report([
      passed('x [MUST-1]'),
      passed('y [MUST-2 REC-1]'),
      { file: 'a.test.ts', name: 'z [SHLD-1]', state: 'skipped' },
      passed('m [MAY-1]'),
    ]);
    expect(summary).toBe('MUST 2/2 SHOULD 1/2 MAY 1/1');
    expect(problems).toEqual([]);
  });

  test('an exception satisfies a MUST but does not count', () => {
    const exception: Decision = { id: 'MUST-2', decision: 'exception', reason };
    const { summary, problems } = report([passed('x [MUST-1]'), passed('m [MAY-1]')], [exception]);
    expect(summary).toBe('MUST 1/2 SHOULD 0/2 MAY 1/1');
    expect(problems).toEqual([]);
  });

  test('a failing test outweighs a passing one', () => {
    const failing = { file: 'c.test.ts', name: 'w [MUST-1]', state: 'failed' as const };
    const { summary, problems } = report([passed('x [MUST-1]'), passed('y [MUST-2]'), passed('[MAY-1]'), failing]);
    expect(summary).toBe('MUST 1/2 SHOULD 0/2 MAY 1/1');
    expect(problems).toEqual(['MUST-1: a test that claims it fails (c.test.ts); mend the code']);
  });
});

describe('what fails', () => {
  test('a MUST without a test', () => {
    expect(report([passed('[MUST-1] [MAY-1]')]).problems.join()).toContain('MUST-2: neither a passing test');
  });

  test('a declined MUST, a MAY nobody decided, a MAY said to be implemented without a test', () => {
    const tests = [passed('[MUST-1]')];
    const problems = report(tests, [{ id: 'MUST-2', decision: 'declined', reason }]).problems.join('\n');
    expect(problems).toContain('MUST-2: a MUST cannot be declined');
    expect(problems).toContain('MAY-1: undecided');
    const said = report(tests, [{ id: 'MAY-1', decision: 'implemented', reason }]).problems.join('\n');
    expect(said).toContain('MAY-1: said to be implemented; write a test tagged [MAY-1]');
    expect(report(tests, [{ id: 'MAY-1', decision: 'declined', reason }]).problems.join()).not.toContain('MAY-1');
  });

  test('a decision without a reason, twice, or about nothing', () => {
    const once: Decision = { id: 'MAY-1', decision: 'declined', reason: 'no' };
    const problems = report([], [once, { ...once, reason }, { ...once, id: 'MAY-77' }]).problems.join('\n');
    expect(problems).toContain('MAY-1 has no reason');
    expect(problems).toContain('MAY-1 is decided twice');
    expect(problems).toContain('MAY-77 is no requirement');
  });
});
