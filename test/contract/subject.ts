import type { MdevDevice, MdevHost } from "../../src/index.js";

/** How `describe` and `it` of the test runner at hand are called: vitest's, and node's own inside a guest. */
export interface Runner {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
  afterEach(body: () => Promise<void>): void;
}

/** What differs between kernels, each by its name. */
export interface Differences {
  /** The driver of all devices is `vfio_mdev` (Linux 5.10); later, the parent's own driver. */
  readonly genericDriver: boolean;
  /** Linux 5.10's mtty gives out more ports than it has, and then counts below zero. */
  readonly mttyOverbooks: boolean;
  /** Linux 5.10's drivers count without a lock: creates at the same time can get more than there is. */
  readonly racyCount: boolean;
  /** The errno of a type with nothing left. */
  readonly fullErrno: { readonly mtty: string; readonly mdpy: string; readonly mbochs: string };
  /** `/sys/…/<uuid>/vfio-dev` is there (Linux 6.1 and later). */
  readonly vfioDev: boolean;
}

/** A process that has a device open. */
export interface Opened {
  readonly pid: number;
  /** Lets go of it. */
  close(): Promise<void>;
}

/** What it takes to have devices in use. */
export interface Usage {
  /** Opens a device as a virtual machine does, or `/dev/vfio/<group>` alone. */
  open(device: MdevDevice, what?: "device" | "group"): Promise<Opened>;
  /** The same host, but without sight of any process. */
  readonly blind: MdevHost;
}

/** A host with mtty, mdpy and mbochs and no devices: simulated, or real. */
export interface Subject {
  readonly host: MdevHost;
  readonly differences: Differences;
  /** Missing where nothing here can open a device: behaviours of devices in use are then left out. */
  readonly usage?: Usage;
  /** Rounds of the create and remove loops. */
  readonly rounds: number;
  /** Seed of the random sequences. */
  readonly seed: number;
}

/** What is known to differ, by release. */
export function differencesOf(release: string): Differences {
  const old = release.startsWith("5.");
  return {
    genericDriver: old,
    mttyOverbooks: old,
    racyCount: old,
    fullErrno: old
      ? { mtty: "none", mdpy: "ENOMEM", mbochs: "ENOMEM" }
      : { mtty: "ENOSPC", mdpy: "EUSERS", mbochs: "ENOSPC" },
    vfioDev: !old,
  };
}
