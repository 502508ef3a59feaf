/**
 * `node -r estab/register program.js`, or `--import estab/register`: every connection of an unmodified program goes
 * over a stack of ours. What over, and which connections, is said by the environment (docs/register.md).
 */

import { registerFromEnvironment } from './net/register.ts';

registerFromEnvironment(process.env);
