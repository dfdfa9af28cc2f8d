// What the kernel's own events and polling tell of the same changes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import {
  type ChangeSource,
  type HostEvent,
  type HostWatch,
  type MdevHost,
  pollingSource,
  udevSource,
} from "../../src/index.js";
import { ok } from "../contract/expect.js";

const HOUR = 3_600_000;
const PATIENCE = 20_000; // an emulated guest takes its time

/** Listens all the time, and keeps what was told. */
class Listener {
  readonly name: string;
  readonly events: HostEvent[] = [];
  readonly #watch: HostWatch;
  #heard = (): void => undefined;

  constructor(name: string, host: MdevHost, source: ChangeSource) {
    this.name = name;
    this.#watch = host.watch({ source, interval: HOUR });
    void this.#listen();
  }

  /** Waits until something was told so many times. */
  async until(what: string, told: (event: HostEvent) => boolean, times: number): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (this.events.filter(told).length < times) {
      assert.ok(
        performance.now() < end,
        `${this.name} never told ${what}, but ${JSON.stringify(this.events.slice(-5))}`,
      );
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
        timer = setTimeout(resolve, 500);
      });
      clearTimeout(timer);
    }
  }

  /** What has become of each device, and of each type's number of instances. */
  get transitions(): Record<string, string[]> {
    const all: Record<string, string[]> = {};
    for (const event of this.events) {
      if (event.type === "problem") (all["problems"] ??= []).push(event.problem.message);
      else if (event.type === "availability-changed")
        (all[event.mdevType.id] ??= []).push(`${event.before ?? "?"} ${event.after ?? "?"}`);
      // On its way a device may be seen by one and not by the other.
      else if ("device" in event && event.type !== "device-changed")
        (all[event.device.id] ??= []).push(event.type);
      else if ("parent" in event) (all[event.parent.id] ??= []).push(event.type);
    }
    return all;
  }

  async end(): Promise<void> {
    await this.#watch.return();
  }

  async #listen(): Promise<void> {
    for await (const event of this.#watch) {
      this.events.push(event);
      this.#heard();
    }
  }
}

/** On a host with mtty and no devices. */
export function watching(host: MdevHost, asked: number): void {
  const rounds = Math.min(20, Math.max(3, Math.ceil(asked / 40))); // each takes seconds where the guest is emulated

  describe("watching", () => {
    it(`tells the same of ${rounds} devices and of a driver that goes and comes, by udev and by polling`, async (t) => {
      const udev = new Listener("udev", host, udevSource());
      const polling = new Listener("polling", host, pollingSource({ interval: 100 }));
      const both = async (what: string, told: (event: HostEvent) => boolean, times = 1): Promise<void> => {
        await Promise.all([udev, polling].map((listener) => listener.until(what, told, times)));
      };
      const availability = (before: number, after: number) => (event: HostEvent) =>
        event.type === "availability-changed" && event.before === before && event.after === after;
      try {
        await both("the host", ({ type }) => type === "snapshot");
        const type = await ok((await ok(host.parent("mtty"))).type("mtty-1"));
        const delays: number[] = [];
        for (let round = 0; round < rounds; round++) {
          const device = await ok(type.create());
          const created = performance.now();
          const about = (what: string) => (event: HostEvent) =>
            event.type === what && "device" in event && event.device.id === device.id;
          await udev.until("a device", about("device-ready"), 1);
          delays.push(performance.now() - created);
          await both("a device", about("device-ready"));
          await both("one less", availability(24, 23), round + 1);
          await ok(device.remove());
          await both("a removal", about("device-removed"));
          await both("one more", availability(23, 24), round + 1);
        }
        const last = await ok(type.create());
        await both(
          "the last device",
          (event) => event.type === "device-ready" && event.device.id === last.id,
        );
        execFileSync("rmmod", ["mtty"]);
        await both(
          "a driver that goes",
          (event) => event.type === "parent-unregistered" && event.parent.id === "mtty",
        );
        execFileSync("modprobe", ["mtty"]);
        await both(
          "a driver that comes",
          (event) => event.type === "parent-registered" && event.parent.id === "mtty",
        );

        const { problems, ...told } = udev.transitions;
        assert.deepEqual(told, polling.transitions);
        assert.equal(problems, undefined);
        const devices = Object.values(told).filter(([first]) => first === "device-added");
        assert.equal(devices.length, rounds + 1);
        for (const device of devices)
          assert.deepEqual(device, ["device-added", "device-ready", "device-removed"]);
        assert.deepEqual(told["mtty"], ["parent-unregistered", "parent-registered"]);
        delays.sort((a, b) => a - b);
        const [median, slowest] = [delays[rounds >> 1] ?? 0, delays.at(-1) ?? 0].map(Math.round);
        t.diagnostic(
          `udev: a device is told to be ready ${median} ms after its creation (median; most ${slowest} ms)`,
        );
      } finally {
        await Promise.all([udev.end(), polling.end()]);
      }
    });

    it("asks udev by itself, and leaves nothing behind", async () => {
      const watch = host.watch({ interval: HOUR });
      assert.equal((await watch.next()).value?.type, "snapshot");
      const monitors = (): string =>
        execFileSync("sh", ["-c", "grep -lsa 'monito[r].--kernel' /proc/[0-9]*/cmdline || true"]).toString();
      assert.match(monitors(), /proc/u);
      const device = await ok((await ok((await ok(host.parent("mtty"))).type("mtty-1"))).create());
      for (let told; told !== "device-ready";) told = (await watch.next()).value?.type;
      await ok(device.remove());
      await watch.return();
      for (let tries = 0; monitors() !== ""; tries++) {
        assert.ok(tries < 100, "udevadm goes on");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
  });
}
