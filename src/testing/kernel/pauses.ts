/** Where a creation can be stopped; not every kernel has all of them, nor in this order. */
export type CreateStage =
  | "uevent"
  | "remove"
  | "bus"
  | "power"
  | "driver"
  | "iommu_group"
  | "vfio-dev"
  | "vendor"
  | "devices"
  | "mdev_type"
  | "active";

/** Where a removal can be stopped. */
export type RemoveStage = Exclude<CreateStage, "active"> | "folder";

/** Options of {@link SimulatedHost.pauseCreate} and {@link SimulatedHost.pauseRemove}. */
export interface PauseOptions<Stage extends string> {
  /** The stage that is not begun: everything before it has been done. */
  readonly before: Stage;
  /** Only this device; the next one, when left out. */
  readonly uuid?: string;
}

/** A creation or removal that stops, or will stop, half-way. It catches one. */
export interface Pause {
  /** Fulfilled when one has come this far. */
  readonly reached: Promise<void>;
  /** Lets it go on; one that has not come so far yet will not stop any more. */
  readonly resume: () => void;
}

interface Waiting {
  readonly what: "create" | "remove";
  readonly before: string;
  readonly uuid: string | undefined;
  readonly resumed: Promise<void>;
  readonly reach: () => void;
}

/** The stops that a test has set. */
export class Pauses {
  readonly #waiting = new Set<Waiting>();

  add(what: "create" | "remove", { before, uuid }: PauseOptions<string>): Pause {
    let reach = (): void => undefined;
    let go = (): void => undefined;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const resumed = new Promise<void>((resolve) => (go = resolve));
    const waiting: Waiting = { what, before, uuid: uuid?.toLowerCase(), resumed, reach };
    this.#waiting.add(waiting);
    return {
      reached,
      resume: () => {
        this.#waiting.delete(waiting);
        go();
      },
    };
  }

  /** Passes the point before a stage: at least one turn of the event loop's microtasks, so that others see it. */
  async pass(what: "create" | "remove", stage: string, uuid: string): Promise<void> {
    await Promise.resolve();
    for (const waiting of [...this.#waiting]) {
      const meant = waiting.uuid === undefined || waiting.uuid === uuid;
      if (waiting.what !== what || waiting.before !== stage || !meant) continue;
      this.#waiting.delete(waiting);
      waiting.reach();
      await waiting.resumed;
    }
  }
}
