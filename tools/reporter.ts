/**
 * The test report of this project: one line a file, failures in full, skipped tests with their reasons, and a last line
 * `N passed, N failed, N skipped`. Every result also goes to out/test-results.json, which the conformance table reads.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { UserConsoleLog } from 'vitest';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** What out/test-results.json holds. */
export interface TestResults {
  /** Milliseconds since 1970 when the run began. */
  startedAt: number;
  /** True when nothing was left out: no file or test was named on the command line (tools/test.mjs says so). */
  whole: boolean;
  tests: { file: string; name: string; state: 'passed' | 'failed' | 'skipped'; note?: string }[];
}

export const RESULTS_FILE = 'out/test-results.json';

type SerializedError = Parameters<NonNullable<Reporter['onTestRunEnd']>>[1][number];

function stateOf(test: TestCase): 'passed' | 'failed' | 'skipped' {
  const state = test.result().state;
  // A test that never got to run (its worker died, the run was interrupted) has not passed.
  return state === 'pending' ? 'failed' : state;
}

function indent(text: string): string {
  return text.replace(/^/gm, '      ');
}

export default class HouseReporter implements Reporter {
  private readonly root = process.cwd();
  private readonly startedAt = Date.now();
  /** What tests print, by the test's id: shown only when it fails. */
  private readonly logs = new Map<string, string>();

  private nameOf(module: TestModule): string {
    return path.relative(this.root, module.moduleId);
  }

  onTestModuleEnd(module: TestModule): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const test of module.children.allTests()) counts[stateOf(test)]++;
    const broken = module.errors().length > 0 || counts.failed > 0;
    const parts = [`${counts.passed} passed`];
    if (counts.failed > 0) parts.push(`${counts.failed} failed`);
    if (counts.skipped > 0) parts.push(`${counts.skipped} skipped`);
    const seconds = (module.diagnostic().duration / 1000).toFixed(1);
    process.stdout.write(`${broken ? 'FAIL' : 'ok  '} ${this.nameOf(module)}  ${parts.join(', ')}, ${seconds} s\n`);
  }

  onUserConsoleLog(log: UserConsoleLog): void {
    if (log.taskId !== undefined) this.logs.set(log.taskId, (this.logs.get(log.taskId) ?? '') + log.content);
  }

  onTestCaseResult(test: TestCase): void {
    const log = this.logs.get(test.id);
    this.logs.delete(test.id);
    if (test.result().state !== 'failed') return;
    process.stdout.write(`  FAILED ${this.nameOf(test.module)} > ${test.fullName}\n`);
    if (log !== undefined) process.stdout.write(`${indent(log.trimEnd())}\n`);
    for (const error of test.result().errors ?? []) this.printError(error);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const whole = process.env.ESTAB_WHOLE_RUN === '1';
    const results: TestResults = { startedAt: this.startedAt, whole, tests: [] };
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const skipped = new Map<string, string[]>();
    for (const module of modules) {
      const file = this.nameOf(module);
      for (const error of module.errors()) {
        counts.failed++;
        process.stdout.write(`  FAILED ${file} could not be run\n`);
        this.printError(error);
        results.tests.push({ file, name: '(the file itself)', state: 'failed' });
      }
      for (const test of module.children.allTests()) {
        const state = stateOf(test);
        counts[state]++;
        const result = test.result();
        const note = result.state === 'skipped' ? (result.note ?? 'no reason given') : undefined;
        results.tests.push({ file, name: test.fullName, state, ...(note === undefined ? {} : { note }) });
        if (note !== undefined) skipped.set(note, [...(skipped.get(note) ?? []), `${file} > ${test.fullName}`]);
      }
    }
    for (const error of unhandled) {
      counts.failed++;
      process.stdout.write('  FAILED outside of any test\n');
      this.printError(error);
    }
    for (const [note, names] of skipped) {
      process.stdout.write(`skipped: ${note}\n`);
      for (const name of names) process.stdout.write(`  ${name}\n`);
    }
    const file = path.join(this.root, RESULTS_FILE);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
    if (counts.failed > 0) process.exitCode = 1;
    const seconds = ((Date.now() - this.startedAt) / 1000).toFixed(0);
    process.stdout.write(`${seconds} s\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
  }

  private printError(error: { message?: string; stack?: string; diff?: string }): void {
    const text = error.stack ?? error.message ?? 'an error without a message';
    const own = text
      .split('\n')
      .filter((line) => !line.includes('/node_modules/') && !line.endsWith('at new Promise (<anonymous>)'));
    process.stdout.write(`${indent(own.join('\n'))}\n`);
    if (error.diff !== undefined) process.stdout.write(`${indent(error.diff)}\n`);
  }
}
