import {
  argumentsOf,
  type CalloutAction,
  type CalloutEvent,
  type CalloutState,
  type CalloutSubject,
  NOT_MINE,
  PROVIDES,
  supportedBy,
  type VersionedScript,
} from "./callout-script.js";
import { compare } from "./definition-files.js";
import { StoreFailure } from "./operation.js";
import type { ScriptEnd, ScriptRunner } from "./script-runner.js";

/** How scripts are found and run; all of it checked. */
export interface CalloutReach {
  readonly runner: ScriptRunner;
  readonly folders: readonly string[];
  readonly timeout: number;
  readonly onComplaint: ((script: string, text: string) => void) | undefined;
}

/** One thing to tell a script. */
export interface Telling {
  readonly event: CalloutEvent;
  readonly action: CalloutAction;
  readonly state: CalloutState;
  readonly input: string;
}

/** The scripts as one operation knows them: what they support is asked once for each parent and type. */
export class CalloutSession {
  readonly #reach: CalloutReach;
  readonly #versioned = new Map<string, VersionedScript | undefined>();

  constructor(reach: CalloutReach) {
    this.#reach = reach;
  }

  /** The scripts, in the order of search: one folder after the other, and in it by the bytes of their names. */
  async scripts(kind: "callouts" | "notifiers"): Promise<readonly string[]> {
    const paths: string[] = [];
    for (const each of this.#reach.folders) {
      const folder = `${each}/${kind}`;
      try {
        const names = await this.#reach.runner.scripts(folder);
        paths.push(...[...names].sort(compare).map((name) => `${folder}/${name}`));
      } catch (thrown) {
        throw new StoreFailure(folder, thrown);
      }
    }
    return paths;
  }

  /** Runs one script to its end, or until the signal is aborted or it has had its time. */
  async tell(
    path: string,
    subject: CalloutSubject,
    { event, action, state, input }: Telling,
    signal?: AbortSignal,
  ): Promise<ScriptEnd | undefined> {
    const { runner, timeout, onComplaint } = this.#reach;
    const over = new AbortController();
    const end = (): void => over.abort();
    const timer = setTimeout(end, timeout);
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted === true) end();
    try {
      const args = argumentsOf(subject, event, action, state);
      const ended = await runner.run({ path, args, input, signal: over.signal });
      if (ended !== undefined && ended.complaint !== "") onComplaint?.(path, ended.complaint);
      return ended;
    } catch (thrown) {
      throw new StoreFailure(path, thrown);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }

  /** The script that serves all events of this parent and type, where one says so: the first that does. */
  async versioned(subject: CalloutSubject, signal?: AbortSignal): Promise<VersionedScript | undefined> {
    const key = `${subject.parent}/${subject.type}`;
    if (!this.#versioned.has(key)) this.#versioned.set(key, await this.#find(subject, signal));
    return this.#versioned.get(key);
  }

  async #find(subject: CalloutSubject, signal?: AbortSignal): Promise<VersionedScript | undefined> {
    const asking: Telling = { event: "get", action: "capabilities", state: "none", input: PROVIDES };
    for (const path of await this.scripts("callouts")) {
      const ended = await this.tell(path, subject, asking, signal);
      if (ended?.status === undefined || ended.status === NOT_MINE) continue;
      const script = supportedBy(path, ended.output);
      if (script !== undefined) return script;
    }
    return undefined;
  }
}
