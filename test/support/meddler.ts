import type { FileSystem } from "../../src/index.js";

/** The name of a call. */
export type CallName = keyof FileSystem;

/** A call that somebody may meddle with. */
export interface Call {
  /** 1 for the first since {@link Meddler.meddle}. */
  readonly number: number;
  readonly name: CallName;
  readonly path: string;
  /** What the file system would answer. */
  honest(): unknown;
}

const NAMES: readonly CallName[] = ["readFile", "writeFile", "writeDetached", "readdir", "readlink", "lstat"];

/** A file system that does what a test says, answer by answer: it may throw, lie or keep silent. */
export class Meddler {
  /** What to give to a host. */
  readonly fs: FileSystem;
  /** The calls since {@link Meddler.meddle}. */
  readonly calls: Omit<Call, "honest">[] = [];
  #answer: ((call: Call) => unknown) | undefined;

  constructor(real: FileSystem) {
    const call = (name: CallName) => {
      return (...given: readonly unknown[]): unknown => {
        const [path] = given as [string];
        const facts = { number: this.calls.length + 1, name, path };
        this.calls.push(facts);
        const honest = (): unknown => (real[name] as (...given: readonly unknown[]) => unknown)(...given);
        return this.#answer === undefined ? honest() : this.#answer({ ...facts, honest });
      };
    };
    this.fs = Object.fromEntries(NAMES.map((name) => [name, call(name)])) as unknown as FileSystem;
  }

  /** From now on calls are answered so; honestly, where nothing is given. */
  meddle(answer?: (call: Call) => unknown): void {
    this.calls.length = 0;
    this.#answer = answer;
  }
}
