/**
 * `estab flows FILE…`: one row a connection, as CSV, NDJSON or Parquet, and asked with SQL. Several files are analysed
 * at once by workers. Parquet and SQL are DuckDB's work, an optional package.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { csvLine, type FlowRow, flowRows } from '../analyse/flow-row.ts';
import { analyseFile } from './explain.ts';
import { type Analysed, analyseSideBySide, hasWorkers } from './flows-pool.ts';
import { complain, Output } from './output.ts';

interface FlowsOptions {
  output?: string;
  sql?: string;
}

export function registerFlows(program: Command): void {
  program
    .command('flows')
    .description('a table of connections, one row each, from any number of captures')
    .argument('<files...>', 'captures')
    .option('-o, --output <file>', 'write .csv, .ndjson or .parquet (CSV to standard output if left out)')
    .option('--sql <query>', 'ask the table "flows" with SQL (DuckDB)')
    .action(flows);
}

async function flows(files: string[], options: FlowsOptions): Promise<void> {
  const kind = options.output === undefined ? 'csv' : /\.(csv|ndjson|parquet)$/.exec(options.output)?.[1];
  if (kind === undefined) {
    complain(`${options.output}: the name must end in .csv, .ndjson or .parquet`);
    process.exitCode = 2;
    return;
  }
  const rows: FlowRow[] = [];
  for (const [index, done] of (await analyseAll(files)).entries()) {
    for (const row of done.rows) rows.push(row);
    if (done.problem === null) continue;
    complain(`${files[index]}: ${done.problem}`);
    process.exitCode = 1;
  }
  if (options.sql !== undefined || kind === 'parquet') await withDuckDb(rows, kind, options);
  else if (options.output !== undefined)
    writeFileSync(options.output, kind === 'csv' ? csvText(rows) : ndjsonText(rows));
  else print(csvText(rows));
}

function print(text: string): void {
  const out = new Output();
  out.write(text);
  out.flush();
}

function csvText(rows: FlowRow[]): string {
  if (rows.length === 0) return '';
  const columns = Object.keys(rows[0]);
  return `${[csvLine(columns), ...rows.map((row) => csvLine(columns.map((c) => row[c])))].join('\n')}\n`;
}

function ndjsonText(rows: FlowRow[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

async function analyseAll(files: string[]): Promise<Analysed[]> {
  const progress = (count: number): void => showProgress(count, files.length);
  let done: Analysed[] = [];
  if (files.length > 1 && hasWorkers) done = await analyseSideBySide(files, progress);
  else {
    for (const file of files) {
      const { report } = await analyseFile(file);
      done.push({ rows: flowRows(report), problem: report.problem });
      progress(done.length);
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  return done;
}

function showProgress(done: number, all: number): void {
  if (!process.stderr.isTTY || all === 1) return;
  const width = 30;
  const filled = Math.round((done / all) * width);
  process.stderr.write(`\r${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${done} of ${all} files`);
}

async function withDuckDb(rows: FlowRow[], kind: string, options: FlowsOptions): Promise<void> {
  let duckdb: typeof import('@duckdb/node-api');
  try {
    duckdb = await import('@duckdb/node-api');
  } catch {
    complain('Parquet and --sql need the optional package @duckdb/node-api: npm install @duckdb/node-api');
    process.exitCode = 1;
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'estab-flows-'));
  try {
    const table = join(directory, 'flows.ndjson');
    writeFileSync(table, ndjsonText(rows));
    const instance = await duckdb.DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(`create table flows as select * from read_json_auto('${table}', sample_size = -1)`);
    if (options.output !== undefined) {
      const form =
        kind === 'parquet' ? 'format parquet, compression zstd' : kind === 'csv' ? 'format csv, header' : 'format json';
      await connection.run(`copy flows to '${resolve(options.output).replaceAll("'", "''")}' (${form})`);
    }
    if (options.sql !== undefined) {
      const reader = await connection.runAndReadAll(options.sql);
      const names = reader.columnNames();
      const lines = reader
        .getRowsJson()
        .map((row) => csvLine(row.map((cell) => (cell === null ? null : String(cell)))));
      print(`${[csvLine(names), ...lines].join('\n')}\n`);
    }
    connection.closeSync();
  } catch (error) {
    complain(`DuckDB: ${(error as Error).message.split('\n')[0]}`);
    process.exitCode = 1;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
