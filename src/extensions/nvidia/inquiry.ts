import {
  type AnyMdevError,
  type AsyncResult,
  type OperationOptions,
  type Problem,
  problemOf,
  type QueryError,
  Result,
  sharedLimits,
} from "../../index.js";

type Question<T, E extends AnyMdevError> = (options: OperationOptions | undefined) => AsyncResult<T, E>;

/**
 * Several questions, one after the other, within the caller's one limit. One that fails is a problem and no more; only
 * the limit, and options that are none, end the whole.
 */
export class Inquiry {
  readonly #limits: () => OperationOptions | undefined;
  readonly #problems: Problem[] = [];

  constructor(options: OperationOptions | undefined) {
    this.#limits = sharedLimits(options);
  }

  /** What could not be read so far. What is gone is none of it. */
  get problems(): readonly Problem[] {
    return Object.freeze([...this.#problems]);
  }

  /** The answer to a question, or why there is none. */
  async ask<T, E extends AnyMdevError>(question: Question<T, E>): Promise<Result<T, E>> {
    const answer = await question(this.#limits());
    if (answer.ok) return answer;
    const error = answer.error as AnyMdevError;
    if (error.type === "timeout" || error.type === "aborted" || error.type === "invalid-argument")
      throw new Ended(error);
    if (error.type !== "gone") this.#problems.push(problemOf(error));
    return answer;
  }

  /** The answer to a question; `undefined` where there is none. */
  async learn<T>(question: Question<T, AnyMdevError>): Promise<T | undefined> {
    const answer = await this.ask(question);
    return answer.ok ? answer.value : undefined;
  }
}

/** What ends an inquiry as a whole. */
export class Ended extends Error {
  readonly error: QueryError;

  constructor(error: QueryError) {
    super(error.message);
    this.error = error;
  }
}

/** Makes an inquiry; what ends it is the error of the result. */
export function inquire<T, E extends AnyMdevError = never>(
  options: OperationOptions | undefined,
  body: (inquiry: Inquiry) => Promise<Result<T, E>>,
): AsyncResult<T, E | QueryError> {
  const explain = (thrown: unknown): QueryError => {
    if (thrown instanceof Ended) return thrown.error;
    throw thrown; // a bug of ours
  };
  // typescript-result cannot see through a generic result type.
  return Result.fromAsyncCatching(() => body(new Inquiry(options)), explain) as AsyncResult<
    T,
    E | QueryError
  >;
}
