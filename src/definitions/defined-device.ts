import type {
  AsyncResult,
  MdevError,
  OperationError,
  OperationOptions,
  RejectedError,
  Result,
} from "../index.js";
import { CalloutRun } from "./callout-run.js";
import type { CalloutAction } from "./callout-script.js";
import type { CalloutSession } from "./callout-session.js";
import { throughScripts } from "./callouts.js";
import type { DefinitionConfig } from "./config.js";
import { operate } from "./operation.js";

/** A device and what scripts are told of it. */
export interface DefinedDevice extends DefinitionConfig {
  readonly uuid: string;
  readonly parent: string;
}

/** Asks and tells the scripts within the limits; what is to be told of something that is done is told whatever they say. */
export function aroundScripts<T, E extends MdevError>(
  action: CalloutAction,
  subject: DefinedDevice,
  session: CalloutSession,
  within: () => OperationOptions | undefined,
  body: () => AsyncResult<T, E>,
): Promise<Result<T, E | RejectedError | OperationError>> {
  const { uuid, parent, type } = subject;
  const tried = `${action} ${uuid} of type ${type} on ${parent}`;
  const run = new CalloutRun(session, action, { uuid, parent, type }, subject);
  const before = (asked: CalloutRun): AsyncResult<void, RejectedError | OperationError> =>
    operate({ tried, options: within(), timeout: undefined }, (limits) => asked.before(limits.signal, tried));
  return throughScripts(run, before, body);
}
