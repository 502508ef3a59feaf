/** What `estab/register` does, from its configuration to the patched `node:net`. */

import { defaultHost } from './embedded.ts';
import { install } from './node/install.ts';

export function registerFromEnvironment(_environment: NodeJS.ProcessEnv): void {
  install({ host: defaultHost, socketPrototype: null, chooses: null, listensOn: null });
}
