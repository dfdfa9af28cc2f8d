import type { ChangeSource, Problem } from "../index.js";
import type { DefinitionProblem } from "./definition-files.js";
import type { DefinitionList, DefinitionQuery } from "./definition-store.js";
import type { MdevDefinition } from "./mdev-definition.js";

/** What {@link DefinitionStore.watch} tells: first all definitions, then each change to them, and what goes wrong. */
export type DefinitionEvent =
  | {
      /** The store as it was at the first look: all changes that follow are changes to this. */
      readonly type: "snapshot";
      /** It. */
      readonly snapshot: DefinitionList;
    }
  | {
      /** A device is defined that was not, under this parent. */
      readonly type: "defined";
      /** Its definition. */
      readonly definition: MdevDefinition;
    }
  | {
      /** A definition says something else, or its file spells the UUID in another way. */
      readonly type: "changed";
      /** What it said. */
      readonly before: MdevDefinition;
      /** What it says. */
      readonly definition: MdevDefinition;
    }
  | {
      /** A device is no longer defined under this parent. */
      readonly type: "undefined";
      /** What its definition said last. */
      readonly definition: MdevDefinition;
    }
  | {
      /** There is something that is no definition, or what tells of changes is no longer to be relied on. The watch goes on. */
      readonly type: "problem";
      /** What. */
      readonly problem: Problem | DefinitionProblem;
    };

/**
 * Options of {@link DefinitionStore.watch}: `signal` ends the iteration normally, `timeout` is the limit of each look,
 * `parent` and `uuid` say which definitions are watched.
 */
export interface DefinitionWatchOptions extends DefinitionQuery {
  /** What tells when to look. By default what the store's file system has, and polling where it has nothing. */
  readonly source?: ChangeSource | undefined;
  /** The longest time from one look to the next, whatever the source tells, in milliseconds: 5000. */
  readonly interval?: number | undefined;
}

/**
 * An iteration over what happens to the definitions: `for await` goes through it. It is over when its signal is aborted, its
 * loop is left or `return()` called. It can be gone through once.
 */
export interface DefinitionWatch {
  /** The next event. While it is waited for, and only then, the watch keeps the process alive. */
  next(): Promise<IteratorResult<DefinitionEvent, undefined>>;
  /** Ends the watch, also while an event is waited for: that is then the end, too. */
  return(): Promise<IteratorResult<DefinitionEvent, undefined>>;
  /** Itself. */
  [Symbol.asyncIterator](): DefinitionWatch;
}
