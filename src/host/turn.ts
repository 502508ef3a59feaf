/** In a turn of the event loop of its own: after all ticks and promises of this one. Browsers have only timers for it. */
export const nextTurn: (task: () => void) => unknown =
  typeof setImmediate === 'function' ? (task) => setImmediate(task) : (task) => setTimeout(task, 0);
