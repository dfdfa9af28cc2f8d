// A test runner of a page: what `describe` and `it` do is the same on every runtime.
import type { Runner } from "../contract/subject.js";

/** What is told of a test, as a line of JSON. */
export interface Outcome {
  readonly name: string;
  /** The outermost `describe`. */
  readonly part: string;
  readonly error?: string;
}

interface Scope {
  readonly names: readonly string[];
  readonly after: (() => Promise<void>)[];
}

interface Test {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly body: () => Promise<void>;
}

/** None of the tests takes as long, in milliseconds. */
const PATIENCE = 60_000;

const tests: Test[] = [];
let scopes: readonly Scope[] = [];

export const runner: Runner = {
  describe(name, body) {
    const outer = scopes;
    scopes = [...outer, { names: [...(outer.at(-1)?.names ?? []), name], after: [] }];
    body();
    scopes = outer;
  },
  it: (name, body) => void tests.push({ name, scopes, body }),
  afterEach: (body) => void scopes.at(-1)?.after.push(body),
};

/** Runs them one after the other. */
export async function* run(): AsyncGenerator<Outcome> {
  for (const { name, scopes, body } of tests) {
    const names = scopes.at(-1)?.names ?? [];
    const outcome = { name: [...names, name].join(" > "), part: names[0] ?? "" };
    const after = scopes.flatMap((scope) => scope.after).reverse();
    try {
      await inTime(body());
      for (const each of after) await inTime(each());
      yield outcome;
    } catch (thrown) {
      for (const each of after) await each().catch(() => undefined);
      yield { ...outcome, error: String((thrown as Partial<Error>).stack ?? thrown) };
    }
  }
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${PATIENCE} ms`)), PATIENCE);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
