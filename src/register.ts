/**
 * `node -r estab/register program.js`, or `--import estab/register`: every connection of an unmodified program goes
 * over a stack of ours. What over, and which connections, is said by the environment (docs/register.md).
 */

import { EstabError } from './base/errors.ts';
import { registerFromEnvironment } from './preload/register.ts';

try {
  registerFromEnvironment(process.env);
} catch (error) {
  if (!(error instanceof EstabError)) throw error;
  process.stderr.write(`estab/register: ${error.message}\n`);
  process.exit(1);
}
