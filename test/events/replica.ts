import { expect } from "vitest";
import type {
  DeviceSnapshot,
  HostEvent,
  HostSnapshot,
  HostWatch,
  MdevHost,
  ParentSnapshot,
} from "../../src/index.js";

const PATIENCE = 5_000;

/** A host as somebody knows it who has heard of it by events alone. */
export class Replica {
  readonly #watch: HostWatch;
  readonly #devices = new Map<string, DeviceSnapshot>();
  readonly #parents = new Map<string, ParentSnapshot>();
  /** All that was told. */
  readonly events: HostEvent[] = [];

  constructor(watch: HostWatch) {
    this.#watch = watch;
  }

  /** What was told, in short: `device-added mdpy-hd`. */
  get story(): string[] {
    return this.events.map((event) => {
      if ("device" in event) return `${event.type} ${event.device.type ?? "?"} ${event.device.state}`;
      if (event.type === "availability-changed")
        return `${event.mdevType.id} ${event.before ?? "?"} ${event.after ?? "?"}`;
      if (event.type === "problem") return `problem ${event.problem.type}`;
      if (event.type === "snapshot") return "snapshot";
      return `${event.type} ${"mdevType" in event ? event.mdevType.id : event.parent.id}`;
    });
  }

  /** The next event; `undefined` at the end. */
  async next(): Promise<HostEvent | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no event after ${this.story.join(", ")}`));
      }, PATIENCE);
    });
    const { done, value } = await Promise.race([this.#watch.next(), late]).finally(() => clearTimeout(timer));
    if (done === true) return undefined;
    this.#apply(value);
    return value;
  }

  /** Listens until something was told. */
  async until(told: (event: HostEvent) => boolean): Promise<HostEvent> {
    for (;;) {
      const event = await this.next();
      if (event === undefined) throw new Error(`ended after ${this.story.join(", ")}`);
      if (told(event)) return event;
    }
  }

  /** Listens until it knows what is true; where it knows that already, it listens no further. */
  async untilItKnows(host: MdevHost): Promise<void> {
    for (;;) {
      const truth = await host.snapshot().getOrThrow();
      try {
        this.expectToBe(truth);
        return;
      } catch (difference) {
        await this.next().catch(() => {
          throw difference;
        });
      }
    }
  }

  expectToBe(truth: HostSnapshot): void {
    const known = (entries: Iterable<DeviceSnapshot>): unknown[] =>
      [...entries]
        .map(({ id, parentPath, type, state, inode }) => [parentPath, id, type, state, inode])
        .sort();
    expect(known(this.#devices.values())).toEqual(known(truth.devices));
    const types = (parents: Iterable<ParentSnapshot>): unknown[] =>
      [...parents]
        .map(({ path, types: of }) => [
          path,
          ...of.map(({ id, availableInstances }) => `${id} ${availableInstances ?? "?"}`),
        ])
        .sort();
    expect(types(this.#parents.values())).toEqual(types(truth.parents));
  }

  #apply(event: HostEvent): void {
    this.events.push(event);
    switch (event.type) {
      case "snapshot":
        expect(this.#parents.size + this.#devices.size, "a second snapshot").toBe(0);
        for (const parent of event.snapshot.parents) this.#parents.set(parent.path, parent);
        for (const device of event.snapshot.devices) this.#devices.set(placeOf(device), device);
        break;
      case "parent-registered":
        expect(this.#parents.has(event.parent.path), "registered twice").toBe(false);
        this.#parents.set(event.parent.path, event.parent);
        break;
      case "parent-unregistered":
        expect(this.#parents.delete(event.parent.path), "an unknown parent goes").toBe(true);
        break;
      case "type-added":
      case "type-removed":
      case "availability-changed":
        expect(this.#parents.has(event.parent.path), "a type of an unknown parent").toBe(true);
        this.#parents.set(event.parent.path, event.parent);
        break;
      case "device-added":
        expect(this.#devices.has(placeOf(event.device)), "added twice").toBe(false);
        this.#devices.set(placeOf(event.device), event.device);
        break;
      case "device-ready":
        expect(event.device.state).toBe("active");
        expect(this.#devices.has(placeOf(event.device)), "an unknown device is ready").toBe(true);
        this.#devices.set(placeOf(event.device), event.device);
        break;
      case "device-changed":
        expect(this.#devices.has(placeOf(event.device)), "an unknown device changes").toBe(true);
        this.#devices.set(placeOf(event.device), event.device);
        break;
      case "device-removed":
        expect(this.#devices.delete(placeOf(event.device)), "an unknown device goes").toBe(true);
        break;
      case "problem":
        break;
    }
  }
}

function placeOf({ parentPath, id }: DeviceSnapshot): string {
  return `${parentPath}/${id}`;
}
