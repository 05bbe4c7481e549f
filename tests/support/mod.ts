/** What the tests on a real NATS server share. @module */

export {
  type EngineProcess,
  type EngineProcessOptions,
  type RemoteAnswer,
  type RemoteAttempt,
  RemoteInvoker,
  startEngineProcess,
} from "./engine_process.ts";
export { endUnacked } from "./end_unacked.ts";
export { chain, ended, reaches } from "./executions.ts";
export { type Answer, Gate, Recorder } from "./invokers.ts";
export {
  connectTo,
  inSpace,
  type LogLine,
  newNamespace,
  type RunningEngine,
  Space,
  type SpaceOptions,
  streamsOf,
} from "./space.ts";
export { type Untouchable, untouchable } from "./untouchable.ts";
export { PATIENCE_MS, until, within } from "./until.ts";
