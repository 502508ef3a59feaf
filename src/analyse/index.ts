/** `estab/analyse`: what happened on each connection of a capture. An independent witness: knows nothing of the stack. */

export { Analyser, type AnalyserOptions } from './analyser.ts';
export { FINDING_KINDS, type FindingKind } from './kinds.ts';
export type {
  CaptureReport,
  Confidence,
  ConnectionReport,
  Counts,
  Endpoint,
  Finding,
  Role,
  StateChange,
} from './report.ts';
