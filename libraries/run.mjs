/**
 * Runs one library by one route, in a process of its own: `node run.mjs LIBRARY ROUTE`. Each check is a line of JSON on
 * standard output, `{ check, error? }`; the checks stand in checks/LIBRARY.mjs.
 */
import { Stage } from './stage.mjs';

const CHECK_MS = 120_000;
const [library, route] = process.argv.slice(2);
const { default: run } = await import(`./checks/${library}.mjs`);

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** One claim about the library: what it says must come true within two minutes. */
async function check(claim, prove) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${CHECK_MS / 1000} s`)), CHECK_MS);
  });
  try {
    await Promise.race([prove(), late]);
    tell({ check: claim });
  } catch (error) {
    tell({ check: claim, error: error.stack ?? String(error) });
  } finally {
    clearTimeout(timer);
  }
}

process.on('uncaughtException', (error) => {
  tell({ check: 'nothing is thrown where nobody catches it', error: error.stack ?? String(error) });
  process.exit(1);
});
const stage = await Stage.open(route, JSON.parse(process.env.ESTAB_STAGE));
await run(stage, check);
stage.close();
// What a library leaves running (pools, timers) is its own affair.
process.exit();
