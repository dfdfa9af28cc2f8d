import { describe, expect, it, vi } from "vitest";
import {
  type CreateError,
  type MdevDevice,
  MdevHost,
  type MdevType,
  type RemoveError,
  type Result,
} from "../../src/index.js";
import { MemoryStore, SimulatedHost } from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";
import { UUID } from "../support/world.js";

// An operation on an owner's device is given up at each of its calls, of the file system or the store. The ledger then
// ends with a claim to what is there, and with none to what is not: on a function, where a vGPU has no identity of its
// own, such a claim would prove somebody else's next one to be the owner's.

/** A machine whose file system and store tell of each call, once it has begun. */
class Scene {
  readonly host: MdevHost;
  readonly type: () => Promise<MdevType>;
  readonly #simulated = new SimulatedHost();
  readonly #store = new MemoryStore();
  #called: () => void = () => undefined;

  constructor(place: keyof typeof PLACES) {
    const { add, parent, type } = PLACES[place];
    add(this.#simulated);
    this.host = new MdevHost({ fs: this.#heard(this.#simulated.fs), state: this.#heard(this.#store) });
    this.type = () => ok(this.host.parent(parent).map((found) => found.type(type)));
  }

  /** A signal that is aborted at the so manieth call from now, and whether there were that many. */
  abortAt(call: number): { readonly signal: AbortSignal; readonly isReached: () => boolean } {
    const controller = new AbortController();
    let left = call;
    this.#called = () => {
      if (--left === 0) controller.abort();
    };
    return { signal: controller.signal, isReached: () => left <= 0 };
  }

  /** How many claims there are, and how many devices. */
  async counts(): Promise<{ readonly claims: number; readonly devices: number }> {
    const devices = await ok(new MdevHost({ fs: this.#simulated.fs }).devices());
    return { claims: (await this.#store.names()).length, devices: devices.length };
  }

  #heard<T extends object>(calls: T): T {
    return new Proxy(calls, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: readonly unknown[]): unknown => {
          const answer: unknown = Reflect.apply(member, target, args);
          this.#called();
          return answer;
        };
      },
    });
  }
}

const PLACES = {
  "under a UUID": {
    add: (simulated: SimulatedHost) => simulated.addNvidiaGpu({ address: "0000:3b:00.0" }),
    parent: "0000:3b:00.0",
    type: "nvidia-156",
  },
  "on a function": {
    add: (simulated: SimulatedHost) =>
      simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", attributes: ["vgpu_params"] }),
    parent: "0000:41:00.4",
    type: "nvidia-1145",
  },
} as const;

function create(type: MdevType, signal?: AbortSignal): Promise<Result<MdevDevice, CreateError>> {
  const uuid = type.createOptions.has("uuid") ? UUID : undefined;
  return type.create({ uuid, owner: "me", attributes: [["nvidia/vgpu_params", "a=1\n"]], signal }).then();
}

/** What an error says may still happen. */
function pendingOf(error: CreateError | RemoveError): string | undefined {
  expect(error.type).toBe("aborted");
  return error.type === "aborted" ? error.pending : undefined;
}

const ONE = { claims: 1, devices: 1 };
const NONE = { claims: 0, devices: 0 };

describe.each(["under a UUID", "on a function"] as const)("given up, %s,", (place) => {
  it("a creation leaves neither a device nor a claim", async () => {
    for (let call = 1; ; call++) {
      const scene = new Scene(place);
      const type = await scene.type();
      const { signal, isReached } = scene.abortAt(call);
      const created = await create(type, signal);
      if (!isReached()) {
        expect([created.ok, await scene.counts()]).toEqual([true, ONE]);
        return;
      }
      if (!created.ok && pendingOf(created.error) === undefined) expect(await scene.counts()).toEqual(NONE);
      const end = created.ok ? ONE : NONE;
      await vi.waitFor(async () => expect(await scene.counts(), `call ${call}`).toEqual(end), 5_000);
    }
  });

  it("a removal takes device and claim, or neither, and says when it still will", async () => {
    for (let call = 1; ; call++) {
      const scene = new Scene(place);
      const device = await create(await scene.type()).then((created) => created.getOrThrow());
      const { signal, isReached } = scene.abortAt(call);
      const removed = await device.remove({ owner: "me", signal });
      const isUndisturbed = !removed.ok && pendingOf(removed.error) === undefined;
      const end = isUndisturbed ? ONE : NONE;
      await vi.waitFor(async () => expect(await scene.counts(), `call ${call}`).toEqual(end), 5_000);
      if (!isReached()) return;
    }
  });
});
