import {
  type AsyncResult,
  type DecodeError,
  InvalidArgumentError,
  type MdevError,
  type OperationError,
  type OperationOptions,
  type RejectedError,
  type Result,
} from "../index.js";
import { CalloutRun } from "./callout-run.js";
import type { CalloutSubject } from "./callout-script.js";
import { type CalloutReach, CalloutSession } from "./callout-session.js";
import type { DefinedAttribute } from "./config.js";
import { wantedFault } from "./lookup.js";
import { componentFault, uuidOf } from "./names.js";
import { NodeScriptRunner } from "./node-script-runner.js";
import { isWaitable, operate } from "./operation.js";
import type { ScriptRunner } from "./script-runner.js";

const FOLDERS = ["/usr/lib/mdevctl/scripts.d", "/etc/mdevctl.d/scripts.d"];
/** Whoever waits for the same definitions waits for the scripts, too. */
const TIMEOUT = 60_000;

/** How mdevctl's scripts are run; each has a default that means the local machine. */
export interface CalloutsOptions {
  /** What finds and runs them; {@link NodeScriptRunner} where it is not given. */
  readonly runner?: ScriptRunner | undefined;
  /**
   * The folders with the folders `callouts` and `notifiers`, in the order of search: `/usr/lib/mdevctl/scripts.d`, then
   * `/etc/mdevctl.d/scripts.d`. None of them need exist.
   */
  readonly folders?: readonly string[] | undefined;
  /** The longest that one script may take, in milliseconds: 60000. It is killed then; where it was asked, that is a refusal. */
  readonly timeout?: number | undefined;
  /** Is told what a script writes to its standard error. */
  readonly onComplaint?: ((script: string, text: string) => void) | undefined;
}

/**
 * What asking scripts can end in:
 *
 * - `rejected`: one of them failed, could not be run, or says that it cannot tell;
 * - `decode`: what it printed is no list of attributes;
 * - what any operation can: {@link OperationError}.
 */
export type CalloutError = RejectedError | DecodeError | OperationError;

/**
 * mdevctl's callout scripts and notifiers, run as mdevctl 1.3 and later run them. Give it to a {@link DefinitionStore}: what is
 * defined, modified and undefined there, and started and stopped by a {@link DefinedHost} of it, runs them then.
 *
 * Source of the protocol: mdevctl 1.4.0, which the tests run beside it, with the same scripts.
 *
 * @example
 * ```ts
 * import { Callouts, DefinitionStore, type ScriptRunner } from "vfio-mdev/definitions";
 * import { MemoryDefinitionFileSystem } from "vfio-mdev/testing";
 *
 * const runner: ScriptRunner = {
 *   scripts: async (folder) => (folder === "/usr/lib/mdevctl/scripts.d/callouts" ? ["site-policy"] : []),
 *   run: async ({ args }) => {
 *     const isRefused = args.includes("pre") && args.includes("mtty-2");
 *     return { status: isRefused ? 1 : 0, output: "", complaint: isRefused ? "no mtty-2 here" : "" };
 *   },
 * };
 * const callouts = new Callouts({ runner }); // new Callouts() runs the scripts of the local machine
 * const store = new DefinitionStore({ fs: new MemoryDefinitionFileSystem(), callouts });
 * const refused = await store.define({ parent: "mtty", type: "mtty-2" });
 * console.log(refused.error?.message);
 * // prints: cannot define a device: the script /usr/lib/mdevctl/scripts.d/callouts/site-policy ended with status 1, and said: no mtty-2 here.
 * ```
 */
export class Callouts {
  readonly #reach: CalloutReach;

  /** Throws an {@link InvalidArgumentError} for options that are none. */
  constructor(options: CalloutsOptions = {}) {
    const { runner = new NodeScriptRunner(), folders = FOLDERS, timeout = TIMEOUT, onComplaint } = options;
    const isPath = (folder: unknown): boolean =>
      typeof folder === "string" && folder.startsWith("/") && !folder.includes("\0");
    const reason = !(Array.isArray(folders) && folders.every(isPath))
      ? "its folders are not absolute paths"
      : isWaitable(timeout)
        ? undefined
        : "its timeout is not a number of milliseconds";
    if (reason !== undefined) throw new InvalidArgumentError({ tried: "run mdevctl's scripts", reason });
    this.#reach = { runner, folders: [...folders], timeout, onComplaint };
  }

  /**
   * What the scripts say an active device's attributes are, in the words of a definition; none where no script knows the
   * device. mdevctl shows them in its list, and stores them when it defines an active device.
   */
  attributes(
    subject: CalloutSubject,
    options?: OperationOptions,
  ): AsyncResult<readonly DefinedAttribute[], CalloutError> {
    const tried = "ask scripts for the attributes of a device";
    const { uuid, type } = subject;
    const fault =
      wantedFault(subject) ??
      (uuidOf(uuid) === undefined || componentFault(type) !== undefined
        ? "it is not a UUID, a parent and a type"
        : undefined);
    return operate({ tried, options, fault, timeout: undefined }, (limits) => {
      const config = { type, start: "manual", attributes: [] } as const;
      return new CalloutRun(this.session(), "attributes", subject, config).attributes(limits.signal, tried);
    });
  }

  /** @internal */
  session(): CalloutSession {
    return new CalloutSession(this.#reach);
  }
}

/** Does something with the scripts around it; without them, where there are none. */
export async function throughScripts<T, E extends MdevError, B extends MdevError>(
  run: CalloutRun | undefined,
  before: (run: CalloutRun) => PromiseLike<Result<void, B>>,
  body: () => PromiseLike<Result<T, E>>,
): Promise<Result<T, E | B>> {
  if (run === undefined) return body();
  const allowed = await before(run);
  if (!allowed.ok) return allowed as never; // typescript-result cannot see through a generic error type
  let isDone = false;
  try {
    const result = await body();
    isDone = result.ok;
    return result;
  } finally {
    await run.after(isDone ? "success" : "failure");
  }
}
