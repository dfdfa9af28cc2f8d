import {
  MdevHost,
  type MdevDevice,
  type MdevHostOptions,
  type MdevType,
  type Parent,
  type StateStore,
} from "../../src/index.js";
import { Io } from "../../src/file-system/io.js";
import { Limits } from "../../src/file-system/limits.js";
import { merged } from "../../src/layouts/merged.js";
import { Ledger } from "../../src/ownership/ledger.js";
import { MemoryStore, SimulatedHost, type SimulatedParent } from "../../src/testing/index.js";
import { ok } from "../contract/expect.js";
import { Meddler } from "./meddler.js";

/** Of the device that is there, and of one that is made. */
export const [UUID, OTHER_UUID] = [
  "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
  "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002",
] as const;

/** Whose the device is. */
export const OWNER = "me";

/** The address of the GPU. */
export const GPU = "0000:3b:00.0";

/** One GPU with one device, reached through a file system that can be meddled with. */
export interface World {
  readonly simulated: SimulatedHost;
  readonly gpu: SimulatedParent;
  readonly meddler: Meddler;
  readonly host: MdevHost;
  readonly parent: Parent;
  readonly type: MdevType;
  readonly device: MdevDevice;
}

/** A world whose handles were made before anything went wrong. */
export async function makeWorld(options: MdevHostOptions = {}): Promise<World> {
  const simulated = new SimulatedHost();
  const gpu = simulated.addNvidiaGpu({ address: GPU, numaNode: 1 });
  gpu.create("nvidia-156", UUID);
  const meddler = new Meddler(simulated.fs);
  const state = new MemoryStore();
  await claim(simulated, state);
  const host = new MdevHost({ fs: meddler.fs, state, ...options });
  const parent = await ok(host.parent(GPU));
  const type = await ok(parent.type("nvidia-156"));
  const device = await ok(host.device(UUID));
  return { simulated, gpu, meddler, host, parent, type, device };
}

/** Writes down that the device is {@link OWNER}'s. */
async function claim({ fs }: SimulatedHost, state: StateStore): Promise<void> {
  const ledger = Ledger.of(new Io(fs, "/sys", new Limits({})), { state, sysfs: "/sys" });
  const path = await fs.realpath(`/sys/bus/mdev/devices/${UUID}`);
  const parent = { path: path.slice(0, path.lastIndexOf("/")), layout: merged };
  const device = { id: UUID, path, parent };
  const intent = await ledger?.intend(OWNER, device, "nvidia-156");
  if (intent !== undefined) await ledger?.confirm(intent, device);
}

/** A machine with the kernel's sample serial card. */
export interface SerialWorld {
  readonly simulated: SimulatedHost;
  readonly mtty: SimulatedParent;
  readonly host: MdevHost;
  readonly parent: Parent;
  readonly type: MdevType;
}

/** Where the sample serial card is. */
export const MTTY = "/sys/devices/virtual/mtty/mtty";
/** Its first type. */
export const MTTY_1 = `${MTTY}/mdev_supported_types/mtty-1`;

/** A machine with the sample serial card, and no devices. */
export async function makeSerialWorld(kernel: "5.10" | "6.1" = "6.1"): Promise<SerialWorld> {
  const simulated = new SimulatedHost({ kernel });
  const mtty = simulated.addMtty();
  const host = new MdevHost({ fs: simulated.fs });
  const parent = await ok(host.parent("mtty"));
  const type = await ok(parent.type("mtty-1"));
  return { simulated, mtty, host, parent, type };
}
