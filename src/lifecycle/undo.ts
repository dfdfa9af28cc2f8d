import { type AnyMdevError, RollbackFailedError } from "../errors.js";
import type { HostContext } from "../context.js";
import { Interruption } from "../file-system/failure.js";
import type { Io } from "../file-system/io.js";
import type { FoundDevice } from "../layouts/layout.js";
import { log } from "../log.js";
import { removeDevice } from "./remove.js";

/** How long an undo may take before it counts as failed, in milliseconds. */
const UNDO_LIMIT = 10_000;

/** The undoing of one creation: the device is removed again, and never before its creation has come to an end. */
export class Undo {
  readonly #context: HostContext;
  readonly #device: FoundDevice;
  #creation: Promise<void> | undefined;
  #begun = false;

  constructor(context: HostContext, device: FoundDevice) {
    this.#context = context;
    this.#device = device;
  }

  /** Takes note of the write that creates. */
  after(creation: Promise<void>): void {
    this.#creation = creation;
  }

  /** Whether there may be something to undo. */
  get isDue(): boolean {
    return this.#creation !== undefined;
  }

  /** What the caller who gave up is told. */
  get pending(): string {
    return `If the kernel made ${this.#device.id}, or still makes it, it is removed again.`;
  }

  /** Undoes it because something failed; the error is that, or that the undo failed too. */
  async because<E extends AnyMdevError>(io: Io, failure: E, tried: string): Promise<E | RollbackFailedError> {
    this.#begun = true;
    const undone = await io.within(this.#remove()).catch((thrown: unknown) => {
      if (thrown instanceof Interruption) thrown.pending = this.pending;
      throw thrown;
    });
    if (undone.ok) return failure;
    const { path } = this.#device;
    const why = ({ type, errno }: AnyMdevError): string => (errno === undefined ? type : `${type}, ${errno}`);
    return new RollbackFailedError({
      tried,
      reason: `it failed (${why(failure)}), and so did removing the device again (${why(undone.error)})`,
      hint: `${path} is left behind.`,
      path,
      failure,
      undoFailure: undone.error,
      leftBehind: path,
    });
  }

  /** Undoes it as soon as the creation has come to an end, if it succeeds; the caller does not wait for that. */
  later(): void {
    const { path } = this.#device;
    if (this.#begun) return;
    this.#creation?.then(
      async () => {
        const undone = await this.#remove();
        log.create("%s: given up, %s", path, undone.ok ? "removed again" : undone.error.message);
      },
      () => {
        log.create("%s: given up, and never made", path);
      },
    );
  }

  #remove(): ReturnType<typeof removeDevice> {
    return removeDevice(this.#context, this.#device, { timeout: UNDO_LIMIT });
  }
}
