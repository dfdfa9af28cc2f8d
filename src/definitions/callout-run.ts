import { DecodeError, RejectedError, Result } from "../index.js";
import {
  bare,
  type CalloutAction,
  type CalloutEvent,
  type CalloutState,
  type CalloutSubject,
  NOT_MINE,
  type VersionedScript,
} from "./callout-script.js";
import type { CalloutSession, Telling } from "./callout-session.js";
import { attributesOf, type DefinedAttribute, type DefinitionConfig } from "./config.js";
import { parseJson } from "./json.js";
import type { ScriptEnd } from "./script-runner.js";

/** What some scripts write where there are no attributes. */
const NONE: ReadonlySet<string> = new Set(["", "[{}]"]);

/** The scripts around one action on one device: asked before it, and told of it after it. */
export class CalloutRun {
  readonly #session: CalloutSession;
  readonly #action: CalloutAction;
  readonly #subject: CalloutSubject;
  readonly #input: string;
  /** The script that has answered for this device. */
  #script: string | undefined;

  constructor(
    session: CalloutSession,
    action: CalloutAction,
    subject: CalloutSubject,
    { type, start, attributes }: DefinitionConfig,
  ) {
    this.#session = session;
    this.#action = action;
    this.#subject = subject;
    const attrs = attributes.map(([name, value]) => ({ [name]: value }));
    this.#input = JSON.stringify({ mdev_type: type, start, attrs });
  }

  /** Event `pre`: whether the action may be done. Where it may not, notifiers are told so. */
  async before(signal: AbortSignal, tried: string): Promise<Result<void, RejectedError>> {
    const refusal = await this.#pre(signal, tried);
    if (refusal === undefined) return Result.ok();
    await this.#notify("none");
    return Result.error(refusal);
  }

  /** Events `post` and `notify`: how it ended. What the scripts answer changes nothing, nor does one that cannot be run. */
  async after(state: CalloutState): Promise<void> {
    await this.#post(state).catch(() => undefined);
    await this.#notify(state);
  }

  /** Event `get`, action `attributes`: what an active device has, in the words of a definition. */
  async attributes(
    signal: AbortSignal,
    tried: string,
  ): Promise<Result<readonly DefinedAttribute[], RejectedError | DecodeError>> {
    const asking: Telling = { event: "get", action: "attributes", state: "none", input: "" };
    const versioned = await this.#session.versioned(this.#subject, signal);
    const fault = versioned && unsupported(versioned, "get", "attributes", tried);
    if (fault !== undefined) return Result.error(fault);
    const paths = versioned === undefined ? await this.#session.scripts("callouts") : [versioned.path];
    if (versioned === undefined) this.#script = undefined; // who answers now is told of the end, whoever was asked before
    for (const path of paths) {
      const ended = await this.#session.tell(path, this.#subject, asking, signal);
      if (versioned === undefined && (ended === undefined || ended.status === NOT_MINE)) continue;
      if (ended?.status !== 0) return Result.error(refusal(path, ended, tried));
      this.#script = path;
      return readAttributes(path, bare(ended.output), tried);
    }
    return Result.ok([]);
  }

  async #pre(signal: AbortSignal, tried: string): Promise<RejectedError | undefined> {
    const asking: Telling = { event: "pre", action: this.#action, state: "none", input: this.#input };
    const versioned = await this.#session.versioned(this.#subject, signal);
    const fault = versioned && unsupported(versioned, "pre", this.#action, tried);
    if (fault !== undefined) return fault;
    const paths = versioned === undefined ? await this.#session.scripts("callouts") : [versioned.path];
    for (const path of paths) {
      const ended = await this.#session.tell(path, this.#subject, asking, signal);
      if (versioned === undefined && (ended === undefined || ended.status === NOT_MINE)) continue;
      if (ended?.status !== 0) return refusal(path, ended, tried);
      this.#script = path;
      return undefined;
    }
    return undefined; // nobody's device
  }

  async #post(state: CalloutState): Promise<void> {
    const telling: Telling = { event: "post", action: this.#action, state, input: this.#input };
    const versioned = await this.#session.versioned(this.#subject);
    if (versioned?.events.has("post") === false) return;
    const paths = this.#script === undefined ? await this.#session.scripts("callouts") : [this.#script];
    for (const path of paths) {
      const ended = await this.#session.tell(path, this.#subject, telling);
      if (ended?.status !== undefined && ended.status !== NOT_MINE) return;
    }
  }

  async #notify(state: CalloutState): Promise<void> {
    const telling: Telling = { event: "notify", action: this.#action, state, input: "" };
    const paths = await this.#session.scripts("notifiers").catch(() => []);
    for (const path of paths) await this.#session.tell(path, this.#subject, telling).catch(() => undefined);
  }
}

function readAttributes(
  path: string,
  output: string,
  tried: string,
): Result<readonly DefinedAttribute[], DecodeError> {
  if (NONE.has(output)) return Result.ok([]);
  const failure = (reason: string): Result<never, DecodeError> =>
    Result.error(new DecodeError({ tried, reason: `what ${path} prints ${reason}`, path, raw: output }));
  const json = parseJson(output);
  if (!json.ok) return failure(`is no JSON: ${json.error.reason}`);
  const attributes = attributesOf(json.value);
  return attributes.ok ? attributes : failure(attributes.error.reason);
}

function unsupported(
  { path, actions, events }: VersionedScript,
  event: CalloutEvent,
  action: CalloutAction,
  tried: string,
): RejectedError | undefined {
  const what = actions.has(action) ? (events.has(event) ? undefined : `event ${event}`) : `action ${action}`;
  if (what === undefined) return undefined;
  return new RejectedError({ tried, reason: `the script ${path} does not support the ${what}`, path });
}

function refusal(path: string, ended: ScriptEnd | undefined, tried: string): RejectedError {
  const words = ended?.complaint.trim().replaceAll(/\s+/gu, " ") ?? "";
  const said = words === "" ? "" : `, and said: ${words.slice(0, 500)}`;
  const how =
    ended === undefined
      ? "cannot be run"
      : ended.status === undefined
        ? "was killed"
        : `ended with status ${ended.status}`;
  return new RejectedError({ tried, reason: `the script ${path} ${how}${said}`, path });
}
